/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_HOST_CHECK_H
#define FUZZ_HOST_CHECK_H
/* What may be relied on in whatever the host library made of a device's words. */
#include "ctrl_msg.h"
#include "hosted/device.h"

void host_check_ap(const struct hosted_ap *ap);
void host_check_identity(const struct hosted_identity *identity);
void host_check_event(const struct hosted_event *event);
void host_check_reply(const struct ctrl_reply *reply);

/* A number that differs where replies do, most likely. */
uint64_t host_digest_reply(const struct ctrl_reply *reply);

#endif
