/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus_time.h"

#define T       1430 /* 12800 bits at 10 MHz, and the gap of 150 us */
#define HOST_US 200

static const struct bus_frame s_request = {.bytes = 1512, .is_serial = true, .begins = true};
static const struct bus_frame s_write = {
    .bytes = 1512, .is_serial = true, .begins = true, .is_write = true};
static const struct bus_frame s_more = {.bytes = 1512, .is_serial = true};
static const struct bus_frame s_ethernet = {.bytes = 100};

static struct bus_time bus_at_10_mhz(unsigned armed, unsigned window)
{
    const struct bus_settings settings = {
        .mhz = 10, .gap_us = -1, .armed = armed, .host_us = -1, .window = window};
    struct bus_time bus;

    bus_time_init(&bus, &settings);
    return bus;
}

/* A message of three frames; returns when the last of them has arrived. */
static int64_t receive_message(struct bus_time *bus, const struct bus_frame *first, int64_t now_us)
{
    bus_time_receive(bus, first, now_us);
    bus_time_receive(bus, &s_more, now_us);
    return bus_time_receive(bus, &s_more, now_us);
}

/* One exchange as upstream has it: three fragments in, 20 ms of work, a reply. */
static void stop_and_wait_adds_up(void **state)
{
    struct bus_time bus = bus_at_10_mhz(0, 0);
    const int64_t first_us = receive_message(&bus, &s_request, 0);

    (void)state;
    assert_int_equal(first_us, HOST_US + 3 * T);
    bus_time_send(&bus, 40, first_us + 20000);

    /* The next request comes when the reply is over: an empty transaction and its own. */
    assert_int_equal(receive_message(&bus, &s_write, first_us + 20000),
                     first_us + 20000 + 2 * T + HOST_US + 3 * T);
}

static void frames_in_a_row_need_one_empty_transaction(void **state)
{
    struct bus_time bus = bus_at_10_mhz(0, 0);

    (void)state;
    bus_time_send(&bus, 1512, 1);
    bus_time_send(&bus, 40, 1);
    assert_int_equal(bus_time_receive(&bus, &s_request, 1), 1 + 3 * T + HOST_US + T);
}

/* However many the interrupt can arm, one is at a time. */
static void one_armed_transaction_delays_an_answer(void **state)
{
    (void)state;
    for (unsigned armed = 1; armed <= 3; armed++) {
        struct bus_time bus = bus_at_10_mhz(armed, 0);
        const int64_t first_us = receive_message(&bus, &s_request, 0);

        bus_time_send(&bus, 40, first_us + 1000);
        assert_int_equal(bus_time_receive(&bus, &s_request, first_us + 1000),
                         first_us + 1000 + 2 * T + HOST_US + T);
    }
}

/* What the command line says counts; else what the firmware has. */
static void firmware_arms_unless_it_was_said(void **state)
{
    (void)state;
    for (unsigned said = 0; said <= 1; said++) {
        struct bus_time bus = bus_at_10_mhz(said, said);
        int64_t now_us;

        bus_time_set_firmware(&bus, 2, 3);
        now_us = receive_message(&bus, &s_request, 0);
        bus_time_send(&bus, 40, now_us);
        now_us = receive_message(&bus, &s_write, now_us);
        bus_time_stall(&bus, now_us, now_us + 30000, false);
        bus_time_send(&bus, 40, now_us + 30000);
        assert_int_equal(receive_message(&bus, &s_write, now_us + 30000) - now_us,
                         said > 0 ? 30000 + 2 * T + HOST_US + 3 * T : 3 * T);
    }
}

static void second_write_does_not_wait_for_the_first(void **state)
{
    struct bus_time one = bus_at_10_mhz(0, 1), two = bus_at_10_mhz(0, 2);
    struct bus_time *const buses[] = {&one, &two};
    int64_t second_us[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        int64_t now_us = receive_message(buses[i], &s_request, 0);

        bus_time_send(buses[i], 40, now_us);
        now_us = receive_message(buses[i], &s_write, now_us);
        bus_time_send(buses[i], 40, now_us + 20000);
        second_us[i] = receive_message(buses[i], &s_write, now_us + 20000) - now_us;
    }
    assert_int_equal(second_us[0], 20000 + 2 * T + HOST_US + 3 * T);
    assert_int_equal(second_us[1], 3 * T);
}

static void third_write_waits_for_the_answer_to_the_first(void **state)
{
    struct bus_time bus = bus_at_10_mhz(0, 2);
    int64_t now_us = receive_message(&bus, &s_request, 0);

    (void)state;
    bus_time_send(&bus, 40, now_us);
    now_us = receive_message(&bus, &s_write, now_us) + 20000;
    bus_time_send(&bus, 40, now_us); /* while the second write is there already */
    const int64_t answered_us = now_us + 2 * T;

    receive_message(&bus, &s_write, now_us);
    bus_time_send(&bus, 40, now_us + 20000);
    assert_int_equal(receive_message(&bus, &s_write, now_us + 20000),
                     answered_us + HOST_US + 3 * T);
}

/* An `end` is no write: it is sent when all is answered. */
static void other_requests_wait_for_every_answer(void **state)
{
    struct bus_time bus = bus_at_10_mhz(0, 4);
    int64_t now_us = receive_message(&bus, &s_request, 0);

    (void)state;
    bus_time_send(&bus, 40, now_us);
    now_us = receive_message(&bus, &s_write, now_us) + 20000;
    bus_time_send(&bus, 40, now_us);
    assert_int_equal(receive_message(&bus, &s_request, now_us), now_us + 2 * T + HOST_US + 3 * T);
}

/* And no write is before the answer to what was before them all. */
static void first_write_waits_for_the_begin(void **state)
{
    struct bus_time bus = bus_at_10_mhz(0, 8);
    const int64_t now_us = receive_message(&bus, &s_request, 0) + 30000;

    (void)state;
    bus_time_send(&bus, 40, now_us);
    assert_int_equal(receive_message(&bus, &s_write, now_us), now_us + 2 * T + HOST_US + 3 * T);
}

/* The last bytes of a write keep the flash busy while the next is on the bus: one transaction is
 * armed, the others wait until a task runs again. */
static void only_what_is_armed_crosses_during_a_stall(void **state)
{
    static const struct {
        unsigned armed;
        int64_t want_us;
    } cases[] = {{1, 30000 + 2 * T}, {2, 30000 + T}, {3, 3 * T}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bus_time bus = bus_at_10_mhz(cases[i].armed, 2);
        int64_t now_us = receive_message(&bus, &s_request, 0);

        bus_time_send(&bus, 40, now_us);
        now_us = receive_message(&bus, &s_write, now_us);
        bus_time_stall(&bus, now_us, now_us + 10000, false);
        bus_time_stall(&bus, now_us + 10000, now_us + 30000, true);
        bus_time_send(&bus, 40, now_us + 30000);
        assert_int_equal(receive_message(&bus, &s_write, now_us + 30000) - now_us,
                         cases[i].want_us);
    }
}

/* Between two commands of the driver tasks run: then a transaction is armed anew. */
static void between_stalls_one_more_crosses(void **state)
{
    struct bus_time bus = bus_at_10_mhz(1, 2);
    int64_t now_us = receive_message(&bus, &s_request, 0);

    (void)state;
    bus_time_send(&bus, 40, now_us);
    now_us = receive_message(&bus, &s_write, now_us);
    bus_time_stall(&bus, now_us, now_us + 10000, false);
    bus_time_stall(&bus, now_us + 10000, now_us + 20000, false);
    bus_time_stall(&bus, now_us + 20000, now_us + 30000, false);
    bus_time_send(&bus, 40, now_us + 30000);
    assert_int_equal(receive_message(&bus, &s_write, now_us + 30000) - now_us, 20000 + T);
}

static void moved_clock_holds_for_the_host(void **state)
{
    struct bus_time bus = bus_at_10_mhz(0, 0);

    (void)state;
    receive_message(&bus, &s_request, 0);
    bus_time_not_before(&bus, 1000000);
    assert_int_equal(bus_time_receive(&bus, &s_request, 1000000), 1000000 + T);
}

static void other_frames_come_when_they_come(void **state)
{
    struct bus_time bus = bus_at_10_mhz(0, 0);

    (void)state;
    assert_int_equal(bus_time_receive(&bus, &s_ethernet, 5000), 5000 + T);
}

/* A host that only listens gets more frames than anybody can remember the times of. */
static void flood_to_the_host_costs_its_place_on_the_bus(void **state)
{
    struct bus_time bus = bus_at_10_mhz(0, 0);

    (void)state;
    for (int i = 0; i < 1000; i++)
        bus_time_send(&bus, 1512, 1);
    assert_int_equal(bus_time_receive(&bus, &s_request, 1), 1 + 1001 * T + HOST_US + T);
}

/* Half duplex, and as long as the frame: two blocks of 512 bytes are filled up by a third. */
static void sdio_depends_on_the_length(void **state)
{
    const struct bus_settings settings = {.kind = BUS_SDIO, .gap_us = 100, .host_us = 0};
    const struct bus_frame frame = {
        .bytes = 1024, .is_serial = true, .begins = true, .is_write = true};
    struct bus_time bus;
    int64_t now_us;

    (void)state;
    bus_time_init(&bus, &settings);
    now_us = bus_time_receive(&bus, &frame, 0);
    assert_int_equal(now_us, 1536 * 2 / 40 + 100);
    bus_time_send(&bus, 41, now_us); /* no empty transaction; 44 bytes */
    assert_int_equal(bus_time_receive(&bus, &frame, now_us),
                     now_us + 44 * 2 / 40 + 100 + 1536 * 2 / 40 + 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_and_wait_adds_up),
        cmocka_unit_test(frames_in_a_row_need_one_empty_transaction),
        cmocka_unit_test(one_armed_transaction_delays_an_answer),
        cmocka_unit_test(firmware_arms_unless_it_was_said),
        cmocka_unit_test(second_write_does_not_wait_for_the_first),
        cmocka_unit_test(third_write_waits_for_the_answer_to_the_first),
        cmocka_unit_test(other_requests_wait_for_every_answer),
        cmocka_unit_test(first_write_waits_for_the_begin),
        cmocka_unit_test(only_what_is_armed_crosses_during_a_stall),
        cmocka_unit_test(between_stalls_one_more_crosses),
        cmocka_unit_test(moved_clock_holds_for_the_host),
        cmocka_unit_test(other_frames_come_when_they_come),
        cmocka_unit_test(flood_to_the_host_costs_its_place_on_the_bus),
        cmocka_unit_test(sdio_depends_on_the_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
