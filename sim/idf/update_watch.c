/* SPDX-License-Identifier: Apache-2.0 */
#include "update_watch.h"

#include "world.h"

static bool s_selected;

void update_watch_begin(const char *slot)
{
    s_selected = false;
    update_time_begin(&world->update_time);
    events_begin(&world->events, world_now_us(), slot);
}

void update_watch_write(uint32_t offset, uint32_t length)
{
    events_write(&world->events, world_now_us(), offset, length);
}

static void tell_time(void)
{
    int64_t spent_us[SPENT_KINDS];
    const int64_t total_us = update_time_split(&world->update_time, &world->clock, spent_us);

    events_time(&world->events, world_now_us(), total_us, spent_us);
}

void update_watch_end(esp_err_t result)
{
    s_selected = result == ESP_OK;
    events_end(&world->events, world_now_us(), result);
    if (world->clock.mode != SIM_CLOCK_NONE)
        tell_time();
}

void update_watch_expect_restart(void)
{
    s_selected = true;
}

bool update_watch_is_selected(void)
{
    return s_selected;
}
