/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEMORY_SOURCE_H
#define MEMORY_SOURCE_H
#include "hosted/source.h"

/* A source over the caller's bytes. Set what differs from a file before use. */
struct memory_source {
    struct hosted_source source;
    const uint8_t *bytes;
    const uint8_t *later; /* what it has from its rewind on; NULL: the same */
    size_t len, at;
    size_t piece;    /* a read gives at most this; 0: no limit */
    size_t fails_at; /* -EIO instead of this byte; 0: never */
};

struct memory_source memory_source(const void *bytes, size_t len);

#endif
