/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_system.h"

#include <stddef.h>

#include "esp_log.h"
#include "shutdown.h"
#include "world.h"

#define HANDLERS 5

static shutdown_handler_t s_handlers[HANDLERS];

/* Where that one is, or the first free place for it; HANDLERS: nowhere. */
static size_t find_handler(shutdown_handler_t handler)
{
    size_t i = 0;

    while (i < HANDLERS && s_handlers[i] != handler && s_handlers[i] != NULL)
        i++;
    return i;
}

esp_err_t esp_register_shutdown_handler(shutdown_handler_t handle)
{
    const size_t i = find_handler(handle);

    if (i == HANDLERS)
        return ESP_ERR_NO_MEM;
    if (s_handlers[i] == handle)
        return ESP_ERR_INVALID_STATE;
    s_handlers[i] = handle;
    return ESP_OK;
}

esp_err_t esp_unregister_shutdown_handler(shutdown_handler_t handle)
{
    for (size_t i = 0; i < HANDLERS; i++) {
        if (s_handlers[i] == handle) {
            s_handlers[i] = NULL;
            return ESP_OK;
        }
    }
    return ESP_ERR_INVALID_STATE;
}

void sim_run_shutdown_handlers(void)
{
    for (size_t i = HANDLERS; i-- > 0;) {
        if (s_handlers[i] != NULL)
            s_handlers[i]();
    }
}

void esp_restart(void)
{
    sim_run_shutdown_handlers();
    world_reset(WORLD_RESET_SOFTWARE);
}

void esp_system_abort(const char *details)
{
    ESP_LOGE("panic", "%s", details);
    world_reset(WORLD_RESET_PANIC);
}

esp_reset_reason_t esp_reset_reason(void)
{
    static const esp_reset_reason_t reasons[] = {
        [WORLD_RESET_POWER_ON] = ESP_RST_POWERON,
        [WORLD_RESET_EXTERNAL] = ESP_RST_POWERON, /* EN cuts the chip's power domain */
        [WORLD_RESET_SOFTWARE] = ESP_RST_SW,
        [WORLD_RESET_PANIC] = ESP_RST_PANIC,
        [WORLD_RESET_WATCHDOG] = ESP_RST_WDT,
    };

    return reasons[world->reset];
}
