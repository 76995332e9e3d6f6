/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_ENDPOINT_H
#define CONTROL_ENDPOINT_H
/*
 * The control endpoint: serial frames to requests, requests to handlers, replies to serial frames.
 *
 * A request whose outcome takes time (connect, scan) is answered later; others are handled
 * meanwhile, and a second one of that kind is refused. Nothing that comes in stops the endpoint.
 */
#include "control_message.h"
#include "frame.h"
#include "hosted_control.h"

/* `sink` takes the frames of every reply and event. */
void control_endpoint_init(const struct control_dialect *dialect, frame_sink sink, void *ctx);

/* One frame of the serial interface. */
void control_endpoint_on_frame(const struct frame *frame, struct hosted_control_counters *counters);

/* Answers. The first reply that went out confirms a firmware that is on probation. */
void control_endpoint_reply(const struct control_reply *reply);

/* Tells the host, if the dialect has events. */
void control_endpoint_notify(const struct control_event *event);

#endif
