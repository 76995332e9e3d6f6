/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What esp-hostedd reads of the frames that it hands on: the observer and the INIT event.
 * Input: records of u8 interface and packet type, u8 flags, u16 length and so many bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "fuzz.h"
#include "init_event.h"
#include "observer.h"

static void check_init(const struct frame *frame)
{
    struct init_event event;

    if (!init_event_parse(frame, &event))
        return;
    REQUIRE(frame->interface_type == FRAME_PRIVATE);
    REQUIRE(event.chip >= -1 && event.chip <= UINT8_MAX);
    REQUIRE(event.capabilities >= -1 && event.capabilities <= UINT8_MAX);
    REQUIRE(event.spi_mhz >= -1 && event.spi_mhz <= UINT8_MAX);
    REQUIRE(event.raw_throughput >= -1 && event.raw_throughput <= UINT8_MAX);
    REQUIRE(fuzz_is_printable(event.firmware, sizeof(event.firmware)));
    if (event.chip >= 0 && init_event_chip_name(event.chip) != NULL)
        REQUIRE(init_event_chip_name(event.chip)[0] == 'E');
}

/* It is the same message in one frame or in several. */
static void check_fragments(const struct frame *whole)
{
    struct observer *observer = calloc(1, sizeof(*observer));
    struct frame fragment = *whole;

    REQUIRE(observer != NULL);
    fragment.flags &= (uint8_t)~FRAME_FLAG_MORE_FRAGMENT;

    const enum observer_event event = observer_take(observer, &fragment);

    REQUIRE(event <= OBSERVER_DISCONNECTED);
    fragment.flags |= FRAME_FLAG_MORE_FRAGMENT;
    fragment.length = (uint16_t)(whole->length / 2);
    REQUIRE(observer_take(observer, &fragment) == OBSERVER_NOTHING);
    fragment.flags = 0;
    fragment.payload += fragment.length;
    fragment.length = (uint16_t)(whole->length - fragment.length);
    REQUIRE(observer_take(observer, &fragment) == event);
    free(observer);
}

static void look_at(struct observer *observer, const struct frame *frame)
{
    check_init(frame);
    observer_is_mcu(frame);
    if (frame->interface_type != FRAME_SERIAL)
        return;
    check_fragments(frame);
    observer_take(observer, frame);
    REQUIRE(observer->len <= sizeof(observer->message));
    REQUIRE((frame->flags & FRAME_FLAG_MORE_FRAGMENT) || observer->len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct observer *observer = calloc(1, sizeof(*observer));

    REQUIRE(observer != NULL);
    while (input.left > 0) {
        const uint8_t types = fuzz_take_u8(&input);
        const uint8_t flags = fuzz_take_u8(&input);
        size_t len = fuzz_take_le16(&input);
        uint8_t *payload = fuzz_take_copy(&input, &len);
        const struct frame frame = {
            .interface_type = types & 0x0f,
            .packet_type = types >> 4,
            .flags = flags,
            .length = (uint16_t)len,
            .payload = payload,
        };

        if (len > 0) /* others are no frames */
            look_at(observer, &frame);
        free(payload);
    }
    free(observer);
    return 0;
}
