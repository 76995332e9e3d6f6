/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRL_PEER_H
#define CTRL_PEER_H
/* Messages of the ctrl dialect, made and taken apart without the product's own code. */
#include <stdbool.h>

#include "peer.h"

enum { CTRL_REPLY = 2, CTRL_EVENT = 3 };

struct ctrl_message {
    int64_t type, id, uid;
    bool has_uid;
    const uint8_t *payload; /* in the message it was taken from */
    size_t payload_len;
};

/* Ends the test when it is none, or not on that endpoint, or has no payload of its number. */
struct ctrl_message ctrl_take(const struct message *message, const char *endpoint);

/* A number in the payload; 0 when it is not there, as the dialect leaves zeros out. */
int64_t ctrl_number(const struct ctrl_message *message, unsigned field);

/* Bytes in the payload; false when they are not there or others than `text`. */
bool ctrl_has_bytes(const struct ctrl_message *message, unsigned field, const void *bytes,
                    size_t len);
bool ctrl_has_text(const struct ctrl_message *message, unsigned field, const char *text);

/* Asks, with that payload in hexadecimal or none (NULL), and takes the one answer apart: its number
 * is the request's + 100, its uid the request's. Ends the test without one. */
struct ctrl_message ctrl_ask(unsigned id, const char *payload);

/* The number in `field` of that answer. */
int64_t ctrl_result(unsigned id, const char *payload, unsigned field);

/* Sends it, and waits for nothing. */
void ctrl_say(unsigned id, const char *payload);

/* The event at that place since they were forgotten; ends the test when it is of another number. */
struct ctrl_message ctrl_event(size_t index, unsigned id);

#endif
