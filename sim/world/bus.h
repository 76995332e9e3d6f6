/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_BUS_H
#define SIM_BUS_H
/*
 * --bus SOCKET: the chip's SPI, seen from outside. A Unix SOCK_SEQPACKET socket, one packet one
 * frame, one client; further ones are closed at once. The client stays over resets of the chip.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bus {
    int listener;
    int client; /* -1: nobody */
};

/* Returns 0 or -errno. */
int bus_listen(struct bus *bus, const char *path);

/* Takes whoever knocked. Returns true when that is the new client. */
bool bus_accept(struct bus *bus);

/*
 * The next packet of the client, at most `size` bytes (what is longer is no frame and comes as 0).
 * Returns its length; 0 for one to be ignored; -EAGAIN when there is none; -EPIPE when the client
 * is gone.
 */
int bus_receive(struct bus *bus, uint8_t *buf, size_t size);

/* Drops the frame when nobody is there or nobody reads: never waits. */
void bus_send(const struct bus *bus, const uint8_t *frame, size_t len);

/* Whether a burst of frames would still fit; false as long as the client does not keep up. */
bool bus_has_room(const struct bus *bus);

/* Whether the client has taken all that was sent; true without a client. */
bool bus_is_drained(const struct bus *bus);

#endif
