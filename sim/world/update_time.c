/* SPDX-License-Identifier: Apache-2.0 */
#include "update_time.h"

#include <string.h>

void update_time_request(struct update_time *time, const struct sim_clock *clock)
{
    time->request.at_us = sim_clock_now_us(clock);
    memcpy(time->request.spent_us, clock->spent_us, sizeof(time->request.spent_us));
}

void update_time_begin(struct update_time *time)
{
    time->update = time->request;
}

int64_t update_time_split(const struct update_time *time, const struct sim_clock *clock,
                          int64_t ret_us[SPENT_KINDS])
{
    for (int i = 0; i < SPENT_KINDS; i++)
        ret_us[i] = clock->spent_us[i] - time->update.spent_us[i];
    return sim_clock_now_us(clock) - time->update.at_us;
}
