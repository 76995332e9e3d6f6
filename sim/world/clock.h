/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H
/*
 * The simulator's time, in microseconds since its start; resets of the ESP32 do not touch it.
 *
 * real:    the host's monotonic clock; what takes time on the chip sleeps.
 * none:    nothing takes time; the clock moves by `advance` and to the timers that fire.
 * virtual: a computed clock, the time of the CPU. What the CPU waits for (flash, a frame) moves it,
 *          and scheduling on the host never does. The bus has a time of its own: bus_time.h.
 */
#include <stdbool.h>
#include <stdint.h>

enum sim_clock_mode {
    SIM_CLOCK_REAL,
    SIM_CLOCK_VIRTUAL,
    SIM_CLOCK_NONE,
};

/* What time goes to. In virtual time the sum of it all is the time that has passed. */
enum sim_spent {
    SPENT_ERASE,
    SPENT_PROGRAM,
    SPENT_READ,
    SPENT_HASH,
    SPENT_CPU,
    SPENT_BUS,   /* the CPU waits for what is on the bus */
    SPENT_HOST,  /* for the host, which has its answer */
    SPENT_SLEEP, /* for a tick, a timer, a scan */
    SPENT_KINDS,
};

struct sim_clock {
    enum sim_clock_mode mode;
    int64_t start_us;      /* real: the monotonic clock at the start */
    int64_t busy_until_us; /* real: the end of the work that is being slept for */
    int64_t now_us;        /* virtual, none */
    int64_t spent_us[SPENT_KINDS];
};

/* Starts the clock at 0. */
void sim_clock_init(struct sim_clock *clock, enum sim_clock_mode mode);

int64_t sim_clock_now_us(const struct sim_clock *clock);

/* The chip is busy for so long: sleeps, computes, or does nothing. */
void sim_clock_spend_us(struct sim_clock *clock, enum sim_spent kind, int64_t us);

/* Sleeps until the next tick of a scheduler with that period; 0: it has none. */
void sim_clock_wait_tick(struct sim_clock *clock, int64_t period_us);

/* Moves a computed clock forward to `us`; never back, and never the real one. */
void sim_clock_move_to(struct sim_clock *clock, int64_t us);

#endif
