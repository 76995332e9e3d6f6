/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_EFUSE_H
#define ESP_EFUSE_H
/* The anti-rollback number in eFuse: components/efuse. */
#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

uint32_t esp_efuse_read_secure_version(void);
/* Whether an application of that number may run. */
bool esp_efuse_check_secure_version(uint32_t secure_version);
/* Bits can be burnt, and stay so: ESP_ERR_INVALID_ARG for a number above what eFuse can hold,
 * ESP_FAIL for a smaller one than before. */
esp_err_t esp_efuse_update_secure_version(uint32_t secure_version);

#endif
