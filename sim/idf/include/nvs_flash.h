/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NVS_FLASH_H
#define NVS_FLASH_H
/*
 * Initialising and erasing NVS. What the firmware keeps there (Wi-Fi calibration, on a real chip)
 * is not modelled, so that the partition stays as it is.
 */
#include "esp_err.h"
#include "nvs.h"

esp_err_t nvs_flash_init(void);
esp_err_t nvs_flash_erase(void);

#endif
