/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_IMAGE_FORMAT_H
#define ESP_IMAGE_FORMAT_H
/* ESP-IDF, components/bootloader_support: error numbers of an image's verification. */
#include "esp_err.h"

#define ESP_ERR_IMAGE_BASE       0x2000
#define ESP_ERR_IMAGE_FLASH_FAIL (ESP_ERR_IMAGE_BASE + 1)
#define ESP_ERR_IMAGE_INVALID    (ESP_ERR_IMAGE_BASE + 2)

#endif
