/* SPDX-License-Identifier: Apache-2.0 */
/* Stock firmware: the update, straight on esp_ota_*. */
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "stock.h"

#define RESTART_AFTER_US (5 * 1000 * 1000)

static esp_ota_handle_t s_handle;
static const esp_partition_t *s_partition;

static void restart(void *arg)
{
    (void)arg;
    esp_restart();
}

esp_err_t stock_ota_begin(void)
{
    s_partition = esp_ota_get_next_update_partition(NULL);
    if (s_partition == NULL)
        return ESP_ERR_NOT_FOUND;
    return esp_ota_begin(s_partition, OTA_SIZE_UNKNOWN, &s_handle);
}

esp_err_t stock_ota_write(const uint8_t *data, size_t len)
{
    return esp_ota_write(s_handle, data, len);
}

esp_err_t stock_ota_end(void)
{
    const esp_timer_create_args_t once = {.callback = restart};
    esp_timer_handle_t timer;
    esp_err_t rc = esp_ota_end(s_handle);

    if (rc == ESP_OK)
        rc = esp_ota_set_boot_partition(s_partition);
    if (rc == ESP_OK)
        rc = esp_timer_create(&once, &timer);
    if (rc == ESP_OK)
        rc = esp_timer_start_once(timer, RESTART_AFTER_US);
    return rc;
}
