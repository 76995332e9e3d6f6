/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_RESTART_H
#define OTA_RESTART_H
/* The one restart that an update or a rollback ends in, after its reply has gone out. */
#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

/* What can fail, before anything is selected: a refusal after that would be a lie. */
esp_err_t ota_restart_prepare(void);

/* Calls `action`, which restarts the chip, when that time is over. After a prepare that went well.
 * If it comes back there is no restart any more. */
void ota_restart_after(uint32_t ms, void (*action)(void));

bool ota_restart_is_due(void);

#endif
