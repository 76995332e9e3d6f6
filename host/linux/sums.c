/* SPDX-License-Identifier: Apache-2.0 */
#include "hosted/sums.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "source_internal.h"
#include "text.h"

#define SHA256_BYTES 32
#define HEX_CHARS    ((size_t)2 * SHA256_BYTES)

/* SHA256SUMS of a whole distribution have less. */
#define LARGEST_BYTES ((size_t)1024 * 1024)

/* Of a name, as it is shown. */
#define SHOWN_BYTES 200

/* `where` in its parts, all of them borrowed from it but the name. */
struct place {
    const char *where;
    size_t folder_len; /* with the '/' at its end */
    size_t path_len;   /* with the name of the file; a URL's query follows */
    char *name;        /* of the file, escapes of a URL decoded */
    size_t name_len;
    char shown[SHOWN_BYTES]; /* the same for messages: a whole URL may hold a password */
};

/* Where to look, and for what. */
struct sums {
    const struct place *place;
    bool is_of_one; /* WHERE.sha256 */
    bool found;
    uint8_t sha256[SHA256_BYTES];
};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The image */

/* "%20" and its like; what is no escape stays. Returns the length. */
static size_t decode_url(char *text, size_t len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        const int high = text[i] == '%' && i + 2 < len ? hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text[i + 2]) : -1;

        if (low >= 0) {
            text[out++] = (char)(high << 4 | low);
            i += 2;
        } else {
            text[out++] = text[i];
        }
    }
    return out;
}

static int split(struct place *place, const char *where, struct hosted_fault *fault)
{
    const bool is_url = source_is_url(where);
    const size_t path_len = is_url ? strcspn(where, "?#") : strlen(where);
    /* The slashes before a server's name are none of a path. */
    const size_t from = is_url ? (size_t)(strstr(where, "://") + 3 - where) : 0;
    size_t folder_len = path_len;

    while (folder_len > from && where[folder_len - 1] != '/')
        folder_len--;
    *place = (struct place){.where = where, .folder_len = folder_len, .path_len = path_len};
    place->name_len = path_len - folder_len;
    if (place->name_len == 0 || (is_url && folder_len == from))
        return fault_set(fault, HOSTED_USAGE, -EINVAL,
                         "no SHA-256 can be looked for: no file is named");
    place->name = strndup(where + folder_len, place->name_len);
    if (place->name == NULL)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, "SHA-256");
    if (is_url)
        place->name_len = decode_url(place->name, place->name_len);
    text_printable(place->shown, sizeof(place->shown), place->name, place->name_len);
    return 0;
}

/* The lines */

static bool take_hex(const char *text, size_t len, uint8_t ret[SHA256_BYTES])
{
    if (len < HEX_CHARS)
        return false;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        const int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_name(const struct sums *sums, const char *text, size_t len)
{
    const struct place *place = sums->place;

    if (sums->is_of_one) { /* who made it need not have stood in its folder */
        const char *slash = memrchr(text, '/', len);

        if (slash != NULL) {
            len -= (size_t)(slash + 1 - text);
            text = slash + 1;
        }
    } else if (len > 2 && memcmp(text, "./", 2) == 0) {
        len -= 2;
        text += 2;
    }
    return len == place->name_len && memcmp(text, place->name, len) == 0;
}

/* "HEX  NAME", "HEX *NAME", and the bare HEX. */
static bool take_gnu(const struct sums *sums, const char *line, size_t len,
                     uint8_t ret[SHA256_BYTES])
{
    if (!take_hex(line, len, ret))
        return false;
    if (len == HEX_CHARS)
        return sums->is_of_one;
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

static int take_lines(struct sums *sums, const char *text, size_t len)
{
    int err = 0;

    while (err == 0 && len > 0) {
        const char *newline = memchr(text, '\n', len);
        const size_t line_len = newline != NULL ? (size_t)(newline - text) : len;
        const size_t taken = line_len + (newline != NULL);

        err = take_line(sums, text, line_len);
        text += taken;
        len -= taken;
    }
    return err;
}

/* The files */

/* All of it, into *ret, to be freed; or -errno. */
static ssize_t read_all(struct hosted_source *source, char **ret, struct hosted_fault *fault)
{
    char *text = malloc(LARGEST_BYTES + 1); /* what is not written is not there */
    size_t len = 0;
    ssize_t got = 1;

    if (text == NULL)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, source->name);
    while (got > 0 && len <= LARGEST_BYTES) {
        got = source->ops->read(source, text + len, LARGEST_BYTES + 1 - len, fault);
        len += got > 0 ? (size_t)got : 0;
    }
    if (got >= 0 && len > LARGEST_BYTES)
        got = fault_set(fault, HOSTED_IMAGE, -EFBIG, "%s: too long for a list of SHA-256",
                        source->name);
    if (got < 0) {
        free(text);
        return got;
    }
    *ret = text;
    return (ssize_t)len;
}

static int read_sums(struct sums *sums, struct hosted_source *source, struct hosted_fault *fault)
{
    char *text = NULL;
    const ssize_t len = read_all(source, &text, fault);

    if (len < 0)
        return (int)len;

    const int err = take_lines(sums, text, (size_t)len);

    free(text);
    if (err < 0)
        return fault_set(fault, HOSTED_IMAGE, err, "%s: several SHA-256 of %s, which differ",
                         source->name, sums->place->shown);
    if (!sums->found)
        return fault_set(fault, HOSTED_IMAGE, -ENOENT, "%s: no SHA-256 of %s in it", source->name,
                         sums->place->shown);
    return 0;
}

/* *ret_opened is false where there is no such file. */
static int look(struct sums *sums, const struct hosted_source_options *options, bool *ret_opened,
                struct hosted_fault *fault)
{
    const struct place *place = sums->place;
    const size_t len = sums->is_of_one ? place->path_len : place->folder_len;
    struct hosted_source *source = NULL;
    char *where;

    *ret_opened = false;
    if (asprintf(&where, "%.*s%s%s", (int)len, place->where,
                 sums->is_of_one ? ".sha256" : "SHA256SUMS", place->where + place->path_len) < 0)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, "SHA-256");

    int err = hosted_source_open(where, options, &source, fault);

    free(where);
    if (err == 0) {
        *ret_opened = true;
        err = read_sums(sums, source, fault);
    }
    hosted_source_close(source);
    return err;
}

/* A file that is not there is no failure yet: the caller's fault is written only by one. */
static int find(struct sums *sums, const struct hosted_source_options *options,
                struct hosted_fault *fault)
{
    struct hosted_fault own;
    bool opened = false;
    int err = -ENOENT;

    for (int i = 0; i < 2 && err == -ENOENT && !opened; i++) {
        sums->is_of_one = i == 0;
        err = look(sums, options, &opened, &own);
    }
    if (err == -ENOENT && !opened)
        return fault_set(fault, HOSTED_IMAGE, -ENOENT, "no SHA-256 of %s beside it",
                         sums->place->shown);
    if (err < 0 && fault != NULL)
        *fault = own;
    return err;
}

int hosted_sums_find(const char *where, const struct hosted_source_options *options,
                     uint8_t ret_sha256[32], struct hosted_fault *fault)
{
    struct place place;
    struct sums sums = {.place = &place};

    if (strcmp(where, "-") == 0)
        return fault_set(fault, HOSTED_USAGE, -EINVAL,
                         "standard input has no neighbours: no SHA-256 can be looked for");

    int err = split(&place, where, fault);

    if (err == 0)
        err = find(&sums, options, fault);
    free(place.name);
    if (err == 0)
        memcpy(ret_sha256, sums.sha256, sizeof(sums.sha256));
    return err;
}
