/* SPDX-License-Identifier: Apache-2.0 */
#include "hosted/sums.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "source_internal.h"
#include "sums_text.h"
#include "text.h"

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

/* The image */

/* "%20" and its like; what is no escape stays. Returns the length. */
static size_t decode_url(char *text, size_t len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        const int high = text[i] == '%' && i + 2 < len ? sums_hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? sums_hex_value(text[i + 2]) : -1;

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

    char *name = strndup(where + folder_len, place->name_len);

    if (name == NULL)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, "SHA-256");
    if (is_url)
        place->name_len = decode_url(name, place->name_len);
    text_printable(place->shown, sizeof(place->shown), name, place->name_len);
    place->name = name;
    return 0;
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

static int read_sums(const struct place *place, bool own, struct hosted_source *source,
                     uint8_t ret_sha256[32], struct hosted_fault *fault)
{
    const struct sums_name name = {place->name, place->name_len, own};
    char *text = NULL;
    const ssize_t len = read_all(source, &text, fault);

    if (len < 0)
        return (int)len;

    const int err = sums_text_find(text, (size_t)len, &name, ret_sha256);

    free(text);
    if (err == -EBADMSG)
        return fault_set(fault, HOSTED_IMAGE, err, "%s: several SHA-256 of %s, which differ",
                         source->name, place->shown);
    if (err < 0)
        return fault_set(fault, HOSTED_IMAGE, err, "%s: no SHA-256 of %s in it", source->name,
                         place->shown);
    return 0;
}

/* In WHERE.sha256, the image's own, or in SHA256SUMS. *ret_there: there is such a file. */
static int look(const struct place *place, bool own, const struct hosted_source_options *options,
                bool *ret_there, uint8_t ret_sha256[32], struct hosted_fault *fault)
{
    const size_t len = own ? place->path_len : place->folder_len;
    struct hosted_source *source = NULL;
    char *where;

    *ret_there = true;
    if (asprintf(&where, "%.*s%s%s", (int)len, place->where, own ? ".sha256" : "SHA256SUMS",
                 place->where + place->path_len) < 0)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, "SHA-256");

    int err = hosted_source_open(where, options, &source, fault);

    free(where);
    *ret_there = err != -ENOENT;
    if (err == 0)
        err = read_sums(place, own, source, ret_sha256, fault);
    hosted_source_close(source);
    return err;
}

/* A file that is not there is no failure yet: the caller's fault is written only by one. */
static int find(const struct place *place, const struct hosted_source_options *options,
                uint8_t ret_sha256[32], struct hosted_fault *fault)
{
    struct hosted_fault own;
    bool there = false;
    int err = look(place, true, options, &there, ret_sha256, &own);

    if (!there)
        err = look(place, false, options, &there, ret_sha256, &own);
    if (!there)
        return fault_set(fault, HOSTED_IMAGE, -ENOENT, "no SHA-256 of %s beside it", place->shown);
    if (err < 0 && fault != NULL)
        *fault = own;
    return err;
}

int hosted_sums_find(const char *where, const struct hosted_source_options *options,
                     uint8_t ret_sha256[32], struct hosted_fault *fault)
{
    struct place place;

    if (strcmp(where, "-") == 0)
        return fault_set(fault, HOSTED_USAGE, -EINVAL,
                         "standard input has no neighbours: no SHA-256 can be looked for");

    int err = source_check(where, fault);

    if (err < 0)
        return err;
    err = split(&place, where, fault);
    if (err == 0)
        err = find(&place, options, ret_sha256, fault);
    free(place.name);
    return err;
}
