/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEARTBEAT_H
#define HEARTBEAT_H
/* A sign of life for a host that asks for it, off until then. */
#include "control_message.h"

/* `notifier` takes the beats. */
void heartbeat_init(void (*notifier)(const struct control_event *event));

/* A new request counts from 1 again. */
void heartbeat_configure(bool enable, int32_t seconds);

/* About once a second. */
void heartbeat_on_tick(void);

#endif
