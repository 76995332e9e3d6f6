/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTENDED_ESP32_H
#define EXTENDED_ESP32_H
/*
 * A link with an ESP32 at its end that speaks the extension and keeps what it is sent;
 * a test may have it answer otherwise than good firmware would. As in fake_esp32.h waits take no
 * time, but the library's clock shows that they did.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device_internal.h"
#include "hosted_extension.pb-c.h"
#include "link.h"

#define EXTENDED_SLOT_BYTES (1 << 20)
#define EXTENDED_KEPT       512

#define EXTENDED_PLAIN (-1) /* an answer as of stock firmware */

struct extended_write {
    uint32_t offset, run_end, len;
};

struct extended_digests {
    uint32_t offset, block, count, end;
};

struct extended_esp32 {
    struct link link;
    bool ctrl;         /* its dialect, in which replies have numbers; else it is classic */
    uint32_t features; /* HOSTED_CAN_... */
    uint32_t window;   /* that it grants, if the feature is there */
    uint8_t slot[EXTENDED_SLOT_BYTES];
    bool open;       /* an update is */
    uint32_t next;   /* of it */
    uint32_t erased; /* up to here, as far ahead as it may */
    /*
     * Called with each request of the extension and the reply that good firmware would give, which
     * it may change. Returns how often that goes out: 1; 0, it is lost; 2, it comes twice; or
     * EXTENDED_PLAIN. NULL: all is well.
     */
    int (*on)(struct extended_esp32 *fake, const HostedExtension__Request *request,
              HostedExtension__Reply *reply);
    /* Whether a request of the extension arrives at all. NULL: all do. */
    bool (*arrives)(struct extended_esp32 *fake, const HostedExtension__Request *request);
    unsigned sent[HOSTED_EXTENSION__REQUEST__WHAT_ROLLBACK + 1]; /* that it was asked about */
    /* What has come in, by HostedExtension__Request__WhatCase; plain questions who is there. */
    unsigned seen[HOSTED_EXTENSION__REQUEST__WHAT_ROLLBACK + 1];
    unsigned questions;
    struct extended_write writes[EXTENDED_KEPT];
    struct extended_digests digests[EXTENDED_KEPT];
    char log[4096]; /* what the library said, a line each */

    uint8_t queue[65536]; /* a receive takes one message of it */
    size_t queued;
    unsigned out;      /* writes whose answer was not taken, or is lost */
    unsigned most_out; /* that they ever were */
};

struct extended_esp32 *extended_new(void);
void extended_free(struct extended_esp32 *fake);

/* Closed with hosted_close() before extended_free(). */
struct hosted_device *extended_device(struct extended_esp32 *fake);

#endif
