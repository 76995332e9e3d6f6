/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H
/*
 * The simulator's time, in microseconds since its start; resets of the ESP32 do not touch it.
 *
 * real:    the host's monotonic clock; what takes time on the chip sleeps.
 * none:    nothing takes time; the clock moves by `advance` and to the timers that fire.
 * virtual: a computed clock. It is the time of the CPU; the bus has a free-at time of its own. What
 *          the CPU waits for (flash, a frame) moves it, and scheduling on the host never does.
 */
#include <stdbool.h>
#include <stdint.h>

enum sim_clock_mode {
    SIM_CLOCK_REAL,
    SIM_CLOCK_VIRTUAL,
    SIM_CLOCK_NONE,
};

struct sim_clock {
    enum sim_clock_mode mode;
    int64_t start_us;       /* real: the monotonic clock at the start */
    int64_t busy_until_us;  /* real: the end of the work that is being slept for */
    int64_t now_us;         /* virtual, none */
    int64_t bus_free_us;    /* virtual: end of the last transaction */
    int64_t transaction_us; /* one SPI transaction and the gap behind it */
    bool sending;           /* virtual: the last transaction carried a frame to the host */
};

/* Starts the clock at 0. The bus runs at `bus_mhz`. */
void sim_clock_init(struct sim_clock *clock, enum sim_clock_mode mode, unsigned bus_mhz);

int64_t sim_clock_now_us(const struct sim_clock *clock);

/* The chip is busy for so long: sleeps, computes, or does nothing. */
void sim_clock_spend_us(struct sim_clock *clock, int64_t us);

/* Moves a computed clock forward to `us`; never back, and never the real one. */
void sim_clock_move_to(struct sim_clock *clock, int64_t us);

/* One frame crossed the bus: the CPU sees what arrives when its transaction is over. */
void sim_clock_frame_received(struct sim_clock *clock);
void sim_clock_frame_sent(struct sim_clock *clock);

#endif
