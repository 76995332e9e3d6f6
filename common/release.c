/* SPDX-License-Identifier: Apache-2.0 */
#include "release.h"

#include <string.h>

/* Decimal digits at *text, which is left behind them. */
static bool take_number(const char **text, uint32_t *ret)
{
    const char *at = *text;
    uint32_t value = 0;

    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        const uint32_t digit = (uint32_t)(*at - '0');

        if (value > (UINT32_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *text = at;
    *ret = value;
    return true;
}

bool release_parse(const char *text, struct release *ret)
{
    const char *dash = strrchr(text, '-');
    struct release release = {0};

    if (dash == NULL || dash == text || (size_t)(dash - text) >= sizeof(release.name))
        return false;
    memcpy(release.name, text, (size_t)(dash - text));

    const char *at = dash + 1;

    for (int i = 0; i < RELEASE_NUMBERS; i++) {
        if (i > 0 && *at++ != '.')
            return false;
        if (!take_number(&at, &release.numbers[i]))
            return false;
    }
    if (*at != '\0')
        return false;
    *ret = release;
    return true;
}

/* Without printf(), which is large on the chip. */
static char *put_number(char *at, uint32_t value)
{
    char digits[10];
    int count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

const char *release_format(const struct release *release, char buf[RELEASE_TEXT_BYTES])
{
    char *at = buf + strlen(release->name);

    memcpy(buf, release->name, strlen(release->name));
    for (int i = 0; i < RELEASE_NUMBERS; i++) {
        *at++ = i == 0 ? '-' : '.';
        at = put_number(at, release->numbers[i]);
    }
    *at = '\0';
    return buf;
}

bool release_equal(const struct release *a, const struct release *b)
{
    return strcmp(a->name, b->name) == 0 && memcmp(a->numbers, b->numbers, sizeof(a->numbers)) == 0;
}
