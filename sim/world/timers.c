/* SPDX-License-Identifier: Apache-2.0 */
#include "timers.h"

#include <stddef.h>

static struct sim_timer *s_first;
static struct sim_timer *s_stopped; /* their memory is still somebody's */

void sim_timer_disarm(struct sim_timer *timer)
{
    struct sim_timer **at = &s_first;

    if (!timer->armed)
        return;
    while (*at != timer)
        at = &(*at)->next;
    *at = timer->next;
    timer->armed = false;
}

void sim_timer_arm(struct sim_timer *timer, enum sim_timer_kind kind, int64_t due_us)
{
    struct sim_timer **at = &s_first;

    sim_timer_disarm(timer);
    while (*at != NULL && (*at)->due_us <= due_us)
        at = &(*at)->next;
    timer->due_us = due_us;
    timer->kind = kind;
    timer->armed = true;
    timer->next = *at;
    *at = timer;
}

void sim_timers_stop(void)
{
    if (s_first == NULL)
        return;
    s_stopped = s_first;
    s_first = NULL;
}

struct sim_timer *sim_timers_next(unsigned kinds)
{
    struct sim_timer *timer = s_first;

    while (timer != NULL && ((unsigned)timer->kind & kinds) == 0)
        timer = timer->next;
    return timer;
}

void sim_timer_fire(struct sim_timer *timer)
{
    sim_timer_disarm(timer);
    timer->fire(timer->ctx);
}
