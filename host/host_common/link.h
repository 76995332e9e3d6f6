/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_LINK_H
#define HOST_LINK_H
/*
 * The way to an ESP32: whole messages go out, a stream of bytes comes in. An implementation lies
 * with its operating system (host/linux/link_device.c).
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hosted/device.h"

struct link;

/*
 * Common failures: -ENODEV (the other end has gone), -ECANCELED, -ETIMEDOUT, others as the system
 * has them. `deadline_ms` is a time of clock_ms().
 */
struct link_ops {
    /* Sends one message, all of it or not at all as far as the caller can tell. 0 or -errno. */
    int (*send)(struct link *link, const void *message, size_t len, int64_t deadline_ms);
    /*
     * Waits for bytes and takes up to `size` of them. Their number, at least 1; or -errno.
     * `cancel` may be NULL: then nothing but the deadline ends the wait.
     */
    ssize_t (*receive)(struct link *link, void *buf, size_t size, int64_t deadline_ms,
                       const struct hosted_cancel *cancel);
    /* Throws away what has come in, without waiting. The number of bytes, or -errno. */
    ssize_t (*drain)(struct link *link);
    void (*close)(struct link *link);
};

/* An implementation begins with this. */
struct link {
    const struct link_ops *ops;
};

/* Opens the control device `path` and locks it. Failures as hosted_open(). */
int link_open(const char *path, struct link **ret, struct hosted_fault *fault);

/* Milliseconds of a clock that only goes forward. */
int64_t clock_ms(void);

#endif
