/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_DEVICE_H
#define FUZZ_DEVICE_H
/*
 * The firmware's components, on the simulator's ESP-IDF calls. The firmware cannot be started anew
 * within a process: after each input it is asked, over its own control path, to be again as it was,
 * and must answer.
 *
 * Input: records of u8 kind (enum device_record), u16 length and so many bytes.
 */
#include "fuzz.h"

enum device_record {
    DEVICE_FRAME,   /* a frame off the bus, with its checksum or without */
    DEVICE_MESSAGE, /* a serial message, which comes in as many frames as it needs */
    DEVICE_REQUEST, /* protobuf, for the endpoint of the dialect */
    DEVICE_SETTLE,  /* the radio does what it was asked for; no bytes */
    DEVICE_TIME,    /* u8 seconds pass, with a tick at the end of each */
    DEVICE_STATION, /* an Ethernet frame from the access point */
    DEVICE_INIT,    /* the INIT event goes out; no bytes */
    DEVICE_RECORDS
};

/* What the dialects have of their own. */
struct device_dialect {
    const char *endpoint;
    void (*start)(void);
    const char *const *restore; /* requests in hexadecimal, each answered; NULL ends them */
};

void device_run(const struct device_dialect *dialect, const uint8_t *data, size_t size);

#endif
