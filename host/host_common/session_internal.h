/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SESSION_INTERNAL_H
#define HOST_SESSION_INTERNAL_H
/* What a whole update needs of a session beyond hosted/session.h. */
#include "hosted/session.h"

/* hosted_session_open() for a device that has just been asked who it is. */
int session_open_identified(struct hosted_device *device, uint32_t slot_bytes,
                            struct hosted_session **ret, struct hosted_fault *fault);

#endif
