/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_TIMERS_H
#define SIM_TIMERS_H
/*
 * What is to happen later on this chip. The list lives in the chip's RAM: a reset forgets it.
 * Timers fire from the main loop only, in the order of their times, equal ones as they were armed.
 */
#include <stdbool.h>
#include <stdint.h>

/* What makes a timer fire while the clock is a computed one; in real time all are equal. */
enum sim_timer_kind {
    SIM_TIMER_IDLE = 0,     /* never armed so far */
    SIM_TIMER_FIRMWARE = 1, /* `advance` only */
    SIM_TIMER_WORLD = 2,    /* by itself: the radio, the event loop, the watchdog */
    SIM_TIMER_RESTART = 4,  /* the restart after an update: by itself, once its reply was taken */
};

struct sim_timer {
    void (*fire)(void *ctx);
    void *ctx;
    int64_t due_us; /* on the simulator's clock */
    enum sim_timer_kind kind;
    bool armed;
    struct sim_timer *next;
};

/* Arms a timer, anew if it was armed. The timer is the caller's and must stay until it fires. */
void sim_timer_arm(struct sim_timer *timer, enum sim_timer_kind kind, int64_t due_us);
void sim_timer_disarm(struct sim_timer *timer);

/* The CPU stops: no timer that is armed now fires any more, and none of them may be touched again.
 */
void sim_timers_stop(void);

/* The next timer among `kinds` (a sum of enum sim_timer_kind), or NULL. */
struct sim_timer *sim_timers_next(unsigned kinds);

/* Takes the timer off the list and calls it. */
void sim_timer_fire(struct sim_timer *timer);

#endif
