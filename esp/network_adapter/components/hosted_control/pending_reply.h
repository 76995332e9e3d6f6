/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PENDING_REPLY_H
#define PENDING_REPLY_H
/* The one request, connect or scan, whose outcome the radio still owes. */
#include <stdbool.h>

#include "control_message.h"

/* `replier` takes the outcomes. */
void pending_reply_init(void (*replier)(const struct control_reply *reply));

/* Only while none is pending. */
void pending_reply_start(const struct control_request *request);

bool pending_reply_is_active(void);
bool pending_reply_is(enum control_op op);

/* The host will not wait much longer. */
bool pending_reply_is_overdue(void);

/* Answers a pending connect with success and the station's address, in dialects that tell its
 * outcome by an event: it stays pending, and its conclusion sends nothing. */
void pending_reply_promise(const char mac[CONTROL_MAC_CHARS + 1]);

/* Answers, if it is such a request that is pending. */
void pending_reply_conclude(enum control_op op, int32_t result);

/* Answers a pending scan with what it found. The list must stay until this returns. */
void pending_reply_conclude_scan(const struct control_ap *list, size_t count);

#endif
