/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_mac.h"

#include <string.h>

#include "world.h"

esp_err_t esp_efuse_mac_get_default(uint8_t *mac)
{
    if (mac == NULL)
        return ESP_ERR_INVALID_ARG;
    memcpy(mac, world->mac, sizeof(world->mac));
    return ESP_OK;
}

esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type)
{
    /* Four addresses in a row, ESP-IDF's default. */
    static const uint8_t steps[] = {
        [ESP_MAC_WIFI_STA] = 0, [ESP_MAC_WIFI_SOFTAP] = 1, [ESP_MAC_BT] = 2, [ESP_MAC_ETH] = 3};

    if (type == ESP_MAC_BASE || type == ESP_MAC_EFUSE_FACTORY)
        return esp_efuse_mac_get_default(mac);
    if ((unsigned)type >= sizeof(steps))
        return ESP_ERR_NOT_SUPPORTED;

    const esp_err_t rc = esp_efuse_mac_get_default(mac);

    if (rc == ESP_OK)
        mac[5] = (uint8_t)(mac[5] + steps[type]);
    return rc;
}
