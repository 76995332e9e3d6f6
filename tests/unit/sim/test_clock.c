/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"

static void none_takes_no_time(void **state)
{
    struct sim_clock clock;

    (void)state;
    sim_clock_init(&clock, SIM_CLOCK_NONE);
    sim_clock_spend_us(&clock, SPENT_CPU, 1000000);
    sim_clock_wait_tick(&clock, 10000);
    assert_int_equal(sim_clock_now_us(&clock), 0);
    sim_clock_move_to(&clock, 5000000);
    assert_int_equal(sim_clock_now_us(&clock), 5000000);
}

static void a_computed_clock_never_goes_back(void **state)
{
    struct sim_clock clock;

    (void)state;
    sim_clock_init(&clock, SIM_CLOCK_VIRTUAL);
    sim_clock_spend_us(&clock, SPENT_CPU, 300);
    sim_clock_move_to(&clock, 200);
    assert_int_equal(sim_clock_now_us(&clock), 300);
}

/* As a task does that sleeps for one tick: at a tick, until the next. */
static void ticks_are_waited_for(void **state)
{
    struct sim_clock clock;

    (void)state;
    sim_clock_init(&clock, SIM_CLOCK_VIRTUAL);
    sim_clock_spend_us(&clock, SPENT_CPU, 10001);
    sim_clock_wait_tick(&clock, 10000);
    assert_int_equal(sim_clock_now_us(&clock), 20000);
    sim_clock_wait_tick(&clock, 10000);
    assert_int_equal(sim_clock_now_us(&clock), 30000);
    sim_clock_wait_tick(&clock, 0);
    assert_int_equal(sim_clock_now_us(&clock), 30000);
}

static void all_time_is_accounted_for(void **state)
{
    static const int64_t want_us[SPENT_KINDS] = {
        [SPENT_ERASE] = 7, [SPENT_BUS] = 5, [SPENT_SLEEP] = 88};
    struct sim_clock clock;
    int64_t sum_us = 0;

    (void)state;
    sim_clock_init(&clock, SIM_CLOCK_VIRTUAL);
    sim_clock_spend_us(&clock, SPENT_ERASE, 7);
    sim_clock_spend_us(&clock, SPENT_BUS, 5);
    sim_clock_move_to(&clock, 60);
    sim_clock_wait_tick(&clock, 100);
    for (int i = 0; i < SPENT_KINDS; i++) {
        assert_int_equal(clock.spent_us[i], want_us[i]);
        sum_us += clock.spent_us[i];
    }
    assert_int_equal(sum_us, sim_clock_now_us(&clock));
}

static void real_time_passes_by_itself(void **state)
{
    struct sim_clock clock;

    (void)state;
    sim_clock_init(&clock, SIM_CLOCK_REAL);
    sim_clock_spend_us(&clock, SPENT_CPU, 2000);
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
        cmocka_unit_test(ticks_are_waited_for),
        cmocka_unit_test(all_time_is_accounted_for),
        cmocka_unit_test(real_time_passes_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
