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

#ifdef __cplusplus
extern "C" {
#endif

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

/*
 * All zero is a good start. What is behind `cancel` concerns http:// and https:// alone. Texts and
 * the structure itself are borrowed: they must live as long as the source.
 */
struct hosted_source_options {
    struct hosted_cancel *cancel; /* borrowed; NULL: cannot be stopped */
    /*
     * The longest silence of the server, in seconds of read() that bring nothing of the image, or
     * less than 1 KiB; 0: 30. It ends the attempt. Before the first answer it ends all. In a
     * download that runs, whose connection may have died unnoticed, it is a failure that one more
     * attempt may follow; a second silence before 1 KiB has come ends all.
     */
    unsigned stall_timeout_s;
    /*
     * Attempts after one that failed, in a row that brings less than 1 KiB; 0: 5, negative: none.
     * In all, however much they bring, no more than ten times as many. They wait 0.1 s, 0.4 s and
     * so on up to 30 s, less up to a half by chance; and as long as Retry-After says, up to 60 s.
     * Before the first answer there are 2 at most, so that a server that is not there is soon
     * known.
     */
    int retries;
    const char *ca_file;   /* PEM: the authorities to trust, instead of the system's; NULL */
    const char *cert_file; /* PEM: certificate of this client; NULL: none */
    const char *key_file;  /* PEM, not encrypted: its key; NULL: it is in cert_file */
    const char *interface; /* the only one to use, "ethsta0"; NULL: as routes say */
    const char *proxy;     /* URL; NULL: as $http_proxy and its like say; "": none */
    /* A line when a download is tried again, goes on, begins anew. Without secrets. NULL: nobody
     * listens. */
    void (*log)(void *ctx, const char *line);
    void *log_ctx;
};

/*
 * Opens `where`; `options` may be NULL: "-" is standard input, http:// and https:// a web server
 * (libcurl is loaded only then), everything else a file. For a URL the answer's head is awaited
 * here: status, type, length and the first bytes are there before anybody erases anything. Failures
 * are HOSTED_LOCAL: no file, a directory, no such host, a status other than 200, a certificate that
 * is not to be trusted; but
 *   -EINVAL   almost a URL: another scheme, slashes that lack   HOSTED_USAGE
 *   -EBADMSG  the server sent a page for people, no image       HOSTED_IMAGE
 *   -ENOSYS   this build has no HTTP, or there is no libcurl    HOSTED_LOCAL
 *
 * A download that breaks goes on inside read(): behind the bytes that it has given, where the
 * server sends the rest of the same image (Range and If-Range with a strong validator). Where the
 * server begins anew, or may have another image now, all of it is asked for, and what read() has
 * given is compared by SHA-256. Is it another image, read() returns
 *   -ESTALE   the image on the server has changed               HOSTED_LOCAL
 * and then `size` is that of the new image, and the next read() gives its first byte: whoever has
 * begun an update with the old one begins another. After other failures only a close makes sense.
 */
int hosted_source_open(const char *where, const struct hosted_source_options *options,
                       struct hosted_source **ret, struct hosted_fault *fault);

/*
 * Reads `source` to its end into a temporary file without a name, in $TMPDIR or else /var/tmp or
 * /tmp, and gives a source of the same name that is whole. `source` is taken over, also on failure;
 * one that is whole already is given back as it is. `options` as for the opening; may be NULL. An
 * image that changes on the server meanwhile is fetched again, at most three times.
 *   -EFBIG    more than 16 MiB: larger than any slot            HOSTED_IMAGE
 *   -ENOSPC … the folder, which the text names, cannot hold it  HOSTED_LOCAL
 * and those of the source's read().
 */
int hosted_source_store(struct hosted_source *source, const struct hosted_source_options *options,
                        struct hosted_source **ret, struct hosted_fault *fault);
void hosted_source_close(struct hosted_source *source); /* accepts NULL */

#ifdef __cplusplus
}
#endif

#endif
