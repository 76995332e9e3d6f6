/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_OTA_WIFI_H
#define ESP_OTA_WIFI_H
#include "cli.h"

/* esp-ota wifi ...: the station's network. Each returns the exit status. */
int wifi_connect(struct cli_context *context);
int wifi_disconnect(struct cli_context *context);
int wifi_status(struct cli_context *context);
int wifi_scan(struct cli_context *context);

#endif
