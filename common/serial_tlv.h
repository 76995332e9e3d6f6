/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_SERIAL_TLV_H
#define HOSTED_SERIAL_TLV_H
/*
 * One message of the control path as the control device carries it, both ways:
 *
 *   01 | length u16 | endpoint name | 02 | length u16 | one protobuf message
 *
 * Lengths are little endian, the name has no NUL. There is no checksum and no message number.
 */
#include <stddef.h>
#include <stdint.h>

/* What the ESP32's receive buffer takes, the TLV's own bytes included. */
#define SERIAL_TLV_MAX_BYTES 4096

/* What the host's drivers hold of one message from the ESP32: a long scan list. */
#define SERIAL_TLV_REPLY_MAX_BYTES 8192

/* The ESP32 refuses longer endpoint names. */
#define SERIAL_TLV_NAME_MAX 14

#define SERIAL_TLV_OVERHEAD(name_len) (6 + (name_len))

struct serial_tlv {
    const uint8_t *endpoint;
    size_t endpoint_len;
    const uint8_t *data;
    size_t data_len;
};

/*
 * Writes everything up to the protobuf message, whose `data_len` bytes the caller puts behind it.
 * Returns the bytes written, SERIAL_TLV_OVERHEAD(strlen(endpoint)), or -EMSGSIZE when those and the
 * data do not fit into `size`.
 */
int serial_tlv_head(const char *endpoint, size_t data_len, uint8_t *buf, size_t size);

/*
 * Reads the message at the start of `buf`; a read from a character device may end anywhere.
 * Returns the bytes it takes, with *ret pointing into `buf`; -EAGAIN when more bytes are needed;
 * -EBADMSG when this is not the start of a message, nor ever will be (wrong tag, name longer than
 * SERIAL_TLV_NAME_MAX or empty, no data, more than SERIAL_TLV_REPLY_MAX_BYTES). *ret is written on
 * success only.
 */
int serial_tlv_parse(const uint8_t *buf, size_t len, struct serial_tlv *ret);

#endif
