/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_timer.h"

#include <stdlib.h>

#include "timers.h"
#include "update_watch.h"
#include "world.h"

struct esp_timer {
    struct sim_timer timer;
    esp_timer_cb_t callback;
    void *arg;
    uint64_t period_us; /* 0: one shot */
};

static void arm(struct esp_timer *timer, int64_t due_us)
{
    /* What the firmware arms once an update is selected is the restart into it. */
    const bool restarts = timer->period_us == 0 && update_watch_is_selected();

    sim_timer_arm(&timer->timer, restarts ? SIM_TIMER_RESTART : SIM_TIMER_FIRMWARE, due_us);
}

static void fire(void *ctx)
{
    struct esp_timer *const timer = ctx;

    if (timer->period_us != 0)
        arm(timer, timer->timer.due_us + (int64_t)timer->period_us);
    timer->callback(timer->arg); /* may delete the timer */
}

esp_err_t esp_timer_create(const esp_timer_create_args_t *create_args,
                           esp_timer_handle_t *out_handle)
{
    if (create_args == NULL || create_args->callback == NULL || out_handle == NULL)
        return ESP_ERR_INVALID_ARG;

    struct esp_timer *const timer = calloc(1, sizeof(*timer));

    if (timer == NULL)
        return ESP_ERR_NO_MEM;
    timer->timer.fire = fire;
    timer->timer.ctx = timer;
    timer->callback = create_args->callback;
    timer->arg = create_args->arg;
    *out_handle = timer;
    return ESP_OK;
}

static esp_err_t start(struct esp_timer *timer, uint64_t after_us, uint64_t period_us)
{
    if (timer == NULL)
        return ESP_ERR_INVALID_ARG;
    if (timer->timer.armed)
        return ESP_ERR_INVALID_STATE;
    timer->period_us = period_us;
    arm(timer, world_now_us() + (int64_t)after_us);
    return ESP_OK;
}

esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t timeout_us)
{
    return start(timer, timeout_us, 0);
}

esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t period)
{
    const uint64_t shortest_us = 50; /* what the driver rounds up to */

    if (period < shortest_us)
        period = shortest_us;
    return start(timer, period, period);
}

esp_err_t esp_timer_restart(esp_timer_handle_t timer, uint64_t timeout_us)
{
    if (timer == NULL)
        return ESP_ERR_INVALID_ARG;
    if (!timer->timer.armed)
        return ESP_ERR_INVALID_STATE;
    sim_timer_disarm(&timer->timer);
    return start(timer, timeout_us, timer->period_us != 0 ? timeout_us : 0);
}

esp_err_t esp_timer_stop(esp_timer_handle_t timer)
{
    if (timer == NULL)
        return ESP_ERR_INVALID_ARG;
    if (!timer->timer.armed)
        return ESP_ERR_INVALID_STATE;
    sim_timer_disarm(&timer->timer);
    return ESP_OK;
}

esp_err_t esp_timer_delete(esp_timer_handle_t timer)
{
    if (timer == NULL)
        return ESP_ERR_INVALID_ARG;
    sim_timer_disarm(&timer->timer);
    free(timer);
    return ESP_OK;
}

bool esp_timer_is_active(esp_timer_handle_t timer)
{
    return timer != NULL && timer->timer.armed;
}

int64_t esp_timer_get_time(void)
{
    return world_now_us() - world->boot_us;
}
