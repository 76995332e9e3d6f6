/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SUMS_TEXT_H
#define HOST_SUMS_TEXT_H
/* What stands in a file of SHA-256 digests: see hosted/sums.h. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The file that is looked for; `name` is borrowed and may hold any byte. */
struct sums_name {
    const char *name;
    size_t len;
    bool is_the_only_one; /* the digests are in a file of its own */
};

/*
 * The digest of that file in the `len` bytes of `text`: 0, -ENOENT if there is none, -EBADMSG if
 * there are several that differ.
 */
int sums_text_find(const char *text, size_t len, const struct sums_name *name,
                   uint8_t ret_sha256[32]);

/* 0 to 15, or -1. */
int sums_hex_value(char c);

#endif
