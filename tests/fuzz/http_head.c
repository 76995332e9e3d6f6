/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a web server's answer. The input: where the rest was asked for from (u16) and how
 * large the image is (u16; 0: nobody knows); then the header lines, each with its newline.
 */
#include "http_head.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "hosted/source.h"

static int64_t any_date(const char *text)
{
    return (int64_t)strlen(text) - 1;
}

static size_t line_length(const struct fuzz_input *input)
{
    const uint8_t *end = memchr(input->next, '\n', input->left);

    return end != NULL ? (size_t)(end - input->next) + 1 : input->left;
}

static void check_range(const struct http_head *head, uint64_t from, uint64_t size)
{
    if (!head->has_range)
        return;
    REQUIRE(head->range_first <= head->range_last);
    REQUIRE(head->range_last < head->range_total);
    if (http_head_continues(head, from, size, "\"v\"")) {
        REQUIRE(head->range_first == from && !head->encoded);
        REQUIRE(size == HOSTED_SIZE_UNKNOWN || head->range_total == size);
        REQUIRE(strcmp(head->etag, "\"v\"") == 0);
    }
}

static void check_head(const struct http_head *head, uint64_t from, uint64_t size)
{
    const char *validator = http_head_validator(head, any_date);

    REQUIRE(memchr(head->type, '\0', sizeof(head->type)) != NULL);
    REQUIRE(memchr(head->etag, '\0', sizeof(head->etag)) != NULL);
    REQUIRE(memchr(head->modified, '\0', sizeof(head->modified)) != NULL);
    REQUIRE(memchr(head->date, '\0', sizeof(head->date)) != NULL);
    REQUIRE(*validator == '\0' || *validator == '"' || head->etag[0] == '\0');
    /* It becomes a line of a request. */
    REQUIRE(strpbrk(validator, "\r\n") == NULL);
    (void)http_head_is_page(head);
    check_range(head, from, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {.next = data, .left = size};
    const uint64_t from = fuzz_take_le16(&input);
    const uint16_t said = fuzz_take_le16(&input);
    struct http_head head = {0};

    while (input.left > 0) {
        size_t len = line_length(&input);
        uint8_t *line = fuzz_take_copy(&input, &len);

        http_head_line(&head, (const char *)line, len);
        free(line);
        check_head(&head, from, said > 0 ? said : HOSTED_SIZE_UNKNOWN);
    }
    return 0;
}
