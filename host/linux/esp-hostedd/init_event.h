/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_INIT_EVENT_H
#define HOSTEDD_INIT_EVENT_H
/* The private frame by which an ESP32 says that it has booted, and what it is. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

struct init_event {
    int chip;         /* as in ESP-IDF's image header; -1: not told */
    int capabilities; /* bits; -1: not told */
    int spi_mhz;      /* -1: not told */

    /* Whether it measures the bus instead of carrying packets. Bit 0: it does, bit 1: it sends;
     * -1: not told. */
    int raw_throughput;
    char firmware[33]; /* "FG-1.0.0.0.0"; empty: not told */
};

/*
 * Whether the frame is an INIT event; *ret is written then only. What cannot be read of it counts
 * as not told: that the ESP32 has booted is true all the same.
 */
bool init_event_parse(const struct frame *frame, struct init_event *ret);

/* "ESP32-S3", or NULL for a chip that this program has not heard of. */
const char *init_event_chip_name(int chip);

#endif
