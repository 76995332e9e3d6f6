/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_OTA_TRIAL_H
#define ESP_OTA_TRIAL_H
#include "cli.h"

/* The commands `confirm [VERSION]` and `rollback`. */
int trial_confirm(struct cli_context *context);
int trial_rollback(struct cli_context *context);

#endif
