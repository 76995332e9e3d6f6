/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"

#define TRANSACTION_US 1430 /* 12800 bits at 10 MHz, and the gap of 150 us */

static void none_takes_no_time(void **state)
{
    struct sim_clock clock;

    (void)state;
    sim_clock_init(&clock, SIM_CLOCK_NONE, 10);
    sim_clock_spend_us(&clock, 1000000);
    sim_clock_frame_received(&clock);
    sim_clock_frame_sent(&clock);
    assert_int_equal(sim_clock_now_us(&clock), 0);
    sim_clock_move_to(&clock, 5000000);
    assert_int_equal(sim_clock_now_us(&clock), 5000000);
}

static void a_computed_clock_never_goes_back(void **state)
{
    struct sim_clock clock;

    (void)state;
    sim_clock_init(&clock, SIM_CLOCK_VIRTUAL, 10);
    sim_clock_spend_us(&clock, 300);
    sim_clock_move_to(&clock, 200);
    assert_int_equal(sim_clock_now_us(&clock), 300);
}

/* One exchange as upstream has it: three fragments in, 20 ms of flash, a reply. */
static void stop_and_wait_adds_up(void **state)
{
    struct sim_clock clock;

    (void)state;
    sim_clock_init(&clock, SIM_CLOCK_VIRTUAL, 10);
    for (int i = 0; i < 3; i++)
        sim_clock_frame_received(&clock);
    assert_int_equal(sim_clock_now_us(&clock), 3 * TRANSACTION_US);
    sim_clock_spend_us(&clock, 20000);
    sim_clock_frame_sent(&clock);
    assert_int_equal(sim_clock_now_us(&clock), 3 * TRANSACTION_US + 20000);

    /* The next request comes when the reply is over: an empty transaction and its own. */
    sim_clock_frame_received(&clock);
    assert_int_equal(sim_clock_now_us(&clock), 6 * TRANSACTION_US + 20000);
}

static void frames_in_a_row_need_one_empty_transaction(void **state)
{
    struct sim_clock clock;

    (void)state;
    sim_clock_init(&clock, SIM_CLOCK_VIRTUAL, 10);
    sim_clock_frame_sent(&clock);
    sim_clock_frame_sent(&clock);
    sim_clock_frame_received(&clock);
    assert_int_equal(sim_clock_now_us(&clock), 4 * TRANSACTION_US);
}

/* A window: what arrives while the CPU is busy costs nothing but its place on the bus. */
static void bus_and_cpu_work_at_the_same_time(void **state)
{
    struct sim_clock clock;

    (void)state;
    sim_clock_init(&clock, SIM_CLOCK_VIRTUAL, 10);
    sim_clock_frame_received(&clock);
    sim_clock_spend_us(&clock, 20000);
    sim_clock_frame_received(&clock);
    assert_int_equal(sim_clock_now_us(&clock), TRANSACTION_US + 20000);
}

static void the_bus_is_idle_while_time_is_advanced(void **state)
{
    struct sim_clock clock;

    (void)state;
    sim_clock_init(&clock, SIM_CLOCK_VIRTUAL, 10);
    sim_clock_move_to(&clock, 1000000);
    sim_clock_frame_received(&clock);
    assert_int_equal(sim_clock_now_us(&clock), 1000000 + TRANSACTION_US);
}

static void real_time_passes_by_itself(void **state)
{
    struct sim_clock clock;

    (void)state;
    sim_clock_init(&clock, SIM_CLOCK_REAL, 10);
    sim_clock_spend_us(&clock, 2000);
    assert_true(sim_clock_now_us(&clock) >= 2000);

    const int64_t before_us = sim_clock_now_us(&clock);

    sim_clock_move_to(&clock, before_us + 3600 * 1000000LL);
    assert_true(sim_clock_now_us(&clock) < before_us + 3600 * 1000000LL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_takes_no_time),
        cmocka_unit_test(a_computed_clock_never_goes_back),
        cmocka_unit_test(stop_and_wait_adds_up),
        cmocka_unit_test(frames_in_a_row_need_one_empty_transaction),
        cmocka_unit_test(bus_and_cpu_work_at_the_same_time),
        cmocka_unit_test(the_bus_is_idle_while_time_is_advanced),
        cmocka_unit_test(real_time_passes_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
