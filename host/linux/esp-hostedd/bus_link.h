/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_BUS_LINK_H
#define HOSTEDD_BUS_LINK_H
/*
 * The bus with what it lacks: it connects again and again, and frames wait while it is busy or
 * away.
 *
 * Control messages that wait outlive a loss of the link, so that a tool may ask while the ESP32
 * still boots; a message that is half sent does not. Times are of CLOCK_MONOTONIC, in milliseconds.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "frame.h"
#include "frame_queue.h"

struct bus_link {
    struct bus *bus; /* borrowed */
    bool up;
    uint64_t retry_at_ms;   /* while it is down */
    unsigned backoff_ms;    /* the next pause */
    uint16_t sequence;      /* of the next control message */
    uint64_t lost_messages; /* control messages that found the queue full */
    uint64_t bad_frames;
    struct frame_queue queue;
    uint8_t received[FRAME_MAX_BYTES];
};

void bus_link_init(struct bus_link *link, struct bus *bus);

/* Tries to connect when it is time to. True when the link has come up by this call. */
bool bus_link_connect(struct bus_link *link, uint64_t now_ms);

/* Closes the bus and lets connecting begin again after a pause. */
void bus_link_drop(struct bus_link *link, uint64_t now_ms);

/* Whether a control message of any size can be taken whole. */
bool bus_link_has_room(const struct bus_link *link);

/*
 * Both put frames into the queue, for bus_link_pump() to send: a control message in its fragments,
 * or one Ethernet frame. 0, or -ENOBUFS when there is no room.
 */
int bus_link_queue_message(struct bus_link *link, const uint8_t *message, size_t len);
int bus_link_queue_ethernet(struct bus_link *link, const uint8_t *packet, size_t len);

/* Sends what waits, as far as the bus takes it. 0, or -errno when the link is lost. */
int bus_link_pump(struct bus_link *link);

/*
 * Gives the next good frame, which lies in link->received: 1 with *ret, 0 when none is there, or
 * -errno when the link is lost.
 */
int bus_link_receive(struct bus_link *link, struct frame *ret);

#endif
