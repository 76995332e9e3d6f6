/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_OBSERVER_H
#define HOSTEDD_OBSERVER_H
/*
 * Looks at what passes from the ESP32 to the tools, and tells from it whether the station is
 * connected. It changes nothing, asks nothing, and what it cannot read it lets pass.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "serial_tlv.h"

enum observer_event {
    OBSERVER_NOTHING = 0,
    OBSERVER_CONNECTED,
    OBSERVER_DISCONNECTED,
};

struct observer {
    uint8_t message[SERIAL_TLV_REPLY_MAX_BYTES];
    size_t len;
    bool overflow; /* too long to be of interest; its rest is skipped */
};

/* The ESP32 has begun anew: half a message will not be completed. */
void observer_reset(struct observer *observer);

/* One serial frame from the ESP32. */
enum observer_event observer_take(struct observer *observer, const struct frame *fragment);

/*
 * Whether the frame begins a message of esp-hosted-mcu, the sister firmware whose hosts are
 * microcontrollers. It numbers the interfaces otherwise: its control path is on 3, HCI here.
 */
bool observer_is_mcu(const struct frame *frame);

/* One decoder per dialect: the protobuf message behind that dialect's endpoint name. */
enum observer_event observer_decode_classic(const uint8_t *data, size_t len);
enum observer_event observer_decode_ctrl(const uint8_t *data, size_t len);

#endif
