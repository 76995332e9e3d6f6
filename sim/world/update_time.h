/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_UPDATE_TIME_H
#define SIM_UPDATE_TIME_H
/* What the time of an update went to: from when the host began to send its `begin` until the
 * answer to its `end` is made. */
#include <stdint.h>

#include "clock.h"

struct time_mark {
    int64_t at_us;
    int64_t spent_us[SPENT_KINDS];
};

struct update_time {
    struct time_mark request; /* the begin of the last request: it may have been an update's */
    struct time_mark update;
};

/* The host sends a request. */
void update_time_request(struct update_time *time, const struct sim_clock *clock);

/* The request was the begin of an update. */
void update_time_begin(struct update_time *time);

/* What has been spent since that begin. Returns the whole of it. */
int64_t update_time_split(const struct update_time *time, const struct sim_clock *clock,
                          int64_t ret_us[SPENT_KINDS]);

#endif
