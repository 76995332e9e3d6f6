/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CRC32_H
#define SIM_CRC32_H
/* The CRC-32 of the chip's ROM: zlib's, whose first `crc` is 0, and whose next is the last one. */
#include <stddef.h>
#include <stdint.h>

uint32_t crc32_le(uint32_t crc, const uint8_t *bytes, size_t len);

#endif
