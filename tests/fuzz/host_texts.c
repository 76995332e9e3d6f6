/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What web servers and images say in words: lists of digests, and versions. Each digest that is
 * found stands in the text, beside the name; versions are in an order.
 * Input: one byte for which of the two. A list: one byte, whether it is of one file; 16 bits for
 * the length of the name, the name, the list. Versions: three texts, each ended by a newline.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "sums_text.h"
#include "version.h"

#define VERSIONS  3
#define UNTOUCHED 0x5a5a5a5a

static bool contains(const uint8_t *text, size_t len, const char *hex)
{
    const size_t hex_len = strlen(hex);

    for (size_t i = 0; i + hex_len <= len; i++) {
        if (strncasecmp((const char *)text + i, hex, hex_len) == 0)
            return true;
    }
    return false;
}

static void fuzz_sums(struct fuzz_input *input)
{
    const bool only_one = fuzz_take_u8(input) & 1;
    size_t name_len = fuzz_take_le16(input) & 0x3f;
    uint8_t *name = fuzz_take_copy(input, &name_len);
    const size_t len = input->left;
    uint8_t *text = fuzz_copy(input->next, len);
    const struct sums_name sought = {(const char *)name, name_len, only_one};
    uint8_t digest[32];
    char hex[65];

    memset(digest, 0x5a, sizeof(digest));

    const int rc = sums_text_find((const char *)text, len, &sought, digest);

    REQUIRE(rc == 0 || rc == -ENOENT || rc == -EBADMSG);
    for (size_t i = 0; i < sizeof(digest); i++) {
        REQUIRE(rc == 0 || digest[i] == 0x5a);
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    REQUIRE(rc != 0 || contains(text, len, hex));
    free(text);
    free(name);
}

static int compare(const char *a, const char *b)
{
    int order = UNTOUCHED;
    const int rc = version_compare(a, b, &order);

    REQUIRE(rc == 0 || (rc == -EINVAL && order == UNTOUCHED));
    return rc == 0 ? (order > 0) - (order < 0) : UNTOUCHED;
}

static void fuzz_versions(struct fuzz_input *input)
{
    char *texts[VERSIONS];
    int orders[VERSIONS][VERSIONS];

    for (size_t i = 0; i < VERSIONS; i++) {
        const uint8_t *end = memchr(input->next, '\n', input->left);
        const size_t len = end != NULL ? (size_t)(end - input->next) : input->left;
        const size_t taken = len + (end != NULL);

        texts[i] = strndup((const char *)input->next, len);
        input->next += taken;
        input->left -= taken;
    }
    for (size_t i = 0; i < VERSIONS; i++) {
        for (size_t j = 0; j < VERSIONS; j++)
            orders[i][j] = compare(texts[i], texts[j]);
    }
    for (size_t i = 0; i < VERSIONS; i++) {
        REQUIRE(orders[i][i] == (*texts[i] != '\0' ? 0 : UNTOUCHED));
        for (size_t j = 0; j < VERSIONS; j++)
            REQUIRE(orders[j][i] == (orders[i][j] == UNTOUCHED ? UNTOUCHED : -orders[i][j]));
    }
    if (orders[0][1] != UNTOUCHED && orders[1][2] != UNTOUCHED &&
        orders[0][1] * orders[1][2] >= 0 && orders[0][2] != UNTOUCHED)
        REQUIRE(orders[0][2] == (orders[0][1] != 0 ? orders[0][1] : orders[1][2]));
    for (size_t i = 0; i < VERSIONS; i++)
        free(texts[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};

    if (size == 0)
        return 0;
    if (fuzz_take_u8(&input) & 1)
        fuzz_versions(&input);
    else
        fuzz_sums(&input);
    return 0;
}
