/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_rom_crc.h"

#include "crc32.h"

uint32_t esp_rom_crc32_le(uint32_t crc, uint8_t const *buf, uint32_t len)
{
    return crc32_le(crc, buf, len);
}
