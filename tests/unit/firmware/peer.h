/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEER_H
#define PEER_H
/* The host at the other end of the bus, and the firmware started as main/ starts it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "air.h"
#include "serial_tlv.h"

/* A whole message of the control path: endpoint, data, protobuf. */
struct message {
    uint8_t bytes[SERIAL_TLV_MAX_BYTES];
    size_t len;
};

/* After board_make(). It speaks classic. */
void peer_start_firmware(void);

/* The same firmware, built for the ctrl dialect. The functions below then speak that, but for those
 * that look at numbers of classic messages. */
void peer_start_ctrl_firmware(void);

/* Adds an access point to the air. "" is no password; the channel is 6, the last byte of the
 * address counts up from 1. */
struct air_ap *peer_put_up(const char *ssid, const char *password, int8_t rssi);

/* One frame to the firmware, as the bus brings it. */
void peer_send_frame(const uint8_t *frame, size_t len);

/* One message in fragments; the firmware may answer, or not. */
void peer_send(const uint8_t *bytes, size_t len);

/* The protobuf message with endpoint and data around it. */
void peer_send_request(const char *endpoint, const uint8_t *protobuf, size_t len);

/* What the radio and the event loop do by themselves. */
void peer_settle(void);

/* Sends on the dialect's endpoint, settles, and gives the one answer; NULL when there was none.
 * Ends the test when there was more than one. */
const struct message *peer_ask(const uint8_t *protobuf, size_t len);

/* Hexadecimal, spaces allowed. */
const struct message *peer_ask_hex(const char *hex);

/* The `resp` of the answer; ends the test without one, or when its number is not the request's
 * + 1 or its payload not in that message's field. `field` is where `resp` is. */
int64_t peer_result(const char *hex, unsigned field);

/* A request that everybody can answer is answered. */
void peer_check_alive(void);

/* Answers since the last look, the last of them in *ret. */
size_t peer_take_answers(struct message *ret);

/* Events since they were last forgotten, which have an endpoint of their own. */
#define PEER_MAX_EVENTS 64
extern struct message peer_events[PEER_MAX_EVENTS];
extern size_t peer_event_count;

/* The last frame that was no serial one, and how many there were. */
extern uint8_t peer_frame[1600];
extern size_t peer_frame_len, peer_frames;

/* Bytes of a hexadecimal text; returns how many. */
size_t peer_unhex(const char *hex, uint8_t *ret, size_t size);

#endif
