/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INIT_EVENT_H
#define INIT_EVENT_H
/* The private INIT event's TLVs, as firmware of each era sends them (struct control_dialect). */
#include "control_message.h"

size_t init_event_put_classic(const struct hosted_control_port *port,
                              uint8_t buf[CONTROL_INIT_MAX_BYTES]);
size_t init_event_put_ctrl(const struct hosted_control_port *port,
                           uint8_t buf[CONTROL_INIT_MAX_BYTES]);

#endif
