/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_link.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "serial_tlv.h"

/* A bus of this test's making: it takes `takes` frames and then says `answer`. */
struct fake_bus {
    struct bus bus;
    int open_rc;
    unsigned opened, closed;
    unsigned takes;
    int answer;
    uint8_t sent[64][FRAME_MAX_BYTES];
    size_t sent_len[64];
    unsigned sent_count;
    const uint8_t *to_receive[4];
    size_t receive_len[4];
    unsigned received;
};

static int fake_open(struct bus *bus)
{
    struct fake_bus *fake = (struct fake_bus *)bus;

    if (fake->open_rc == 0)
        fake->opened++;
    return fake->open_rc;
}

static int fake_fd(const struct bus *bus)
{
    (void)bus;
    return -1;
}

static int fake_send(struct bus *bus, const uint8_t *frame, size_t len)
{
    struct fake_bus *fake = (struct fake_bus *)bus;

    if (fake->takes == 0 || fake->sent_count == 64)
        return fake->answer;
    fake->takes--;
    memcpy(fake->sent[fake->sent_count], frame, len);
    fake->sent_len[fake->sent_count++] = len;
    return 0;
}

static int fake_receive(struct bus *bus, uint8_t *buf, size_t size)
{
    struct fake_bus *fake = (struct fake_bus *)bus;
    const unsigned i = fake->received;

    if (i == 4 || fake->to_receive[i] == NULL)
        return fake->answer;
    assert_true(fake->receive_len[i] <= size);
    memcpy(buf, fake->to_receive[i], fake->receive_len[i]);
    fake->received++;
    return (int)fake->receive_len[i];
}

static void fake_close(struct bus *bus)
{
    ((struct fake_bus *)bus)->closed++;
}

static const struct bus_ops fake_ops = {
    .open = fake_open,
    .fd = fake_fd,
    .send = fake_send,
    .receive = fake_receive,
    .close = fake_close,
};

static struct fake_bus s_bus;
static struct bus_link s_link;
static uint8_t s_message[SERIAL_TLV_MAX_BYTES];

static int setup(void **state)
{
    (void)state;
    memset(&s_bus, 0, sizeof(s_bus));
    s_bus.bus.ops = &fake_ops;
    s_bus.takes = 1000;
    s_bus.answer = -EAGAIN;
    memset(&s_link, 0xa5, sizeof(s_link));
    bus_link_init(&s_link, &s_bus.bus);
    for (size_t i = 0; i < sizeof(s_message); i++)
        s_message[i] = (uint8_t)(i * 11);
    return 0;
}

static struct frame sent(unsigned i)
{
    struct frame frame;

    assert_true(i < s_bus.sent_count);
    assert_int_equal(frame_parse(s_bus.sent[i], s_bus.sent_len[i], &frame), 0);
    return frame;
}

static void it_tries_again_at_growing_pauses(void **state)
{
    static const unsigned pauses[] = {50, 100, 200, 400, 800, 1000, 1000};
    uint64_t now = 5000;

    (void)state;
    s_bus.open_rc = -ENOENT;
    assert_false(bus_link_connect(&s_link, now));
    for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        assert_int_equal(s_link.retry_at_ms, now + pauses[i]);
        s_bus.open_rc = 0;
        assert_false(bus_link_connect(&s_link, now + pauses[i] - 1)); /* too early to try */
        s_bus.open_rc = -ENOENT;
        now += pauses[i];
        assert_false(bus_link_connect(&s_link, now));
    }
    s_bus.open_rc = 0;
    assert_true(bus_link_connect(&s_link, now + 1000));
    assert_false(bus_link_connect(&s_link, now + 9000)); /* it is up already */
    assert_int_equal(s_bus.opened, 1);
}

/* A second client is closed at once: it must not come back every 50 ms. Who talks is a peer. */
static void only_a_frame_shortens_the_pause(void **state)
{
    static const uint8_t good[] = {0x04, 0, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct frame frame;

    (void)state;
    assert_true(bus_link_connect(&s_link, 0));
    bus_link_drop(&s_link, 0);
    assert_int_equal(s_link.retry_at_ms, 50);
    assert_true(bus_link_connect(&s_link, 50));
    bus_link_drop(&s_link, 50);
    assert_int_equal(s_link.retry_at_ms, 150);
    assert_int_equal(s_bus.closed, 2);

    assert_true(bus_link_connect(&s_link, 150));
    s_bus.to_receive[0] = good;
    s_bus.receive_len[0] = sizeof(good);
    assert_int_equal(bus_link_receive(&s_link, &frame), 1);
    bus_link_drop(&s_link, 150);
    assert_int_equal(s_link.retry_at_ms, 200);
}

static void fragments_share_a_sequence_number(void **state)
{
    static const size_t sizes[] = {1, 1499, 1500, 1501, 3000, 4030, 4096};

    (void)state;
    assert_true(bus_link_connect(&s_link, 0));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const unsigned count = (unsigned)((sizes[i] + 1499) / 1500);
        uint8_t whole[SERIAL_TLV_MAX_BYTES];
        size_t len = 0;

        s_bus.sent_count = 0;
        assert_int_equal(bus_link_queue_message(&s_link, s_message, sizes[i]), 0);
        assert_int_equal(bus_link_pump(&s_link), 0);
        assert_int_equal(s_bus.sent_count, count);
        for (unsigned n = 0; n < count; n++) {
            const struct frame frame = sent(n);

            assert_int_equal(frame.interface_type, FRAME_SERIAL);
            assert_int_equal(frame.sequence, i);
            assert_int_equal(frame.flags, n + 1 < count ? FRAME_FLAG_MORE_FRAGMENT : 0);
            memcpy(whole + len, frame.payload, frame.length);
            len += frame.length;
        }
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(whole, s_message, len);
    }
}

static void what_waits_is_sent_in_order_once_there_is_a_peer(void **state)
{
    (void)state;
    assert_int_equal(bus_link_queue_message(&s_link, s_message, 2000), 0);
    assert_int_equal(bus_link_queue_message(&s_link, s_message, 3), 0);
    assert_int_equal(bus_link_pump(&s_link), 0);
    assert_int_equal(s_bus.sent_count, 0);

    assert_true(bus_link_connect(&s_link, 0));
    s_bus.takes = 1;
    assert_int_equal(bus_link_pump(&s_link), 0);
    assert_int_equal(s_bus.sent_count, 1);
    s_bus.takes = 10;
    assert_int_equal(bus_link_pump(&s_link), 0);
    assert_int_equal(s_bus.sent_count, 3);
    assert_int_equal(sent(1).length, 500);
    assert_int_equal(sent(2).length, 3);
}

/* The second half of a message means nothing to an ESP32 that never saw the first. */
static void half_a_message_is_not_sent_to_the_next_peer(void **state)
{
    (void)state;
    assert_true(bus_link_connect(&s_link, 0));
    assert_int_equal(bus_link_queue_message(&s_link, s_message, 4000), 0);
    assert_int_equal(bus_link_queue_message(&s_link, s_message, 7), 0);
    s_bus.takes = 1;
    s_bus.answer = -EPIPE;
    assert_int_equal(bus_link_pump(&s_link), -EPIPE);
    bus_link_drop(&s_link, 0);

    s_bus.takes = 10;
    assert_true(bus_link_connect(&s_link, 1000));
    assert_int_equal(bus_link_pump(&s_link), 0);
    assert_int_equal(s_bus.sent_count, 2);
    assert_int_equal(sent(1).length, 7);
}

static void a_full_queue_takes_a_message_whole_or_not(void **state)
{
    unsigned taken = 0;

    (void)state;
    while (bus_link_has_room(&s_link)) {
        assert_int_equal(bus_link_queue_message(&s_link, s_message, sizeof(s_message)), 0);
        taken++;
    }
    assert_int_equal(taken, 5);
    assert_int_equal(bus_link_queue_message(&s_link, s_message, sizeof(s_message)), -ENOBUFS);
    assert_int_equal(bus_link_queue_ethernet(&s_link, s_message, 60), 0); /* the 16th slot */
    assert_int_equal(bus_link_queue_ethernet(&s_link, s_message, 60), -ENOBUFS);
    assert_int_equal(s_link.lost_messages, 1);

    assert_true(bus_link_connect(&s_link, 0));
    assert_int_equal(bus_link_pump(&s_link), 0);
    assert_int_equal(s_bus.sent_count, 16);
    assert_int_equal(sent(14).flags, 0);
    assert_int_equal(sent(15).interface_type, FRAME_STATION);
    assert_int_equal(s_bus.sent[15][4], FRAME_HEADER_BYTES); /* the payload's offset */
}

static void broken_frames_are_passed_over(void **state)
{
    static const uint8_t broken[] = {0x02, 0, 9, 0, 12, 0, 0, 0, 0, 0, 0, 0, 'x'};
    static const uint8_t good[] = {0x02, 0, 1, 0, 12, 0, 0, 0, 0, 0, 0, 0, 'y'};
    struct frame frame;

    (void)state;
    assert_true(bus_link_connect(&s_link, 0));
    s_bus.to_receive[0] = broken;
    s_bus.receive_len[0] = sizeof(broken);
    s_bus.to_receive[1] = good;
    s_bus.receive_len[1] = sizeof(good);
    assert_int_equal(bus_link_receive(&s_link, &frame), 1);
    assert_int_equal(frame.payload[0], 'y');
    assert_int_equal(s_link.bad_frames, 1);
    assert_int_equal(bus_link_receive(&s_link, &frame), 0);
    s_bus.answer = -ECONNRESET;
    assert_int_equal(bus_link_receive(&s_link, &frame), -ECONNRESET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_tries_again_at_growing_pauses, setup),
        cmocka_unit_test_setup(only_a_frame_shortens_the_pause, setup),
        cmocka_unit_test_setup(fragments_share_a_sequence_number, setup),
        cmocka_unit_test_setup(what_waits_is_sent_in_order_once_there_is_a_peer, setup),
        cmocka_unit_test_setup(half_a_message_is_not_sent_to_the_next_peer, setup),
        cmocka_unit_test_setup(a_full_queue_takes_a_message_whole_or_not, setup),
        cmocka_unit_test_setup(broken_frames_are_passed_over, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
