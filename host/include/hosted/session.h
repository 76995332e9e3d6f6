/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_SESSION_H
#define HOSTED_SESSION_H
/*
 * One firmware update of one ESP32, by hand: the image is the caller's business. For a whole
 * update with its checks see hosted/update.h.
 *
 * Order of calls: open, write until the last byte, finish, close. After a failed write nothing but
 * close is possible (-EPROTO, nothing is sent): the stock protocol has no offsets, so that a repeat
 * could double a chunk, and no abort, so that an end could boot what is there. The running slot is
 * never written: before finish the session may be closed at any point and the old firmware boots.
 */
#include <stddef.h>
#include <stdint.h>

#include "hosted/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What one write message carries at most; upstream's tools use the same. */
#define HOSTED_CHUNK_BYTES 4000

struct hosted_session; /* opaque */

/*
 * Has the ESP32 prepare its next slot; stock firmware erases all of it here, for seconds.
 * `slot_bytes` bounds the wait where options.timeout_s does not: 0 if it is not known.
 * `device` is borrowed and must outlive the session.
 */
int hosted_session_open(struct hosted_device *device, uint32_t slot_bytes,
                        struct hosted_session **ret, struct hosted_fault *fault);

/* Sends the next `len` bytes, of any number; returns once the ESP32 confirmed them all. */
int hosted_session_write(struct hosted_session *session, const void *data, size_t len,
                         struct hosted_fault *fault);

/* Has the ESP32 verify the image and select it; it restarts 5 s after its answer. */
int hosted_session_finish(struct hosted_session *session, struct hosted_fault *fault);

/* Image bytes that the ESP32 has confirmed. */
uint64_t hosted_session_confirmed(const struct hosted_session *session);

/* Accepts NULL. Before finish this abandons the update. */
void hosted_session_close(struct hosted_session *session);

#ifdef __cplusplus
}
#endif

#endif
