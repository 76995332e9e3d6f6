/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_FRAME_H
#define HOSTED_FRAME_H
/*
 * The 12-byte header in front of everything that crosses the bus, and the fragments of a serial
 * (control path) message. All multi-byte fields are little endian:
 *
 *   0  interface type (low nibble), interface number (high nibble)
 *   1  flags              2  payload length     4  offset of the payload from byte 0
 *   6  checksum           8  sequence number    10 reserved
 *   11 packet type of a private or HCI frame
 *
 * The checksum is the plain sum of all bytes up to the end of the payload, taken with its own field
 * as 0. ESP-Hosted, host/linux/host_driver/esp32 and esp/…/interface.h, is where the format is
 * from.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER_BYTES 12
#define FRAME_MAX_BYTES    1600 /* header, padding and payload: one SPI transaction */

/* A serial message above this is cut into fragments; the last one may be shorter. */
#define FRAME_FRAGMENT_BYTES 1500

#define FRAME_FLAG_MORE_FRAGMENT 0x01

enum frame_interface {
    FRAME_STATION = 0,
    FRAME_ACCESS_POINT = 1,
    FRAME_SERIAL = 2,
    FRAME_HCI = 3,
    FRAME_PRIVATE = 4,
};

struct frame {
    uint8_t interface_type; /* enum frame_interface; a reader may meet others */
    uint8_t interface_number;
    uint8_t flags;
    uint8_t packet_type; /* of private and HCI frames, else 0 */
    uint16_t sequence;   /* of serial frames, else 0 */
    uint16_t length;     /* payload bytes */
    const uint8_t *payload;
};

/*
 * Writes the frame with its checksum, the payload right behind the header, into `buf`. Returns its
 * whole length, or -EMSGSIZE when it does not fit into `size` or FRAME_MAX_BYTES.
 * `frame->payload` may already lie at buf + FRAME_HEADER_BYTES.
 */
int frame_build(const struct frame *frame, uint8_t *buf, size_t size);

/*
 * Reads the frame in `buf`, whose payload may start at any offset from 12 on, as hosts pad. Returns
 * 0, with ret->payload pointing into `buf`, or -EBADMSG, with *ret untouched, for what is no frame:
 * too short, no payload, a length that leaves the buffer, a wrong checksum. The checksum is not
 * looked at where the field is 0 (a peer may have it switched off).
 */
int frame_parse(const uint8_t *buf, size_t len, struct frame *ret);

/* Takes one finished frame; a negative return stops the caller and is handed on. */
typedef int (*frame_sink)(void *ctx, const uint8_t *frame, size_t len);

/*
 * Cuts a serial message into frames and gives them to `sink` in order. Host to ESP32 all fragments
 * of a message carry one sequence number, ESP32 to host each its own (`sequence_step` 0 or 1); the
 * numbers start at *sequence, which is left at the first number of the next message, also when
 * `sink` refused this one half way.
 * Returns 0, -EINVAL for an empty message, or what `sink` returned.
 */
int frame_send_serial(const uint8_t *message, size_t len, unsigned sequence_step,
                      uint16_t *sequence, frame_sink sink, void *ctx);

/* Puts the fragments of one serial message together again: the ESP32's side. */
struct frame_assembly {
    uint8_t *buf; /* the caller's, `size` bytes */
    size_t size;
    size_t len; /* bytes of the message so far */
    uint16_t sequence;
    bool active;   /* a message has begun */
    bool overflow; /* it did not fit; its rest is dropped */
};

void frame_assembly_init(struct frame_assembly *assembly, uint8_t *buf, size_t size);

/*
 * Adds one serial frame. Returns the length of a message that is now whole in assembly->buf (valid
 * until the next call), 0 while fragments are missing, -EMSGSIZE once for a message above `size`,
 * at its last fragment. A fragment with another sequence number begins a new message, and what was
 * there of the old one is lost.
 */
int frame_assembly_add(struct frame_assembly *assembly, const struct frame *fragment);

#endif
