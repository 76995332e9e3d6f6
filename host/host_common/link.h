/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_LINK_H
#define HOST_LINK_H
/*
 * The way to an ESP32: whole messages go out, a stream of bytes comes in. An implementation lies
 * with its operating system (host/linux/link_device.c).
 */
#include <stdbool.h>
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
    /* Takes up to `size` of the bytes that have come in, without waiting. Their number, 0, -errno.
     */
    ssize_t (*take)(struct link *link, void *buf, size_t size);
    void (*close)(struct link *link);
};

/* An implementation begins with this. */
struct link {
    const struct link_ops *ops;
    bool kernel_driver; /* the node is upstream's kernel module's, not that of esp-hostedd */
};

/* Opens the control device `path` and locks it. Failures as hosted_open(). */
int link_open(const char *path, struct link **ret, struct hosted_fault *fault);

/* Milliseconds of a clock that only goes forward. */
int64_t clock_ms(void);

/* Waits, and does nothing else. -ETIMEDOUT at `deadline_ms`, or -ECANCELED. `cancel` may be NULL.
 */
int clock_wait(const struct hosted_cancel *cancel, int64_t deadline_ms);

/* A number that nobody can expect; not for secrets. */
uint32_t random_number(void);

#endif
