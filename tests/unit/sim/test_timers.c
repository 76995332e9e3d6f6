/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "timers.h"

#define ALL (SIM_TIMER_FIRMWARE | SIM_TIMER_WORLD | SIM_TIMER_RESTART)

static int s_fired[8];
static int s_count;

static void note(void *ctx)
{
    s_fired[s_count++] = *(const int *)ctx;
}

static int reset(void **state)
{
    (void)state;
    s_count = 0;
    return 0;
}

static void fire_all(void)
{
    while (sim_timers_next(ALL) != NULL)
        sim_timer_fire(sim_timers_next(ALL));
}

static void timers_fire_by_time_and_then_by_turn(void **state)
{
    static const int names[] = {0, 1, 2, 3};
    struct sim_timer timers[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        timers[i] = (struct sim_timer){.fire = note, .ctx = (void *)&names[i]};
    sim_timer_arm(&timers[0], SIM_TIMER_FIRMWARE, 30);
    sim_timer_arm(&timers[1], SIM_TIMER_WORLD, 10);
    sim_timer_arm(&timers[2], SIM_TIMER_FIRMWARE, 10);
    sim_timer_arm(&timers[3], SIM_TIMER_RESTART, 20);
    fire_all();
    assert_int_equal(s_count, 4);
    assert_int_equal(s_fired[0], 1);
    assert_int_equal(s_fired[1], 2);
    assert_int_equal(s_fired[2], 3);
    assert_int_equal(s_fired[3], 0);
}

static void kinds_are_asked_for_one_by_one(void **state)
{
    static const int name = 0;
    struct sim_timer firmware = {.fire = note, .ctx = (void *)&name};
    struct sim_timer world = {.fire = note, .ctx = (void *)&name};

    (void)state;
    sim_timer_arm(&firmware, SIM_TIMER_FIRMWARE, 1);
    sim_timer_arm(&world, SIM_TIMER_WORLD, 2);
    assert_ptr_equal(sim_timers_next(ALL), &firmware);
    assert_ptr_equal(sim_timers_next(SIM_TIMER_WORLD), &world);
    assert_null(sim_timers_next(SIM_TIMER_RESTART));
    fire_all();
}

static void arming_again_moves_a_timer(void **state)
{
    static const int names[] = {0, 1};
    struct sim_timer first = {.fire = note, .ctx = (void *)&names[0]};
    struct sim_timer second = {.fire = note, .ctx = (void *)&names[1]};

    (void)state;
    sim_timer_arm(&first, SIM_TIMER_FIRMWARE, 1);
    sim_timer_arm(&second, SIM_TIMER_FIRMWARE, 2);
    sim_timer_arm(&first, SIM_TIMER_FIRMWARE, 3);
    fire_all();
    assert_int_equal(s_count, 2);
    assert_int_equal(s_fired[0], 1);
    assert_int_equal(s_fired[1], 0);
}

static void a_disarmed_timer_is_silent(void **state)
{
    static const int name = 0;
    struct sim_timer timer = {.fire = note, .ctx = (void *)&name};

    (void)state;
    sim_timer_arm(&timer, SIM_TIMER_FIRMWARE, 1);
    sim_timer_disarm(&timer);
    sim_timer_disarm(&timer);
    assert_false(timer.armed);
    assert_null(sim_timers_next(ALL));
}

static void arm_again(void *ctx)
{
    struct sim_timer *const timer = ctx;

    if (++s_count < 3)
        sim_timer_arm(timer, SIM_TIMER_FIRMWARE, timer->due_us + 10);
}

static void a_timer_may_arm_itself_as_it_fires(void **state)
{
    struct sim_timer timer = {.fire = arm_again};

    (void)state;
    timer.ctx = &timer;
    sim_timer_arm(&timer, SIM_TIMER_FIRMWARE, 10);
    fire_all();
    assert_int_equal(s_count, 3);
    assert_int_equal(timer.due_us, 30);
}

static void a_stopped_cpu_fires_nothing_but_what_comes_later(void **state)
{
    static const int names[] = {0, 1};
    static struct sim_timer before[2], watchdog;

    (void)state;
    for (int i = 0; i < 2; i++) {
        before[i] = (struct sim_timer){.fire = note, .ctx = (void *)&names[0]};
        sim_timer_arm(&before[i], SIM_TIMER_FIRMWARE, 10 + i);
    }
    watchdog = (struct sim_timer){.fire = note, .ctx = (void *)&names[1]};
    sim_timers_stop();
    sim_timers_stop();
    sim_timer_arm(&watchdog, SIM_TIMER_WORLD, 20);
    fire_all();
    assert_int_equal(s_count, 1);
    assert_int_equal(s_fired[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(timers_fire_by_time_and_then_by_turn, reset),
        cmocka_unit_test_setup(kinds_are_asked_for_one_by_one, reset),
        cmocka_unit_test_setup(arming_again_moves_a_timer, reset),
        cmocka_unit_test_setup(a_disarmed_timer_is_silent, reset),
        cmocka_unit_test_setup(a_timer_may_arm_itself_as_it_fires, reset),
        cmocka_unit_test_setup(a_stopped_cpu_fires_nothing_but_what_comes_later, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
