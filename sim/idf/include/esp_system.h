/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_SYSTEM_H
#define ESP_SYSTEM_H
#include <stdint.h>

#include "esp_attr.h"
#include "esp_err.h"

typedef enum {
    ESP_RST_UNKNOWN,
    ESP_RST_POWERON,
    ESP_RST_EXT,
    ESP_RST_SW,
    ESP_RST_PANIC,
    ESP_RST_INT_WDT,
    ESP_RST_TASK_WDT,
    ESP_RST_WDT,
    ESP_RST_DEEPSLEEP,
    ESP_RST_BROWNOUT,
    ESP_RST_SDIO,
    ESP_RST_USB,
    ESP_RST_JTAG,
    ESP_RST_EFUSE,
    ESP_RST_PWR_GLITCH,
    ESP_RST_CPU_LOCKUP,
} esp_reset_reason_t;

/* Called by esp_restart(), the last one first. ESP_ERR_INVALID_STATE: it is one already, is none;
 * ESP_ERR_NO_MEM: five are registered. */
typedef void (*shutdown_handler_t)(void);
esp_err_t esp_register_shutdown_handler(shutdown_handler_t handle);
esp_err_t esp_unregister_shutdown_handler(shutdown_handler_t handle);

void esp_restart(void) __attribute__((__noreturn__));
esp_reset_reason_t esp_reset_reason(void);
/* Panics, with the words on the console. */
void esp_system_abort(const char *details) __attribute__((__noreturn__));

#endif
