/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

/* A capture of upstream's INIT event: its checksum is right. */
static const uint8_t init_event[] = {0x04, 0x00, 0x0b, 0x00, 0x0c, 0x00, 0xb5, 0x00,
                                     0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x02, 0x01,
                                     0x05, 0x01, 0x01, 0x1e, 0x00, 0x01, 0x68};

static void a_captured_frame_reads_and_builds(void **state)
{
    struct frame frame;
    uint8_t buf[sizeof(init_event)];

    (void)state;
    assert_int_equal(frame_parse(init_event, sizeof(init_event), &frame), 0);
    assert_int_equal(frame.interface_type, FRAME_PRIVATE);
    assert_int_equal(frame.length, 11);
    assert_int_equal(frame_build(&frame, buf, sizeof(buf)), sizeof(buf));
    assert_memory_equal(buf, init_event, sizeof(buf));
    assert_int_equal(frame_build(&frame, buf, sizeof(buf) - 1), -EMSGSIZE);
}

static void every_flipped_bit_of_a_payload_is_seen(void **state)
{
    struct frame frame;
    uint8_t buf[sizeof(init_event)];

    (void)state;
    for (size_t bit = FRAME_HEADER_BYTES * 8; bit < sizeof(buf) * 8; bit++) {
        memcpy(buf, init_event, sizeof(buf));
        buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(frame_parse(buf, sizeof(buf), &frame), -EBADMSG);
    }
    for (size_t len = 0; len < sizeof(buf); len++)
        assert_int_equal(frame_parse(init_event, len, &frame), -EBADMSG);
}

static int assemble(void *ctx, const uint8_t *bytes, size_t len)
{
    struct frame frame;

    assert_int_equal(frame_parse(bytes, len, &frame), 0);
    *(int *)((void **)ctx)[1] = frame_assembly_add(((void **)ctx)[0], &frame);
    return 0;
}

static void messages_of_every_length_come_together_again(void **state)
{
    static const size_t lengths[] = {1, 1499, 1500, 1501, 3000, 4030, 4096};
    static uint8_t message[4097], buf[4096];
    struct frame_assembly assembly;
    uint16_t sequence = 0xffff;
    int whole = 0;
    void *ctx[] = {&assembly, &whole};

    (void)state;
    frame_assembly_init(&assembly, buf, sizeof(buf));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        memset(message, (int)i + 1, sizeof(message));
        assert_int_equal(frame_send_serial(message, lengths[i], 0, &sequence, assemble, ctx), 0);
        assert_int_equal(whole, lengths[i]);
        assert_memory_equal(buf, message, lengths[i]);
    }
    assert_int_equal(frame_send_serial(message, 4097, 0, &sequence, assemble, ctx), 0);
    assert_int_equal(whole, -EMSGSIZE);
    assert_int_equal(frame_send_serial(message, 0, 0, &sequence, assemble, ctx), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_captured_frame_reads_and_builds),
        cmocka_unit_test(every_flipped_bit_of_a_payload_is_seen),
        cmocka_unit_test(messages_of_every_length_come_together_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
