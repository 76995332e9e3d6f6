/* SPDX-License-Identifier: Apache-2.0 */
#include "update_watch.h"

#include "world.h"

static bool s_selected;

void update_watch_begin(const char *slot)
{
    s_selected = false;
    events_begin(&world->events, world_now_us(), slot);
}

void update_watch_write(uint32_t offset, uint32_t length)
{
    events_write(&world->events, world_now_us(), offset, length);
}

void update_watch_end(esp_err_t result)
{
    s_selected = result == ESP_OK;
    events_end(&world->events, world_now_us(), result);
}

void update_watch_expect_restart(void)
{
    s_selected = true;
}

bool update_watch_is_selected(void)
{
    return s_selected;
}
