/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_restart.h"

#include <stddef.h>

#include "esp_log.h"
#include "esp_timer.h"

static const char s_tag[] = "ota_restart";

static esp_timer_handle_t s_timer;
static void (*s_action)(void);
static volatile bool s_due; /* the timer has a task of its own */

static void fire(void *arg)
{
    (void)arg;
    s_action();
    s_due = false;
}

esp_err_t ota_restart_prepare(void)
{
    const esp_timer_create_args_t args = {.callback = fire, .name = "ota_restart"};

    return s_timer != NULL ? ESP_OK : esp_timer_create(&args, &s_timer);
}

void ota_restart_after(uint32_t ms, void (*action)(void))
{
    s_action = action;
    s_due = true;

    const esp_err_t err = esp_timer_start_once(s_timer, (uint64_t)ms * 1000);

    if (err != ESP_OK) /* what was decided is in flash: the next reset does it */
        ESP_LOGW(s_tag, "restart timer: %s", esp_err_to_name(err));
}

bool ota_restart_is_due(void)
{
    return s_due;
}
