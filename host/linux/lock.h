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

/*
 * The words for a device whose driver takes one opener and has one: -EBUSY. That one need not know
 * of locks, as upstream's tools do not.
 */
int lock_busy(const char *path, struct hosted_fault *fault);

/* The process that holds a flock on the file `path`, 0 if it is not to be found. */
pid_t lock_holder(const char *path);

/*
 * A process that has the device `path` open, 0 if none is found: of the processes of others only
 * root may see what they have open.
 */
pid_t lock_opener(const char *path);

#endif
