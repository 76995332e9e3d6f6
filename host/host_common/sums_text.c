/* SPDX-License-Identifier: Apache-2.0 */
#include "sums_text.h"

#include <errno.h>
#include <string.h>

#define SHA256_BYTES 32
#define HEX_CHARS    ((size_t)2 * SHA256_BYTES)

struct sums {
    const struct sums_name *name;
    bool found;
    uint8_t sha256[SHA256_BYTES];
};

int sums_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool take_hex(const char *text, size_t len, uint8_t ret[SHA256_BYTES])
{
    if (len < HEX_CHARS)
        return false;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        const int high = sums_hex_value(text[2 * i]), low = sums_hex_value(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_name(const struct sums *sums, const char *text, size_t len)
{
    const struct sums_name *name = sums->name;

    if (name->is_the_only_one) { /* who made it need not have stood in its folder */
        const char *slash = memrchr(text, '/', len);

        if (slash != NULL) {
            len -= (size_t)(slash + 1 - text);
            text = slash + 1;
        }
    } else if (len > 2 && memcmp(text, "./", 2) == 0) {
        len -= 2;
        text += 2;
    }
    return len == name->len && memcmp(text, name->name, len) == 0;
}

/* "HEX  NAME", "HEX *NAME", and the bare HEX. */
static bool take_gnu(const struct sums *sums, const char *line, size_t len,
                     uint8_t ret[SHA256_BYTES])
{
    if (!take_hex(line, len, ret))
        return false;
    if (len == HEX_CHARS)
        return sums->name->is_the_only_one;
    return len > HEX_CHARS + 2 && line[HEX_CHARS] == ' ' &&
           (line[HEX_CHARS + 1] == ' ' || line[HEX_CHARS + 1] == '*') &&
           is_name(sums, line + HEX_CHARS + 2, len - HEX_CHARS - 2);
}

/* "SHA256 (NAME) = HEX" */
static bool take_bsd(const struct sums *sums, const char *line, size_t len,
                     uint8_t ret[SHA256_BYTES])
{
    static const char before[] = "SHA256 (", behind[] = ") = ";
    const size_t before_len = sizeof(before) - 1, behind_len = sizeof(behind) - 1;

    if (len <= before_len + behind_len + HEX_CHARS || memcmp(line, before, before_len) != 0)
        return false;

    const char *hex = line + len - HEX_CHARS;

    return memcmp(hex - behind_len, behind, behind_len) == 0 && take_hex(hex, HEX_CHARS, ret) &&
           is_name(sums, line + before_len, len - before_len - behind_len - HEX_CHARS);
}

static int take_line(struct sums *sums, const char *line, size_t len)
{
    uint8_t sha256[SHA256_BYTES];

    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (!take_gnu(sums, line, len, sha256) && !take_bsd(sums, line, len, sha256))
        return 0;
    if (sums->found && memcmp(sums->sha256, sha256, sizeof(sha256)) != 0)
        return -EBADMSG;
    sums->found = true;
    memcpy(sums->sha256, sha256, sizeof(sha256));
    return 0;
}

int sums_text_find(const char *text, size_t len, const struct sums_name *name,
                   uint8_t ret_sha256[SHA256_BYTES])
{
    struct sums sums = {.name = name};
    int err = 0;

    while (err == 0 && len > 0) {
        const char *newline = memchr(text, '\n', len);
        const size_t line_len = newline != NULL ? (size_t)(newline - text) : len;
        const size_t taken = line_len + (newline != NULL);

        err = take_line(&sums, text, line_len);
        text += taken;
        len -= taken;
    }
    if (err == 0 && !sums.found)
        err = -ENOENT;
    if (err == 0)
        memcpy(ret_sha256, sums.sha256, SHA256_BYTES);
    return err;
}
