/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_LITTLE_ENDIAN_H
#define SIM_LITTLE_ENDIAN_H
/* Numbers as they lie in flash. */
#include <stdint.h>

static inline uint16_t get_le16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t get_le32(const uint8_t *at)
{
    return (uint32_t)get_le16(at) | (uint32_t)get_le16(at + 2) << 16;
}

static inline void put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

#endif
