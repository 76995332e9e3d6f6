/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_CONTROL_H
#define HOSTED_CONTROL_H
/*
 * Everything between the bus and the chip's own APIs: frames in and out, the control endpoint with
 * its dialects, the Wi-Fi station commands, the update messages, station traffic.
 *
 * Event driven, without a task or a lock of its own: the application calls these functions from one
 * task. Whatever comes in, no frame and no message stops it; what cannot be answered is dropped and
 * counted.
 */
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

/* The dialects of the control path: classic up to February 2022, ctrl since. */
struct control_dialect;
extern const struct control_dialect control_dialect_classic;
extern const struct control_dialect control_dialect_ctrl;

/* The window of a bus with so many receive buffers. A write is three frames at most, and the last
 * one of that which is being written keeps its buffer. */
#define HOSTED_CONTROL_WINDOW(buffers) (1 + ((buffers) - 1) / 3)

/* What the application does for the component. */
struct hosted_control_port {
    /* The one that this firmware speaks: what comes for another's endpoint is dropped. */
    const struct control_dialect *dialect;
    /* Puts one frame (header and payload, at most FRAME_MAX_BYTES) on the bus. The bytes are the
     * caller's and gone after the call. Blocks while the bus is full. */
    void (*send_frame)(void *ctx, const uint8_t *frame, size_t len);
    /* Capability bits and chip of the INIT event (ESP-Hosted, interface.h), 0 where unknown. */
    uint8_t capabilities;
    uint8_t spi_clock_mhz;
    /* How many writes of an update the bus keeps while the flash is written, the one that is being
     * written among them; 0 or 1: the host is to wait for each reply. */
    uint8_t window;
    void *ctx;
};

/* Brings Wi-Fi up as a station and is ready for frames. `port` is copied. Call once after boot. */
esp_err_t hosted_control_start(const struct hosted_control_port *port);

/* Tells the host that the chip has started: the private INIT event, and the dialect's own. */
void hosted_control_send_init(void);

/* One frame from the bus. The bytes are borrowed for the call. */
void hosted_control_on_frame(const uint8_t *frame, size_t len);

/*
 * One event of the base WIFI_EVENT, as the default event loop hands it to a handler. The loop runs
 * in a task of its own: the application brings the event to the task that calls on_frame.
 */
void hosted_control_on_wifi_event(int32_t event_id, const void *event_data);

/* To be called about once a second: what waits for the radio does not wait for ever, and a
 * heartbeat that is due goes out. */
void hosted_control_on_tick(void);

/* One Ethernet frame that the station received: goes to the host. Same task as the others. */
void hosted_control_on_station_rx(const void *ethernet, size_t len);

/* Messages and frames that were dropped since boot. */
struct hosted_control_counters {
    uint32_t bad_frames;   /* no frame, or for an interface that this firmware has not */
    uint32_t bad_messages; /* no endpoint and data, another endpoint, too long */
    uint32_t bad_requests; /* protobuf that does not decode, unknown or unusable request */
};
void hosted_control_get_counters(struct hosted_control_counters *ret);

#endif
