/* SPDX-License-Identifier: Apache-2.0 */
#include "serial_cutter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CUTS_MAX 16

/* What came out: all bytes in order, and where each message ended. */
struct output {
    uint8_t bytes[65536];
    size_t len;
    size_t end[CUTS_MAX];
    size_t count;
};

static struct serial_cutter s_cutter;
static struct output s_output;

static int setup(void **state)
{
    (void)state;
    memset(&s_cutter, 0xa5, sizeof(s_cutter));
    serial_cutter_clear(&s_cutter);
    memset(&s_output, 0, sizeof(s_output));
    return 0;
}

static void take_out(bool quiet)
{
    const uint8_t *message;
    size_t len;

    while ((len = serial_cutter_next(&s_cutter, quiet, &message)) > 0) {
        assert_true(len <= SERIAL_TLV_MAX_BYTES);
        assert_true(s_output.len + len <= sizeof(s_output.bytes));
        memcpy(s_output.bytes + s_output.len, message, len);
        s_output.len += len;
        if (s_output.count < CUTS_MAX)
            s_output.end[s_output.count] = s_output.len;
        s_output.count++;
    }
}

static void put_in(const uint8_t *data, size_t len)
{
    while (len > 0) {
        size_t room;
        uint8_t *at = serial_cutter_room(&s_cutter, &room);

        assert_true(room > 0);
        if (room > len)
            room = len;
        memcpy(at, data, room);
        serial_cutter_added(&s_cutter, room);
        data += room;
        len -= room;
        take_out(false);
    }
}

static size_t make_message(const char *endpoint, size_t data_len, uint8_t *buf, size_t size)
{
    const int head = serial_tlv_head(endpoint, data_len, buf, size);

    assert_true(head > 0);
    for (size_t i = 0; i < data_len; i++)
        buf[(size_t)head + i] = (uint8_t)(i * 7 + 1);
    return (size_t)head + data_len;
}

static void check_output(const uint8_t *bytes, size_t len)
{
    assert_int_equal(s_output.len, len);
    assert_memory_equal(s_output.bytes, bytes, len);
}

/* Whatever the pieces in which they arrive: the same messages come out. */
static void every_split_gives_the_same_messages(void **state)
{
    uint8_t wire[256];
    const size_t first = make_message("control", 31, wire, sizeof(wire));
    const size_t whole = first + make_message("RPCRsp", 5, wire + first, sizeof(wire) - first);

    for (size_t cut = 0; cut <= whole; cut++) {
        setup(state);
        put_in(wire, cut);
        assert_int_equal(s_output.count, cut < first ? 0 : cut < whole ? 1 : 2);
        put_in(wire + cut, whole - cut);
        assert_int_equal(s_output.count, 2);
        assert_int_equal(s_output.end[0], first);
        check_output(wire, whole);
        assert_int_equal(serial_cutter_pending(&s_cutter), 0);
    }
}

static void single_bytes_give_the_same_messages(void **state)
{
    uint8_t wire[SERIAL_TLV_MAX_BYTES];
    const size_t whole = make_message("control", sizeof(wire) - 13, wire, sizeof(wire));

    (void)state;
    assert_int_equal(whole, SERIAL_TLV_MAX_BYTES);
    for (size_t i = 0; i < whole; i++)
        put_in(wire + i, 1);
    assert_int_equal(s_output.count, 1);
    check_output(wire, whole);
}

/* The longest that a host may send, behind a head of one byte more than the classic one. */
static void a_ctrl_message_passes_wherever_its_head_is_cut(void **state)
{
    static const size_t sizes[] = {15, 24, 4025, SERIAL_TLV_MAX_BYTES - 1, SERIAL_TLV_MAX_BYTES};
    const size_t head = SERIAL_TLV_OVERHEAD(sizeof("ctrlResp") - 1);
    uint8_t wire[SERIAL_TLV_MAX_BYTES];

    assert_int_equal(head, 14);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const size_t whole = make_message("ctrlResp", sizes[i] - head, wire, sizeof(wire));

        for (size_t cut = 0; cut <= head; cut++)
            for (size_t second = cut; second <= head; second++) {
                setup(state);
                put_in(wire, cut);
                put_in(wire + cut, second - cut);
                put_in(wire + second, whole - second - 1);
                assert_int_equal(s_output.count, 0);
                put_in(wire + whole - 1, 1);
                assert_int_equal(s_output.count, 1);
                check_output(wire, sizes[i]);
                assert_int_equal(serial_cutter_pending(&s_cutter), 0);
            }
    }
}

/* What an update puts on the way without a pause, in reads of any size. */
static void ctrl_messages_in_a_row_stay_apart(void **state)
{
    static const size_t reads[] = {1, 13, 14, 15, 255, 1000, SERIAL_TLV_MAX_BYTES};
    static uint8_t wire[8 * SERIAL_TLV_MAX_BYTES];
    size_t end[8];
    size_t whole = 0;

    for (size_t i = 0; i < 8; i++) {
        const size_t data = i % 2 == 0 ? SERIAL_TLV_MAX_BYTES - 14 : i;

        whole += make_message("ctrlResp", data, wire + whole, sizeof(wire) - whole);
        end[i] = whole;
    }
    for (size_t r = 0; r < sizeof(reads) / sizeof(reads[0]); r++) {
        setup(state);
        for (size_t at = 0; at < whole; at += reads[r])
            put_in(wire + at, whole - at < reads[r] ? whole - at : reads[r]);
        assert_int_equal(s_output.count, 8);
        for (size_t i = 0; i < 8; i++)
            assert_int_equal(s_output.end[i], end[i]);
        check_output(wire, whole);
    }
}

static void an_incomplete_message_waits_for_quiet(void **state)
{
    uint8_t wire[64];
    const size_t whole = make_message("ctrlResp", 20, wire, sizeof(wire));

    for (size_t cut = 1; cut < whole; cut++) {
        setup(state);
        put_in(wire, cut);
        assert_int_equal(s_output.count, 0);
        assert_int_equal(serial_cutter_pending(&s_cutter), cut);
        take_out(true);
        assert_int_equal(s_output.count, 1);
        check_output(wire, cut);
        assert_int_equal(serial_cutter_pending(&s_cutter), 0);
    }
}

static void what_is_no_message_goes_on_as_it_came(void **state)
{
    static const uint8_t cases[][16] = {
        {0},
        {0x02, 0x07, 0x00, 'c'},
        {0x01, 0x00, 0x00, 0x02},
        {0x01, 0x0f, 0x00, 'a', 'b'},                /* a name too long */
        {0x01, 0x02, 0x00, 'a', 'b', 0x03, 1, 0},    /* the wrong second tag */
        {0x01, 0x02, 0x00, 'a', 'b', 0x02, 0, 0},    /* no data */
        {0x01, 0x02, 0x00, 'a', 'b', 0x02, 0, 0x10}, /* a whole of more than 4096 bytes */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setup(state);
        put_in(cases[i], sizeof(cases[i]));
        assert_int_equal(s_output.count, 0);
        take_out(true);
        assert_int_equal(s_output.count, 1);
        check_output(cases[i], sizeof(cases[i]));
    }
}

static void a_message_behind_noise_stays_whole(void **state)
{
    static const size_t noises[] = {1, 2, 13, 100, SERIAL_TLV_MAX_BYTES - 1};
    uint8_t wire[2 * SERIAL_TLV_MAX_BYTES];

    for (size_t i = 0; i < sizeof(noises) / sizeof(noises[0]); i++) {
        const size_t noise = noises[i];
        const size_t room = SERIAL_TLV_MAX_BYTES;

        setup(state);
        memset(wire, 'x', noise);
        const size_t whole = noise + make_message("control", room - 13, wire + noise, room);

        put_in(wire, whole - 1);
        assert_int_equal(s_output.count, 0);
        put_in(wire + whole - 1, 1);
        assert_int_equal(s_output.count, 2);
        assert_int_equal(s_output.end[0], noise);
        check_output(wire, whole);
    }
}

/* The device's buffer holds no more than 4096 bytes of one message. */
static void long_noise_leaves_in_pieces(void **state)
{
    static uint8_t noise[20000];

    (void)state;
    memset(noise, 0xff, sizeof(noise));
    put_in(noise, sizeof(noise));
    take_out(true);
    check_output(noise, sizeof(noise));
    assert_int_equal(s_output.count, 5);
    assert_int_equal(s_output.end[0], SERIAL_TLV_MAX_BYTES);
}

/* Noise whose every second byte begins something: no byte is lost, added or moved. */
static void nothing_is_lost_of_random_bytes(void **state)
{
    static const uint8_t alphabet[] = {0x01, 0x02, 0x00, 0x03, 'a', 0x01, 0x00, 0xff};
    static uint8_t wire[30000];

    for (unsigned seed = 1; seed <= 200; seed++) {
        size_t at = 0;

        setup(state);
        srand(seed);
        for (size_t i = 0; i < sizeof(wire); i++)
            wire[i] = alphabet[(unsigned)rand() % sizeof(alphabet)];
        while (at < sizeof(wire)) {
            size_t piece = 1 + (unsigned)rand() % 3000;

            if (piece > sizeof(wire) - at)
                piece = sizeof(wire) - at;
            put_in(wire + at, piece);
            at += piece;
            if (rand() % 4 == 0)
                take_out(true);
        }
        take_out(true);
        check_output(wire, sizeof(wire));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_split_gives_the_same_messages, setup),
        cmocka_unit_test_setup(single_bytes_give_the_same_messages, setup),
        cmocka_unit_test_setup(a_ctrl_message_passes_wherever_its_head_is_cut, setup),
        cmocka_unit_test_setup(ctrl_messages_in_a_row_stay_apart, setup),
        cmocka_unit_test_setup(an_incomplete_message_waits_for_quiet, setup),
        cmocka_unit_test_setup(what_is_no_message_goes_on_as_it_came, setup),
        cmocka_unit_test_setup(a_message_behind_noise_stays_whole, setup),
        cmocka_unit_test_setup(long_noise_leaves_in_pieces, setup),
        cmocka_unit_test_setup(nothing_is_lost_of_random_bytes, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
