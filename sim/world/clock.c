/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <time.h>

#include "stop.h"

#define TRANSACTION_BITS  (1600 * 8) /* ESP-Hosted: each is one full buffer, both ways */
#define SHORTEST_SLEEP_US 1000
#define GAP_US            150 /* re-arming and scheduling; from upstream's throughput at 10 MHz */

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

void sim_clock_init(struct sim_clock *clock, enum sim_clock_mode mode, unsigned bus_mhz)
{
    *clock = (struct sim_clock){
        .mode = mode,
        .start_us = monotonic_us(),
        .transaction_us = TRANSACTION_BITS / (int64_t)bus_mhz + GAP_US,
    };
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

void sim_clock_spend_us(struct sim_clock *clock, int64_t us)
{
    if (clock->mode == SIM_CLOCK_REAL)
        sleep_for(clock, us);
    if (clock->mode == SIM_CLOCK_VIRTUAL)
        clock->now_us += us;
}

void sim_clock_move_to(struct sim_clock *clock, int64_t us)
{
    if (clock->mode == SIM_CLOCK_REAL)
        return;
    clock->now_us = later(clock->now_us, us);
    clock->bus_free_us = later(clock->bus_free_us, clock->now_us); /* it was idle meanwhile */
}

void sim_clock_frame_received(struct sim_clock *clock)
{
    if (clock->mode != SIM_CLOCK_VIRTUAL)
        return;
    clock->bus_free_us += clock->transaction_us;
    clock->now_us = later(clock->now_us, clock->bus_free_us);
    clock->sending = false;
}

void sim_clock_frame_sent(struct sim_clock *clock)
{
    if (clock->mode != SIM_CLOCK_VIRTUAL)
        return;

    /* What a transaction carries is bound when it is armed: the first frame after silence has to
     * wait for the transaction that was armed empty. */
    const int64_t transactions = clock->sending ? 1 : 2;

    clock->bus_free_us = later(clock->bus_free_us, clock->now_us);
    clock->bus_free_us += transactions * clock->transaction_us;
    clock->sending = true;
}
