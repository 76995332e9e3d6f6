/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_PRIVATE_WIFI_H
#define ESP_PRIVATE_WIFI_H
/* How Ethernet frames get in and out of the Wi-Fi driver without an IP stack. */
#include <stdint.h>

#include "esp_err.h"
#include "esp_wifi.h"

typedef esp_err_t (*wifi_rxcb_t)(void *buffer, uint16_t len, void *eb);

/* 0, or an esp_err_t. The frame is copied. */
int esp_wifi_internal_tx(wifi_interface_t wifi_if, void *buffer, uint16_t len);
esp_err_t esp_wifi_internal_reg_rxcb(wifi_interface_t ifx, wifi_rxcb_t fn);
/* `buffer` is the `eb` that the callback got: to be given back, for each, when done with it. */
void esp_wifi_internal_free_rx_buffer(void *buffer);

#endif
