/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_LOCK_H
#define HOST_LOCK_H
/*
 * One process at a time on a control device. The lock is on the node itself: a lock file would
 * need a writable place, and two names of one device would be two locks.
 */
#include <sys/types.h>

#include "hosted/fault.h"

/* Held until `fd` is closed. 0, or -EBUSY with the holder in the text. */
int lock_take(int fd, const char *path, struct hosted_fault *fault);

/* The words for a device that another process holds: -EBUSY. */
int lock_busy(const char *path, struct hosted_fault *fault);

/* The process that holds a flock on the file `path`, 0 if it is not to be found. */
pid_t lock_holder(const char *path);

#endif
