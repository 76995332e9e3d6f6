/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_SOURCE_H
#define HOSTED_SOURCE_H
/* Where an image comes from: a file, standard input, a web server; or the caller's own. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hosted/device.h"
#include "hosted/fault.h"

#define HOSTED_SIZE_UNKNOWN UINT64_MAX

struct hosted_source;

struct hosted_source_ops {
    /* Up to `len` bytes; 0 at the end, which is an end only if nothing is missing; or -errno. */
    ssize_t (*read)(struct hosted_source *source, void *buf, size_t len,
                    struct hosted_fault *fault);
    /* Has the next read begin at the first byte again. NULL where that cannot be, as of a pipe. */
    int (*rewind)(struct hosted_source *source, struct hosted_fault *fault);
    void (*close)(struct hosted_source *source);
};

/* An implementation begins with this. */
struct hosted_source {
    const struct hosted_source_ops *ops;
    const char *name; /* for messages; without user and password of a URL */
    uint64_t size;    /* bytes, HOSTED_SIZE_UNKNOWN before the end is seen */
    /* All of it is there, as of a file, and can be read twice: it is checked before anything is
     * erased. Such a source has a rewind(). */
    bool whole;
};

/* All zero is a good start. */
struct hosted_source_options {
    struct hosted_cancel *cancel; /* borrowed; NULL: cannot be stopped */
};

/*
 * Opens `where`; `options` may be NULL and must live as long as the source: "-" is standard input,
 * http:// and https:// a web server (libcurl is loaded only then), everything else a file. For a
 * URL the answer's head is awaited here: status, length and the first bytes are there before
 * anybody erases anything. Every failure is HOSTED_LOCAL: no file, a directory, no such host, a
 * status other than 200.
 */
int hosted_source_open(const char *where, const struct hosted_source_options *options,
                       struct hosted_source **ret, struct hosted_fault *fault);
void hosted_source_close(struct hosted_source *source); /* accepts NULL */

#endif
