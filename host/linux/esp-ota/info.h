/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_OTA_INFO_H
#define ESP_OTA_INFO_H
#include "cli.h"

/* esp-ota info: who is behind the control device. Returns the exit status. */
int info_run(struct cli_context *context);

#endif
