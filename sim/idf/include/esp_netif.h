/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_NETIF_H
#define ESP_NETIF_H
/* The firmware has no IP stack of its own: this is all of it that Wi-Fi wants. */
#include "esp_err.h"

esp_err_t esp_netif_init(void);

#endif
