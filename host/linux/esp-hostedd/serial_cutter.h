/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_SERIAL_CUTTER_H
#define HOSTEDD_SERIAL_CUTTER_H
/*
 * Finds again what a pty loses: where one write() of a tool ended and the next began.
 *
 * A message of the control path tells its own length. Bytes that are no message are handed on too,
 * as a driver hands on whatever it is given: up to the next whole message, or once nothing came for
 * SERIAL_CUTTER_QUIET_MS, because a tool's write() may arrive here in pieces.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serial_tlv.h"

#define SERIAL_CUTTER_QUIET_MS 100

struct serial_cutter {
    /* A whole message still fits in behind almost one message's length of other bytes. */
    uint8_t buf[2 * SERIAL_TLV_MAX_BYTES];
    size_t len;
    size_t taken; /* at the start of buf, given out by the last serial_cutter_next() */
};

void serial_cutter_clear(struct serial_cutter *cutter);

/*
 * Where to put new bytes and how many; serial_cutter_added() says how many came. There is room
 * whenever serial_cutter_next() has returned 0.
 */
uint8_t *serial_cutter_room(struct serial_cutter *cutter, size_t *ret_size);
void serial_cutter_added(struct serial_cutter *cutter, size_t len);

/*
 * Bytes of the next message, at most SERIAL_TLV_MAX_BYTES, with *ret valid until the next call on
 * the cutter; or 0. `quiet`: nothing more will come, so hand out what is there.
 */
size_t serial_cutter_next(struct serial_cutter *cutter, bool quiet, const uint8_t **ret);

/* Bytes that wait for more. */
size_t serial_cutter_pending(const struct serial_cutter *cutter);

#endif
