/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_ERR_H
#define ESP_ERR_H
/* ESP-IDF's error numbers: components/esp_common. The same in v5.1, v5.5 and v6.0. */
#include <stdint.h>

typedef int esp_err_t;

#define ESP_OK                   0
#define ESP_FAIL                 (-1)
#define ESP_ERR_NO_MEM           0x101
#define ESP_ERR_INVALID_ARG      0x102
#define ESP_ERR_INVALID_STATE    0x103
#define ESP_ERR_INVALID_SIZE     0x104
#define ESP_ERR_NOT_FOUND        0x105
#define ESP_ERR_NOT_SUPPORTED    0x106
#define ESP_ERR_TIMEOUT          0x107
#define ESP_ERR_INVALID_RESPONSE 0x108
#define ESP_ERR_INVALID_CRC      0x109
#define ESP_ERR_INVALID_VERSION  0x10a
#define ESP_ERR_INVALID_MAC      0x10b
#define ESP_ERR_NOT_FINISHED     0x10c
#define ESP_ERR_NOT_ALLOWED      0x10d

#define ESP_ERR_WIFI_BASE     0x3000
#define ESP_ERR_FLASH_BASE    0x6000
#define ESP_ERR_FLASH_OP_FAIL (ESP_ERR_FLASH_BASE + 1)

/* The name of the constant; never NULL. */
const char *esp_err_to_name(esp_err_t code);

/* Aborts, as a panic does, unless x is ESP_OK. */
void sim_error_check(esp_err_t code, const char *file, int line);
#define ESP_ERROR_CHECK(x) sim_error_check((x), __FILE__, __LINE__)

#endif
