/* SPDX-License-Identifier: Apache-2.0 */
#include "peek.h"

#include "frame.h"
#include "hosted_classic.pb-c.h"
#include "hosted_ctrl.pb-c.h"

/* 01, length, endpoint; 02, length: common/serial_tlv.h. Here the message may go on in the next
 * frame. */
#define TLV_HEAD_BYTES 3

#define WIRE_VARINT 0 /* protobuf */

struct cursor {
    const uint8_t *next, *end;
};

static uint64_t take_varint(struct cursor *in)
{
    uint64_t value = 0;

    for (unsigned shift = 0; in->next < in->end && shift < 64; shift += 7) {
        const uint8_t byte = *in->next++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    return value;
}

/* The number of the request: a number itself, and before everything that is long. -1: none. */
static int64_t take_number(struct cursor *in, unsigned field)
{
    while (in->next < in->end) {
        const uint64_t tag = take_varint(in);
        const uint64_t value = take_varint(in);

        if (tag % 8 != WIRE_VARINT)
            return -1;
        if (tag / 8 == field)
            return (int64_t)value;
    }
    return -1;
}

static bool is_write(enum dialect dialect, const struct frame *frame)
{
    const uint8_t *const bytes = frame->payload;
    const size_t name_len = frame->length < TLV_HEAD_BYTES ? 0 : bytes[1] | (size_t)bytes[2] << 8;
    const size_t at = TLV_HEAD_BYTES + name_len + TLV_HEAD_BYTES;
    struct cursor in = {bytes + at, bytes + frame->length};

    if (at > frame->length)
        return false;
    return dialect == DIALECT_CTRL
               ? take_number(&in, 2) == HOSTED_CTRL__MESSAGE_ID__REQ_OTA_WRITE
               : take_number(&in, 1) == HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_WRITE;
}

bool peek_frame(struct peek *peek, enum dialect dialect, const uint8_t *bytes, size_t len,
                struct bus_frame *ret)
{
    struct frame frame;

    *ret = (struct bus_frame){.bytes = len};
    if (frame_parse(bytes, len, &frame) < 0 || frame.interface_type != FRAME_SERIAL)
        return false;
    ret->is_serial = true;
    ret->begins = !peek->in_message;
    ret->is_write = ret->begins && is_write(dialect, &frame);
    peek->in_message = (frame.flags & FRAME_FLAG_MORE_FRAGMENT) != 0;
    return !peek->in_message;
}
