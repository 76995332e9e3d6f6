/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_CANCEL_H
#define HOST_CANCEL_H
/* Waiting on Linux such that hosted_cancel_request() ends it. */
#include <stdint.h>

#include "hosted/device.h"

/* Readable once the cancel was requested; -1, which poll() ignores, for NULL. */
int cancel_fd(const struct hosted_cancel *cancel);

/*
 * Waits until `fd` has one of `events` (or has failed: reading or writing it will tell).
 * 0, -ETIMEDOUT at `deadline_ms` of clock_ms() (INT64_MAX: never), -ECANCELED, or from poll(2).
 */
int cancel_wait_fd(const struct hosted_cancel *cancel, int fd, short events, int64_t deadline_ms);

#endif
