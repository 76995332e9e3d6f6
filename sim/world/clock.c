/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <time.h>

#include "stop.h"

#define SHORTEST_SLEEP_US 1000

static int64_t monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void sim_clock_init(struct sim_clock *clock, enum sim_clock_mode mode)
{
    *clock = (struct sim_clock){.mode = mode, .start_us = monotonic_us()};
}

int64_t sim_clock_now_us(const struct sim_clock *clock)
{
    return clock->mode == SIM_CLOCK_REAL ? monotonic_us() - clock->start_us : clock->now_us;
}

/* Work shorter than what a sleep is good for is added up. */
static void sleep_for(struct sim_clock *clock, int64_t us)
{
    clock->busy_until_us = later(clock->busy_until_us, monotonic_us()) + us;

    int64_t left_us = clock->busy_until_us - monotonic_us();

    while (left_us >= SHORTEST_SLEEP_US && !stop_requested()) {
        stop_poll(NULL, 0, left_us);
        left_us = clock->busy_until_us - monotonic_us();
    }
}

void sim_clock_spend_us(struct sim_clock *clock, enum sim_spent kind, int64_t us)
{
    if (clock->mode == SIM_CLOCK_NONE)
        return;
    clock->spent_us[kind] += us;
    if (clock->mode == SIM_CLOCK_REAL)
        sleep_for(clock, us);
    else
        clock->now_us += us;
}

void sim_clock_wait_tick(struct sim_clock *clock, int64_t period_us)
{
    if (period_us > 0)
        sim_clock_spend_us(clock, SPENT_SLEEP, period_us - sim_clock_now_us(clock) % period_us);
}

void sim_clock_move_to(struct sim_clock *clock, int64_t us)
{
    if (clock->mode == SIM_CLOCK_REAL || us <= clock->now_us)
        return;
    clock->spent_us[SPENT_SLEEP] += us - clock->now_us;
    clock->now_us = us;
}
