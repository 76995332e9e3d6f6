/* SPDX-License-Identifier: Apache-2.0 */
#include "version.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "release.h"

/* Part of a text that is not ended by a NUL. */
struct span {
    const char *at;
    size_t len;
};

struct version {
    struct span numbers;     /* "1.2.3" */
    struct span pre_release; /* "rc.1"; empty: it is none */
    struct span commits;     /* behind it, "14"; empty: none */
    struct span hash;        /* of the commit */
    bool dirty;              /* changed after that */
};

/* The C library's would heed the locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static size_t count_digits(struct span text)
{
    size_t count = 0;

    while (count < text.len && is_digit(text.at[count]))
        count++;
    return count;
}

static void skip(struct span *text, size_t count)
{
    text->at += count;
    text->len -= count;
}

/* Numbers may be of any length, as a date or a build's. */

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static int compare_digits(struct span a, struct span b)
{
    while (a.len > 0 && a.at[0] == '0')
        skip(&a, 1);
    while (b.len > 0 && b.at[0] == '0')
        skip(&b, 1);
    if (a.len != b.len)
        return a.len > b.len ? 1 : -1;
    return a.len > 0 ? sign(memcmp(a.at, b.at, a.len)) : 0;
}

/* Parsing */

static bool take_end(struct span *text, const char *end)
{
    const size_t len = strlen(end);

    if (text->len < len || memcmp(text->at + text->len - len, end, len) != 0)
        return false;
    text->len -= len;
    return true;
}

/* The part behind the last '-', which must have a part before it. */
static bool last_part(struct span text, struct span *ret)
{
    for (size_t i = text.len; i > 1; i--) {
        if (text.at[i - 1] == '-') {
            *ret = (struct span){text.at + i, text.len - i};
            return ret->len > 0;
        }
    }
    return false;
}

/* "-14-gabc1234" at the end of *text, which is shortened by it. */
static void take_describe(struct span *text, struct version *version)
{
    struct span rest = *text, hash, commits;

    if (!last_part(rest, &hash) || hash.len < 5 || hash.at[0] != 'g')
        return;
    for (size_t i = 1; i < hash.len; i++) {
        if (!is_hex(hash.at[i]))
            return;
    }
    rest.len -= hash.len + 1;
    if (!last_part(rest, &commits) || count_digits(commits) != commits.len)
        return;
    rest.len -= commits.len + 1;
    *text = rest;
    if (compare_digits(commits, (struct span){"0", 1}) == 0)
        return; /* `git describe --long` of the very commit */
    version->hash = hash;
    version->commits = commits;
}

/* Dotted numbers, none of them empty, at the start of *text. */
static bool take_numbers(struct span *text, struct span *ret)
{
    const char *start = text->at;

    for (;;) {
        const size_t digits = count_digits(*text);

        if (digits == 0)
            return false;
        skip(text, digits);
        if (text->len < 2 || text->at[0] != '.' || !is_digit(text->at[1]))
            break;
        skip(text, 1);
    }
    *ret = (struct span){start, (size_t)(text->at - start)};
    return true;
}

/* Words with which a pre-release may follow without a '-'. No hash begins with a number and one of
 * them: each has a letter that is no digit of it. */
static bool is_pre_release_word(struct span text)
{
    static const char *const words[] = {"alpha", "beta", "rc", "pre", "dev"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (text.len >= strlen(words[i]) && strncasecmp(text.at, words[i], strlen(words[i])) == 0)
            return true;
    }
    return false;
}

/* Identifiers with dots between them, none of them empty. */
static bool is_identifiers(struct span text)
{
    bool empty = true;

    for (size_t i = 0; i < text.len; i++) {
        const char c = text.at[i];

        if (c == '.' ? empty : !is_digit(c) && !is_letter(c) && c != '-')
            return false;
        empty = c == '.';
    }
    return !empty;
}

/* "+build" at the end of *text: what it says is nobody's business here. */
static bool drop_build(struct span *text)
{
    const char *plus = memchr(text->at, '+', text->len);

    if (plus == NULL)
        return true;

    const size_t before = (size_t)(plus - text->at);
    struct span build = *text;

    skip(&build, before + 1);
    text->len = before;
    return is_identifiers(build);
}

static bool parse(const char *text, struct version *ret)
{
    struct span rest = {text, strlen(text)};
    struct version version = {0};

    if (rest.len > 0 && (rest.at[0] == 'v' || rest.at[0] == 'V'))
        skip(&rest, 1);
    version.dirty = take_end(&rest, "-dirty");
    take_describe(&rest, &version);
    if (!drop_build(&rest) || !take_numbers(&rest, &version.numbers))
        return false;
    if (rest.len > 0) {
        if (rest.at[0] == '-')
            skip(&rest, 1);
        else if (!is_pre_release_word(rest))
            return false;
        if (!is_identifiers(rest))
            return false;
    }
    version.pre_release = rest;
    *ret = version;
    return true;
}

/* Comparing */

static struct span take_digits(struct span *text)
{
    const struct span digits = {text->at, count_digits(*text)};

    skip(text, digits.len);
    return digits;
}

static int compare_numbers(struct span a, struct span b)
{
    int order = 0;

    while (order == 0 && (a.len > 0 || b.len > 0)) {
        const struct span number = take_digits(&a);

        order = compare_digits(number, take_digits(&b));
        skip(&a, a.len > 0);
        skip(&b, b.len > 0);
    }
    return order;
}

/* Character by character, but numbers as a whole. */
static int compare_words(struct span a, struct span b)
{
    int order = 0;

    while (order == 0 && a.len > 0 && b.len > 0) {
        if (is_digit(a.at[0]) && is_digit(b.at[0])) {
            const struct span number = take_digits(&a);

            order = compare_digits(number, take_digits(&b));
        } else {
            order = sign(a.at[0] - b.at[0]);
            skip(&a, 1);
            skip(&b, 1);
        }
    }
    return order != 0 ? order : (a.len > 0) - (b.len > 0);
}

static int compare_identifiers(struct span a, struct span b)
{
    const bool a_number = count_digits(a) == a.len;
    const bool b_number = count_digits(b) == b.len;

    if (a_number && b_number)
        return compare_digits(a, b);
    return a_number != b_number ? (a_number ? -1 : 1) : compare_words(a, b);
}

static struct span take_identifier(struct span *text)
{
    const char *dot = memchr(text->at, '.', text->len);
    const struct span identifier = {text->at, dot != NULL ? (size_t)(dot - text->at) : text->len};

    skip(text, identifier.len);
    skip(text, text->len > 0);
    return identifier;
}

static int compare_pre_releases(struct span a, struct span b)
{
    int order = 0;

    if (a.len == 0 || b.len == 0)
        return (a.len == 0) - (b.len == 0);
    while (order == 0 && a.len > 0 && b.len > 0) {
        const struct span identifier = take_identifier(&a);

        order = compare_identifiers(identifier, take_identifier(&b));
    }
    return order != 0 ? order : (a.len > 0) - (b.len > 0);
}

static bool same_hash(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static int compare_versions(const struct version *a, const struct version *b, int *ret)
{
    int order = compare_numbers(a->numbers, b->numbers);

    if (order == 0)
        order = compare_pre_releases(a->pre_release, b->pre_release);
    if (order == 0)
        order = compare_digits(a->commits, b->commits);
    /* As many commits, but others: two branches. */
    if (order == 0 && !same_hash(a->hash, b->hash))
        return -EINVAL;
    *ret = order != 0 ? order : a->dirty - b->dirty;
    return 0;
}

static int compare_releases(const struct release *a, const struct release *b, int *ret)
{
    int order = 0;

    if (strcmp(a->name, b->name) != 0)
        return -EINVAL;
    for (size_t i = 0; i < RELEASE_NUMBERS && order == 0; i++)
        order = (a->numbers[i] > b->numbers[i]) - (a->numbers[i] < b->numbers[i]);
    *ret = order;
    return 0;
}

int version_compare(const char *a, const char *b, int *ret)
{
    struct release a_release, b_release;
    struct version a_version, b_version;

    if (*a != '\0' && strcmp(a, b) == 0) { /* whatever it means */
        *ret = 0;
        return 0;
    }

    const bool a_is_release = release_parse(a, &a_release);

    if (a_is_release != release_parse(b, &b_release))
        return -EINVAL;
    if (a_is_release)
        return compare_releases(&a_release, &b_release, ret);
    if (!parse(a, &a_version) || !parse(b, &b_version))
        return -EINVAL;
    return compare_versions(&a_version, &b_version, ret);
}
