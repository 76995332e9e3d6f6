/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames off the bus: frame_parse(), and the assembly of what they carry.
 * Input: records of u16 length and so many bytes as a frame. Bit 15 of the length: the checksum is
 * set right first, which no fuzzer would guess.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "fuzz.h"

#define CHECKSUM_AT 6
#define ROOM        4096 /* what the firmware has for a message */

static void set_checksum(uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;

    if (len < FRAME_HEADER_BYTES)
        return;

    const size_t end = (size_t)(bytes[2] | bytes[3] << 8) + (size_t)(bytes[4] | bytes[5] << 8);

    bytes[CHECKSUM_AT] = bytes[CHECKSUM_AT + 1] = 0;
    for (size_t i = 0; i < len && i < end; i++)
        sum += bytes[i];
    bytes[CHECKSUM_AT] = (uint8_t)sum;
    bytes[CHECKSUM_AT + 1] = (uint8_t)(sum >> 8);
}

/* What was read is what would be written, but for padding and fields without a meaning. */
static void check_frame(const struct frame *frame, const uint8_t *bytes, size_t len)
{
    uint8_t built[FRAME_MAX_BYTES];
    struct frame again;

    REQUIRE(frame->length > 0);
    REQUIRE(frame->payload >= bytes + FRAME_HEADER_BYTES);
    REQUIRE(frame->payload + frame->length <= bytes + len);

    const int whole = frame_build(frame, built, sizeof(built));

    if (FRAME_HEADER_BYTES + (size_t)frame->length > sizeof(built)) {
        REQUIRE(whole == -EMSGSIZE);
        return;
    }
    REQUIRE(whole == FRAME_HEADER_BYTES + frame->length);
    REQUIRE(frame_parse(built, (size_t)whole, &again) == 0);
    REQUIRE(again.interface_type == frame->interface_type);
    REQUIRE(again.interface_number == frame->interface_number);
    REQUIRE(again.flags == frame->flags && again.packet_type == frame->packet_type);
    REQUIRE(again.sequence == frame->sequence && again.length == frame->length);
    REQUIRE(memcmp(again.payload, frame->payload, frame->length) == 0);
}

static void add(struct frame_assembly *assembly, const struct frame *frame)
{
    const int len = frame_assembly_add(assembly, frame);

    if (frame->flags & FRAME_FLAG_MORE_FRAGMENT) {
        REQUIRE(len == 0);
        return;
    }
    REQUIRE(len == -EMSGSIZE || (len >= frame->length && len <= ROOM));
    if (len > 0)
        REQUIRE(memcmp(assembly->buf + len - frame->length, frame->payload, frame->length) == 0);
}

static int add_one(void *ctx, const uint8_t *bytes, size_t len)
{
    struct frame frame;

    REQUIRE(frame_parse(bytes, len, &frame) == 0);
    return frame_assembly_add(ctx, &frame);
}

/* Any bytes as a message, there and back, whatever is left of another. */
static void send_through(struct frame_assembly *assembly, const uint8_t *message, size_t len)
{
    const uint8_t *const room = assembly->buf;
    uint16_t sequence = (uint16_t)(assembly->sequence + 1);

    if (len == 0 || len > ROOM)
        return;
    REQUIRE(frame_send_serial(message, len, 0, &sequence, add_one, assembly) == 0);
    REQUIRE(!assembly->active && assembly->len == len && memcmp(room, message, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint8_t *room = fuzz_copy((const uint8_t[ROOM]){0}, ROOM);
    struct frame_assembly assembly;

    frame_assembly_init(&assembly, room, ROOM);
    while (input.left > 0) {
        const uint16_t head = fuzz_take_le16(&input);
        size_t len = head & 0x7fff;
        uint8_t *bytes = fuzz_take_copy(&input, &len);
        struct frame frame;

        if (head & 0x8000)
            set_checksum(bytes, len);
        if (frame_parse(bytes, len, &frame) == 0) {
            check_frame(&frame, bytes, len);
            add(&assembly, &frame);
        }
        free(bytes);
    }
    send_through(&assembly, data, size);
    free(room);
    return 0;
}
