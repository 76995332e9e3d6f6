/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *text_number(char buf[TEXT_NUMBER_BYTES], uint64_t value)
{
    char digits[TEXT_NUMBER_BYTES];
    const int count = snprintf(digits, sizeof(digits), "%" PRIu64, value);
    char *out = buf;

    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return buf;
}

size_t text_printable_utf8(const void *bytes, size_t left)
{
    const unsigned char *at = bytes;
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t len = at[0] < 0x80                    ? 1
                       : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
                       : at[0] >= 0xe0                 ? 3
                       : at[0] >= 0xc2                 ? 2
                                                       : 0;

    if (at[0] >= 0xf5 || len == 0 || len > left)
        return 0;
    if (len == 1)
        return at[0] >= 0x20 && at[0] != 0x7f ? 1 : 0;

    uint32_t code = at[0] & (0xffu >> (len + 1));

    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3fu);
    }
    /* C1 controls, surrogates, and marks that turn the writing direction around. */
    if (code < smallest[len] || code < 0xa0 || (code >= 0xd800 && code < 0xe000) ||
        code > 0x10ffff || (code >= 0x200e && code <= 0x200f) ||
        (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
        return 0;
    return len;
}

const char *text_printable(char *buf, size_t size, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    const unsigned char *end = at + len;
    size_t used = 0;

    while (at < end) {
        const size_t whole = *at != '\\' ? text_printable_utf8(at, (size_t)(end - at)) : 0;
        const size_t needed = whole > 0 ? whole : strlen("\\xNN");

        if (used + needed >= size)
            break;
        if (whole > 0)
            memcpy(buf + used, at, whole);
        else
            snprintf(buf + used, size - used, "\\x%02x", at[0]);
        used += needed;
        at += whole > 0 ? whole : 1;
    }
    buf[used] = '\0';
    return buf;
}

const char *text_hex(char *buf, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;

    for (size_t i = 0; i < len; i++) {
        buf[2 * i] = digits[at[i] >> 4];
        buf[2 * i + 1] = digits[at[i] & 0xf];
    }
    buf[2 * len] = '\0';
    return buf;
}

bool text_is_mac(const char *text, uint8_t ret[6])
{
    uint8_t mac[6];

    if (strlen(text) != strlen("aa:bb:cc:dd:ee:ff"))
        return false;
    for (size_t i = 0; i < sizeof(mac); i++) {
        const char *at = text + 3 * i;
        const char separator = i < sizeof(mac) - 1 ? ':' : '\0';

        if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]) ||
            at[2] != separator)
            return false;
        mac[i] = (uint8_t)strtoul((const char[]){at[0], at[1], '\0'}, NULL, 16);
    }
    if (ret != NULL)
        memcpy(ret, mac, sizeof(mac));
    return true;
}
