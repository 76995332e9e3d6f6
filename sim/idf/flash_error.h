/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_FLASH_ERROR_H
#define SIM_FLASH_ERROR_H
#include "esp_err.h"

/* What ESP-IDF's flash driver makes of a result of sim/chip/flash.h. */
esp_err_t sim_flash_error(int rc);

#endif
