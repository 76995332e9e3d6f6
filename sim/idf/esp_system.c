/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_system.h"

#include "esp_log.h"
#include "world.h"

void esp_restart(void)
{
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
