/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_OTA_MONITOR_H
#define ESP_OTA_MONITOR_H
#include "cli.h"

/* esp-ota monitor: events as they come, until a signal ends it. Returns the exit status. */
int monitor_run(struct cli_context *context);

#endif
