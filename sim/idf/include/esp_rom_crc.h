/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_ROM_CRC_H
#define ESP_ROM_CRC_H
/* The ROM's CRC: components/esp_rom. The CRC-32 of zlib with 0 as `crc`; then on from there. */
#include <stdint.h>

uint32_t esp_rom_crc32_le(uint32_t crc, uint8_t const *buf, uint32_t len);

#endif
