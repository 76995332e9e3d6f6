/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "noise.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define MESSAGE_MAX    10000
#define ASSEMBLY_BYTES 4096

/* The INIT event of an ESP32-C3 with capabilities 0x68. */
static const uint8_t init_event[] = {0x04, 0x00, 0x0b, 0x00, 0x0c, 0x00, 0xb5, 0x00,
                                     0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x02, 0x01,
                                     0x05, 0x01, 0x01, 0x1e, 0x00, 0x01, 0x68};

static void the_init_event_is_read(void **state)
{
    (void)state;
    struct frame frame;

    assert_int_equal(frame_parse(init_event, sizeof(init_event), &frame), 0);
    assert_int_equal(frame.interface_type, FRAME_PRIVATE);
    assert_int_equal(frame.interface_number, 0);
    assert_int_equal(frame.flags, 0);
    assert_int_equal(frame.packet_type, 0);
    assert_int_equal(frame.sequence, 0);
    assert_int_equal(frame.length, 11);
    assert_ptr_equal(frame.payload, init_event + FRAME_HEADER_BYTES);
}

static void the_init_event_is_written(void **state)
{
    (void)state;
    const struct frame frame = {
        .interface_type = FRAME_PRIVATE,
        .length = 11,
        .payload = init_event + FRAME_HEADER_BYTES,
    };
    uint8_t buf[sizeof(init_event)];

    assert_int_equal(frame_build(&frame, buf, sizeof(buf)), sizeof(init_event));
    assert_memory_equal(buf, init_event, sizeof(init_event));
}

static void every_field_has_its_place(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0xa3, 0x05, 0x02, 0x00, 0x0c, 0x00, 0xac,
                                       0x02, 0x34, 0x12, 0x00, 0x77, 0xff, 0x3a};
    const struct frame in = {
        .interface_type = FRAME_HCI,
        .interface_number = 0xa,
        .flags = 0x05,
        .packet_type = 0x77,
        .sequence = 0x1234,
        .length = 2,
        .payload = (const uint8_t *)"\xff\x3a",
    };
    uint8_t buf[sizeof(expected)];
    struct frame out;

    assert_int_equal(frame_build(&in, buf, sizeof(buf)), sizeof(expected));
    assert_memory_equal(buf, expected, sizeof(expected));
    assert_int_equal(frame_parse(buf, sizeof(buf), &out), 0);
    assert_int_equal(out.interface_type, in.interface_type);
    assert_int_equal(out.interface_number, in.interface_number);
    assert_int_equal(out.flags, in.flags);
    assert_int_equal(out.packet_type, in.packet_type);
    assert_int_equal(out.sequence, in.sequence);
    assert_int_equal(out.length, in.length);
    assert_memory_equal(out.payload, in.payload, 2);
}

static void a_frame_fits_or_is_not_written(void **state)
{
    (void)state;
    uint8_t payload[FRAME_MAX_BYTES] = {0};
    uint8_t buf[FRAME_MAX_BYTES + 1];
    struct frame frame = {.payload = payload, .length = FRAME_MAX_BYTES - FRAME_HEADER_BYTES};

    assert_int_equal(frame_build(&frame, buf, sizeof(buf)), FRAME_MAX_BYTES);
    assert_int_equal(frame_build(&frame, buf, FRAME_MAX_BYTES), FRAME_MAX_BYTES);
    assert_int_equal(frame_build(&frame, buf, FRAME_MAX_BYTES - 1), -EMSGSIZE);
    frame.length++;
    assert_int_equal(frame_build(&frame, buf, sizeof(buf)), -EMSGSIZE);
    frame.length = UINT16_MAX;
    assert_int_equal(frame_build(&frame, buf, sizeof(buf)), -EMSGSIZE);
    frame.length = 1;
    assert_int_equal(frame_build(&frame, buf, FRAME_HEADER_BYTES), -EMSGSIZE);
    assert_int_equal(frame_build(&frame, buf, 0), -EMSGSIZE);
}

static void a_payload_may_be_in_place(void **state)
{
    (void)state;
    uint8_t buf[64];
    const struct frame frame = {.length = 5, .payload = buf + FRAME_HEADER_BYTES};
    struct frame out;

    memcpy(buf + FRAME_HEADER_BYTES, "hello", 5);
    assert_int_equal(frame_build(&frame, buf, sizeof(buf)), FRAME_HEADER_BYTES + 5);
    assert_int_equal(frame_parse(buf, FRAME_HEADER_BYTES + 5, &out), 0);
    assert_memory_equal(out.payload, "hello", 5);
}

static uint16_t sum_of(const uint8_t *bytes, size_t len)
{
    unsigned sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += bytes[i];
    return (uint16_t)sum;
}

static void seal(uint8_t *frame, size_t len)
{
    frame[6] = 0;
    frame[7] = 0;

    const uint16_t sum = sum_of(frame, len);

    frame[6] = (uint8_t)sum;
    frame[7] = (uint8_t)(sum >> 8);
}

/* Hosts pad between header and payload, and the padding counts in the checksum. */
static void a_payload_starts_where_its_offset_says(void **state)
{
    (void)state;

    for (uint8_t offset = FRAME_HEADER_BYTES; offset <= 16; offset++) {
        uint8_t buf[16 + 3 + 4] = {FRAME_STATION, 0, 3, 0, offset};
        struct frame frame = {0};

        memset(buf + FRAME_HEADER_BYTES, 0xee, sizeof(buf) - FRAME_HEADER_BYTES);
        memcpy(buf + offset, "abc", 3);
        seal(buf, offset + 3u);
        assert_int_equal(frame_parse(buf, sizeof(buf), &frame), 0); /* a tail is no part of it */
        assert_int_equal(frame_parse(buf, offset + 3u, &frame), 0);
        assert_int_equal(frame.length, 3);
        assert_ptr_equal(frame.payload, buf + offset);
        assert_int_equal(frame_parse(buf, offset + 2u, &frame), -EBADMSG);
        if (offset > FRAME_HEADER_BYTES) {
            buf[FRAME_HEADER_BYTES] ^= 0x01;
            assert_int_equal(frame_parse(buf, sizeof(buf), &frame), -EBADMSG);
        }
    }
}

static void what_is_no_frame(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t length, offset;
    } cases[] = {
        {"no payload", 0, 12},
        {"payload in the header", 11, 11},
        {"payload at the beginning", 11, 0},
        {"one byte too many", 12, 12},
        {"one byte too far", 11, 13},
        {"longest", UINT16_MAX, 12},
        {"farthest", 11, UINT16_MAX},
        {"both", UINT16_MAX, UINT16_MAX},
    };
    const struct frame untouched = {.length = 0x55};
    struct frame frame = untouched;

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t buf[sizeof(init_event)];

        memcpy(buf, init_event, sizeof(buf));
        buf[2] = (uint8_t)cases[i].length;
        buf[3] = (uint8_t)(cases[i].length >> 8);
        buf[4] = (uint8_t)cases[i].offset;
        buf[5] = (uint8_t)(cases[i].offset >> 8);
        seal(buf, sizeof(buf));
        assert_int_equal(frame_parse(buf, sizeof(buf), &frame), -EBADMSG);
        buf[6] = 0;
        buf[7] = 0; /* nor without a checksum */
        assert_int_equal(frame_parse(buf, sizeof(buf), &frame), -EBADMSG);
    }
    for (size_t len = 0; len < sizeof(init_event); len++) {
        uint8_t *copy = malloc(len > 0 ? len : 1); /* the sanitizer watches its end */

        assert_non_null(copy);
        memcpy(copy, init_event, len);
        assert_int_equal(frame_parse(copy, len, &frame), -EBADMSG);
        free(copy);
    }
    assert_memory_equal(&frame, &untouched, sizeof(frame));
}

static void the_checksum_is_looked_at_where_there_is_one(void **state)
{
    (void)state;
    uint8_t buf[sizeof(init_event)];
    struct frame frame;

    memcpy(buf, init_event, sizeof(buf));
    for (size_t bit = 0; bit < sizeof(buf) * 8; bit++) {
        buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(frame_parse(buf, sizeof(buf), &frame), -EBADMSG);
        buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    buf[6] = 0;
    buf[7] = 0;
    assert_int_equal(frame_parse(buf, sizeof(buf), &frame), 0);
    buf[sizeof(buf) - 1] ^= 0xff;
    assert_int_equal(frame_parse(buf, sizeof(buf), &frame), 0);
}

/* The sum of a full frame of 0xff is above 65535. */
static void the_checksum_wraps(void **state)
{
    (void)state;
    uint8_t buf[FRAME_MAX_BYTES];
    const struct frame in = {.length = 1588, .payload = buf + FRAME_HEADER_BYTES};
    struct frame out;

    memset(buf, 0xff, sizeof(buf));
    assert_int_equal(frame_build(&in, buf, sizeof(buf)), FRAME_MAX_BYTES);
    /* 1588 = 0x0634 and 12 in the header; 1588 * 255 */
    assert_int_equal(buf[6] | buf[7] << 8, (0x06 + 0x34 + 12 + 1588 * 255) & 0xffff);
    assert_int_equal(frame_parse(buf, sizeof(buf), &out), 0);
}

static void noise(void **state)
{
    (void)state;
    uint32_t random = 0x9e3779b9;
    size_t accepted = 0;

    for (int round = 0; round < 200000; round++) {
        const size_t len = noise_below(&random, 40);
        uint8_t *bytes = malloc(len > 0 ? len : 1);
        struct frame frame;

        assert_non_null(bytes);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)noise_next(&random);
        if (len >= FRAME_HEADER_BYTES && round % 2 == 0) {
            bytes[2] %= 32;
            bytes[3] = 0;
            bytes[4] %= 32;
            bytes[5] = 0;
            bytes[6] = 0;
            bytes[7] = 0;
        }
        if (frame_parse(bytes, len, &frame) == 0) {
            accepted++;
            assert_true(frame.length > 0);
            assert_true(frame.payload >= bytes + FRAME_HEADER_BYTES);
            assert_true(frame.payload + frame.length <= bytes + len);
        }
        free(bytes);
    }
    assert_true(accepted > 1000);
}

/* ---- serial messages ---- */

/* What frame_send_serial() gave out. */
struct sent {
    size_t count;
    size_t fail_at; /* the sink refuses this frame, and wants no other; 0: never */
    bool refused;
    uint16_t length[16];
    uint16_t sequence[16];
    uint8_t bytes[16][FRAME_MAX_BYTES];
};

static struct sent s_sent;
static uint8_t s_message[MESSAGE_MAX];
static uint8_t s_buffer[ASSEMBLY_BYTES];

static int collect(void *ctx, const uint8_t *bytes, size_t len)
{
    struct sent *sent = ctx;
    struct frame frame;

    assert_false(sent->refused);
    if (sent->count + 1 == sent->fail_at) {
        sent->refused = true;
        return -ENOBUFS;
    }
    if (sent->count >= COUNT(sent->bytes))
        return -EOVERFLOW;
    assert_int_equal(frame_parse(bytes, len, &frame), 0);
    assert_int_equal(frame.interface_type, FRAME_SERIAL);
    assert_int_equal(frame.interface_number, 0);
    assert_int_equal(frame.packet_type, 0);
    assert_int_equal(len, FRAME_HEADER_BYTES + frame.length);
    sent->length[sent->count] = frame.length;
    sent->sequence[sent->count] = frame.sequence;
    memcpy(sent->bytes[sent->count], bytes, len);
    sent->count++;
    return 0;
}

static int setup(void **state)
{
    (void)state;
    memset(&s_sent, 0, sizeof(s_sent));
    for (size_t i = 0; i < sizeof(s_message); i++)
        s_message[i] = (uint8_t)(i * 13 + i / 256);
    return 0;
}

static int send_message(size_t len, unsigned step, uint16_t *sequence)
{
    s_sent.count = 0;
    s_sent.refused = false;
    return frame_send_serial(s_message, len, step, sequence, collect, &s_sent);
}

static int assemble(struct frame_assembly *assembly, size_t i)
{
    struct frame frame;

    assert_int_equal(
        frame_parse(s_sent.bytes[i], FRAME_HEADER_BYTES + (size_t)s_sent.length[i], &frame), 0);
    return frame_assembly_add(assembly, &frame);
}

/* Gives all that was sent to the assembly; returns what it says to the last fragment. */
static int assemble_all(struct frame_assembly *assembly)
{
    for (size_t i = 0; i + 1 < s_sent.count; i++)
        assert_int_equal(assemble(assembly, i), 0);
    return assemble(assembly, s_sent.count - 1);
}

static void messages_are_cut_at_1500(void **state)
{
    (void)state;
    static const struct {
        size_t len, frames;
        uint16_t last;
    } cases[] = {
        {1, 1, 1},    {1499, 1, 1499}, {1500, 1, 1500}, {1501, 2, 1},    {3000, 2, 1500},
        {3001, 3, 1}, {4030, 3, 1030}, {4096, 3, 1096}, {4097, 3, 1097}, {8172, 6, 672},
    };
    uint16_t sequence = 9;

    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t at = 0;

        assert_int_equal(send_message(cases[i].len, 0, &sequence), 0);
        assert_int_equal(s_sent.count, cases[i].frames);
        for (size_t j = 0; j < s_sent.count; j++) {
            const bool last = j + 1 == s_sent.count;

            assert_int_equal(s_sent.length[j], last ? cases[i].last : FRAME_FRAGMENT_BYTES);
            assert_int_equal(s_sent.bytes[j][1], last ? 0 : FRAME_FLAG_MORE_FRAGMENT);
            assert_memory_equal(s_sent.bytes[j] + FRAME_HEADER_BYTES, s_message + at,
                                s_sent.length[j]);
            at += s_sent.length[j];
        }
        assert_int_equal(at, cases[i].len);
    }
    assert_int_equal(send_message(0, 0, &sequence), -EINVAL);
    assert_int_equal(s_sent.count, 0);
}

/* From the host all fragments of a message carry one number, from the ESP32 each its own. */
static void sequence_numbers(void **state)
{
    (void)state;
    uint16_t sequence = UINT16_MAX - 1;

    assert_int_equal(send_message(4096, 0, &sequence), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(s_sent.sequence[i], UINT16_MAX - 1);
    assert_int_equal(sequence, UINT16_MAX);
    assert_int_equal(send_message(1, 0, &sequence), 0);
    assert_int_equal(s_sent.sequence[0], UINT16_MAX);
    assert_int_equal(sequence, 0);

    sequence = UINT16_MAX;
    assert_int_equal(send_message(4096, 1, &sequence), 0);
    assert_int_equal(s_sent.sequence[0], UINT16_MAX);
    assert_int_equal(s_sent.sequence[1], 0);
    assert_int_equal(s_sent.sequence[2], 1);
    assert_int_equal(sequence, 2);
}

/* What was cut short must not become the beginning of the next message. */
static void a_sink_that_refuses_ends_the_message(void **state)
{
    (void)state;

    for (unsigned step = 0; step < 2; step++) {
        for (size_t fail_at = 1; fail_at <= 3; fail_at++) {
            struct frame_assembly assembly;
            uint16_t sequence = 5;

            frame_assembly_init(&assembly, s_buffer, sizeof(s_buffer));
            s_sent.fail_at = fail_at;
            assert_int_equal(send_message(4096, step, &sequence), -ENOBUFS);
            assert_int_equal(s_sent.count, fail_at - 1);
            for (size_t i = 0; i < s_sent.count; i++)
                assert_int_equal(assemble(&assembly, i), 0);

            s_sent.fail_at = 0;
            assert_int_equal(send_message(100, step, &sequence), 0);
            assert_int_equal(assemble_all(&assembly), 100);
            assert_memory_equal(s_buffer, s_message, 100);
        }
    }
}

static void messages_are_put_together(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 1499, 1500, 1501, 3000, 4030, 4096};
    struct frame_assembly assembly;
    uint16_t sequence = UINT16_MAX - 2;

    frame_assembly_init(&assembly, s_buffer, sizeof(s_buffer));
    for (size_t i = 0; i < COUNT(lengths); i++) {
        memset(s_buffer, 0, sizeof(s_buffer));
        assert_int_equal(send_message(lengths[i], 0, &sequence), 0);
        assert_int_equal(assemble_all(&assembly), lengths[i]);
        assert_memory_equal(s_buffer, s_message, lengths[i]);
    }
}

static void the_same_number_again_is_a_new_message(void **state)
{
    (void)state;
    struct frame_assembly assembly;

    frame_assembly_init(&assembly, s_buffer, sizeof(s_buffer));
    for (int i = 0; i < 3; i++) {
        uint16_t sequence = 0;

        assert_int_equal(send_message(1600, 0, &sequence), 0);
        assert_int_equal(assemble_all(&assembly), 1600);
    }
}

static void a_message_that_is_too_long_is_dropped_whole(void **state)
{
    (void)state;
    static const size_t lengths[] = {4097, 4500, 4501, 8172};
    uint8_t *buffer = malloc(ASSEMBLY_BYTES); /* the sanitizer watches its end */
    struct frame_assembly assembly;
    uint16_t sequence = 0;

    assert_non_null(buffer);
    frame_assembly_init(&assembly, buffer, ASSEMBLY_BYTES);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        assert_int_equal(send_message(lengths[i], 0, &sequence), 0);
        assert_int_equal(assemble_all(&assembly), -EMSGSIZE); /* said once, at the end */
        assert_int_equal(send_message(4096, 0, &sequence), 0);
        assert_int_equal(assemble_all(&assembly), 4096);
        assert_memory_equal(buffer, s_message, 4096);
    }
    free(buffer);
}

/* Too long in the middle, and the last fragment alone would fit again. */
static void no_hole_in_a_message_that_is_too_long(void **state)
{
    (void)state;
    struct frame_assembly assembly;
    uint16_t sequence = 0;

    frame_assembly_init(&assembly, s_buffer, 2000);
    assert_int_equal(send_message(3001, 0, &sequence), 0);
    assert_int_equal(assemble_all(&assembly), -EMSGSIZE);
}

static void what_is_lost_does_no_harm_to_the_next(void **state)
{
    (void)state;
    struct frame_assembly assembly;
    uint16_t sequence = 40;

    frame_assembly_init(&assembly, s_buffer, sizeof(s_buffer));
    /* The last fragment is lost. */
    assert_int_equal(send_message(4096, 0, &sequence), 0);
    assert_int_equal(assemble(&assembly, 0), 0);
    assert_int_equal(assemble(&assembly, 1), 0);
    assert_int_equal(send_message(2000, 0, &sequence), 0);
    assert_int_equal(assemble_all(&assembly), 2000);
    assert_memory_equal(s_buffer, s_message, 2000);

    /* All but the last are lost: a remnant is taken for a message, which its TLV gives away. */
    assert_int_equal(send_message(4096, 0, &sequence), 0);
    assert_int_equal(assemble(&assembly, 2), 1096);
    assert_int_equal(send_message(10, 0, &sequence), 0);
    assert_int_equal(assemble_all(&assembly), 10);
    assert_memory_equal(s_buffer, s_message, 10);

    /* A stray fragment in between begins anew; the old message is gone, its rest a remnant. */
    assert_int_equal(send_message(4096, 0, &sequence), 0);
    assert_int_equal(assemble(&assembly, 0), 0);

    struct frame stray = {
        .interface_type = FRAME_SERIAL,
        .flags = FRAME_FLAG_MORE_FRAGMENT,
        .sequence = 7777,
        .length = 3,
        .payload = (const uint8_t *)"abc",
    };

    assert_int_equal(frame_assembly_add(&assembly, &stray), 0);
    stray.flags = 0;
    assert_int_equal(frame_assembly_add(&assembly, &stray), 6);
    assert_memory_equal(s_buffer, "abcabc", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_init_event_is_read),
        cmocka_unit_test(the_init_event_is_written),
        cmocka_unit_test(every_field_has_its_place),
        cmocka_unit_test(a_frame_fits_or_is_not_written),
        cmocka_unit_test(a_payload_may_be_in_place),
        cmocka_unit_test(a_payload_starts_where_its_offset_says),
        cmocka_unit_test(what_is_no_frame),
        cmocka_unit_test(the_checksum_is_looked_at_where_there_is_one),
        cmocka_unit_test(the_checksum_wraps),
        cmocka_unit_test(noise),
        cmocka_unit_test_setup(messages_are_cut_at_1500, setup),
        cmocka_unit_test_setup(sequence_numbers, setup),
        cmocka_unit_test_setup(a_sink_that_refuses_ends_the_message, setup),
        cmocka_unit_test_setup(messages_are_put_together, setup),
        cmocka_unit_test_setup(the_same_number_again_is_a_new_message, setup),
        cmocka_unit_test_setup(a_message_that_is_too_long_is_dropped_whole, setup),
        cmocka_unit_test_setup(no_hole_in_a_message_that_is_too_long, setup),
        cmocka_unit_test_setup(what_is_lost_does_no_harm_to_the_next, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
