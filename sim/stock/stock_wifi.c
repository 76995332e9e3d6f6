/* SPDX-License-Identifier: Apache-2.0 */
/* Stock firmware: what both kinds ask of Wi-Fi in the same way. */
#include <stdio.h>
#include <string.h>

#include "mac.h"
#include "stock.h"

void stock_mac_text(const uint8_t mac[6], char ret[STOCK_MAC_TEXT_BYTES])
{
    snprintf(ret, STOCK_MAC_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
}

static bool interface_of_mode(int32_t mode, wifi_interface_t *ret)
{
    if (mode != WIFI_MODE_STA && mode != WIFI_MODE_AP)
        return false;
    *ret = mode == WIFI_MODE_STA ? WIFI_IF_STA : WIFI_IF_AP;
    return true;
}

bool stock_get_mac_text(int32_t mode, char ret[STOCK_MAC_TEXT_BYTES])
{
    uint8_t mac[6];
    wifi_interface_t interface;

    if (!interface_of_mode(mode, &interface) || esp_wifi_get_mac(interface, mac) != ESP_OK)
        return false;
    stock_mac_text(mac, ret);
    return true;
}

int32_t stock_set_mac_text(int32_t mode, const uint8_t *text, size_t len)
{
    char terminated[STOCK_MAC_TEXT_BYTES] = "";
    uint8_t mac[6];
    wifi_interface_t interface;

    if (len >= sizeof(terminated))
        return STOCK_FAILURE;
    memcpy(terminated, text, len);
    if (mac_parse(terminated, mac) < 0 || !interface_of_mode(mode, &interface) ||
        esp_wifi_set_mac(interface, mac) != ESP_OK)
        return STOCK_FAILURE;
    return STOCK_SUCCESS;
}

size_t stock_scan(struct stock_ap found[STOCK_MAX_FOUND])
{
    const wifi_scan_config_t config = {.show_hidden = true};
    size_t count = 0;

    if (esp_wifi_set_mode(WIFI_MODE_STA) != ESP_OK || esp_wifi_scan_start(&config, true) != ESP_OK)
        return 0;
    while (count < STOCK_MAX_FOUND && esp_wifi_scan_get_ap_record(&found[count].record) == ESP_OK) {
        stock_mac_text(found[count].record.bssid, found[count].bssid);
        count++;
    }
    return count;
}

void stock_put_text(uint8_t *field, size_t size, const char *text)
{
    const size_t len = text != NULL ? strlen(text) : 0;

    memset(field, 0, size);
    memcpy(field, text != NULL ? text : "", len < size ? len : size);
}

bool stock_put_bssid(wifi_sta_config_t *config, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return true;
    if (mac_parse(text, config->bssid) < 0)
        return false;
    config->bssid_set = true;
    return true;
}
