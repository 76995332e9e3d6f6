/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of ESP-IDF behind which nothing is to be modelled. */
#include "esp_netif.h"
#include "nvs_flash.h"

esp_err_t nvs_flash_init(void)
{
    return ESP_OK;
}

esp_err_t nvs_flash_erase(void)
{
    return ESP_OK;
}

esp_err_t esp_netif_init(void)
{
    return ESP_OK;
}
