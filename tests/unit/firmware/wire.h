/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_H
#define WIRE_H
/* Just enough of protobuf's wire format to look at answers without our own messages. */
#include <stddef.h>
#include <stdint.h>

struct wire_field {
    unsigned number;
    uint64_t value;       /* of a number */
    const uint8_t *bytes; /* of the others, else NULL */
    size_t len;
    const uint8_t *begin, *end; /* key and value in the message */
};

/* The field at *at, which moves behind it; ends the test when there is none. */
struct wire_field wire_take(const uint8_t **at, const uint8_t *end);

uint8_t *wire_put_varint(uint8_t *at, uint64_t value);

#endif
