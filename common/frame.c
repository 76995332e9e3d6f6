/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <errno.h>
#include <string.h>

enum {
    AT_INTERFACE = 0,
    AT_FLAGS = 1,
    AT_LENGTH = 2,
    AT_OFFSET = 4,
    AT_CHECKSUM = 6,
    AT_SEQUENCE = 8,
    AT_RESERVED = 10,
    AT_PACKET_TYPE = 11,
};

static void put_le16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value & 0xff);
    at[1] = (uint8_t)(value >> 8 & 0xff);
}

static uint16_t get_le16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint16_t sum_without_checksum(const uint8_t *frame, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += frame[i];
    return (uint16_t)(sum - frame[AT_CHECKSUM] - frame[AT_CHECKSUM + 1]);
}

int frame_build(const struct frame *frame, uint8_t *buf, size_t size)
{
    const size_t whole = FRAME_HEADER_BYTES + (size_t)frame->length;

    if (whole > size || whole > FRAME_MAX_BYTES)
        return -EMSGSIZE;
    if (frame->length > 0)
        memmove(buf + FRAME_HEADER_BYTES, frame->payload, frame->length);

    buf[AT_INTERFACE] =
        (uint8_t)((frame->interface_type & 0x0f) | (frame->interface_number & 0x0f) << 4);
    buf[AT_FLAGS] = frame->flags;
    put_le16(buf + AT_LENGTH, frame->length);
    put_le16(buf + AT_OFFSET, FRAME_HEADER_BYTES);
    put_le16(buf + AT_CHECKSUM, 0);
    put_le16(buf + AT_SEQUENCE, frame->sequence);
    buf[AT_RESERVED] = 0;
    buf[AT_PACKET_TYPE] = frame->packet_type;
    put_le16(buf + AT_CHECKSUM, sum_without_checksum(buf, whole));
    return (int)whole;
}

int frame_parse(const uint8_t *buf, size_t len, struct frame *ret)
{
    if (len < FRAME_HEADER_BYTES)
        return -EBADMSG;

    const size_t length = get_le16(buf + AT_LENGTH);
    const size_t offset = get_le16(buf + AT_OFFSET);
    const uint16_t checksum = get_le16(buf + AT_CHECKSUM);

    if (length == 0 || offset < FRAME_HEADER_BYTES || offset + length > len)
        return -EBADMSG;
    if (checksum != 0 && checksum != sum_without_checksum(buf, offset + length))
        return -EBADMSG;

    *ret = (struct frame){
        .interface_type = buf[AT_INTERFACE] & 0x0f,
        .interface_number = buf[AT_INTERFACE] >> 4,
        .flags = buf[AT_FLAGS],
        .packet_type = buf[AT_PACKET_TYPE],
        .sequence = get_le16(buf + AT_SEQUENCE),
        .length = (uint16_t)length,
        .payload = buf + offset,
    };
    return 0;
}

int frame_send_serial(const uint8_t *message, size_t len, unsigned sequence_step,
                      uint16_t *sequence, frame_sink sink, void *ctx)
{
    uint8_t buf[FRAME_HEADER_BYTES + FRAME_FRAGMENT_BYTES];
    int rc = 0;

    if (len == 0)
        return -EINVAL;
    while (len > 0 && rc >= 0) {
        const bool last = len <= FRAME_FRAGMENT_BYTES;
        const struct frame frame = {
            .interface_type = FRAME_SERIAL,
            .flags = last ? 0 : FRAME_FLAG_MORE_FRAGMENT,
            .sequence = *sequence,
            .length = (uint16_t)(last ? len : FRAME_FRAGMENT_BYTES),
            .payload = message,
        };
        const int whole = frame_build(&frame, buf, sizeof(buf));

        rc = sink(ctx, buf, (size_t)whole);
        message += frame.length;
        len -= frame.length;
        /* A message that ends here, whole or not, lends its number to no other. */
        *sequence = (uint16_t)(*sequence + (last || rc < 0 ? 1 : sequence_step));
    }
    return rc < 0 ? rc : 0;
}

void frame_assembly_init(struct frame_assembly *assembly, uint8_t *buf, size_t size)
{
    *assembly = (struct frame_assembly){.buf = buf, .size = size};
}

int frame_assembly_add(struct frame_assembly *assembly, const struct frame *fragment)
{
    if (!assembly->active || fragment->sequence != assembly->sequence) {
        assembly->active = true;
        assembly->overflow = false;
        assembly->len = 0;
        assembly->sequence = fragment->sequence;
    }

    if (fragment->length > assembly->size - assembly->len)
        assembly->overflow = true;
    if (!assembly->overflow) {
        memcpy(assembly->buf + assembly->len, fragment->payload, fragment->length);
        assembly->len += fragment->length;
    }

    if (fragment->flags & FRAME_FLAG_MORE_FRAGMENT)
        return 0;
    assembly->active = false;
    return assembly->overflow ? -EMSGSIZE : (int)assembly->len;
}
