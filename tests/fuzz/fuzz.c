/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

void fuzz_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

uint8_t fuzz_take_u8(struct fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->next++;
}

uint16_t fuzz_take_le16(struct fuzz_input *input)
{
    const uint8_t low = fuzz_take_u8(input);

    return (uint16_t)(low | fuzz_take_u8(input) << 8);
}

uint8_t *fuzz_copy(const void *bytes, size_t len)
{
    uint8_t *copy = malloc(len);

    REQUIRE(copy != NULL || len == 0);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

uint8_t *fuzz_take_copy(struct fuzz_input *input, size_t *len)
{
    if (*len > input->left)
        *len = input->left;

    uint8_t *copy = fuzz_copy(input->next, *len);

    if (*len > 0)
        input->next += *len;
    input->left -= *len;
    return copy;
}

bool fuzz_is_printable(const char *text, size_t size)
{
    const char *end = text + strnlen(text, size);
    mbstate_t state = {0};
    wchar_t wide;

    REQUIRE(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
    while (text < end) {
        const size_t len = mbrtowc(&wide, text, (size_t)(end - text), &state);

        if (len == 0 || len > MB_LEN_MAX || iswcntrl((wint_t)wide))
            return false;
        text += len;
        size -= len;
    }
    return size > 0;
}
