/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIALECT_CTRL_H
#define DIALECT_CTRL_H
/* The parts of the ctrl dialect: requests are in dialect_ctrl.c, what goes out in the others. */
#include "control_message.h"
#include "hosted_ctrl.pb-c.h"

/* As of struct control_dialect. */
int dialect_ctrl_encode(const struct control_reply *reply, uint8_t *buf, size_t size);
int dialect_ctrl_encode_event(const struct control_event *event, uint8_t *buf, size_t size);

/* Bytes written, or -EMSGSIZE. */
int dialect_ctrl_pack(const HostedCtrl__Message *message, uint8_t *buf, size_t size);

#endif
