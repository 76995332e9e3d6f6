/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHIP_TIME_H
#define CHIP_TIME_H
/* A world without time or files for tests of the ESP-IDF calls, and the main loop's part of them.
 */
#include <string.h>

#include "timers.h"
#include "world.h"

static struct world s_world;

static inline void world_begin(void)
{
    memset(&s_world, 0, sizeof(s_world));
    sim_clock_init(&s_world.clock, SIM_CLOCK_NONE);
    s_world.events.file = -1;
    s_world.bus.client = -1;
    s_world.air.joined = AIR_NO_AP;
    memcpy(s_world.mac, "\x24\x0a\xc4\x11\x22\x33", 6);
    world = &s_world;
}

/* What happens by itself. */
static inline void world_settle(void)
{
    struct sim_timer *timer;

    while ((timer = sim_timers_next(SIM_TIMER_WORLD)) != NULL)
        sim_timer_fire(timer);
}

/* Fires what is due within so much time, in order. */
static inline void world_advance(int64_t us)
{
    const int64_t end_us = world_now_us() + us;
    struct sim_timer *timer;

    while ((timer = sim_timers_next(SIM_TIMER_FIRMWARE | SIM_TIMER_WORLD)) != NULL &&
           timer->due_us <= end_us) {
        sim_clock_move_to(&world->clock, timer->due_us);
        sim_timer_fire(timer);
    }
    sim_clock_move_to(&world->clock, end_us);
}

#endif
