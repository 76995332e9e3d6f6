/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_OTA_DRY_RUN_H
#define ESP_OTA_DRY_RUN_H
#include "cli.h"

/* esp-ota update --dry-run: what would be done, and every reason against it. Returns the exit
 * status. */
int dry_run(struct cli_context *context);

#endif
