/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_BUS_H
#define HOSTEDD_BUS_H
/*
 * What carries frames between this host and the ESP32. No call blocks.
 *
 * A bus embeds this structure as its first member. It may be opened and closed any number of times;
 * between the two the link is up. After a call that says that the link is lost, close() is next.
 */
#include <stddef.h>
#include <stdint.h>

struct bus;

struct bus_ops {
    /* 0, or -errno while the other side is away; then try again later. */
    int (*open)(struct bus *bus);

    /* Readable when a frame may be there, writable when send() may take one. While open only. */
    int (*fd)(const struct bus *bus);

    /* 0; -EAGAIN when it must wait for writability; anything else: the link is lost. */
    int (*send)(struct bus *bus, const uint8_t *frame, size_t len);

    /* Bytes of one frame; -EAGAIN when there is none; anything else: the link is lost. */
    int (*receive)(struct bus *bus, uint8_t *buf, size_t size);

    void (*close)(struct bus *bus);
};

struct bus {
    const struct bus_ops *ops;
};

#endif
