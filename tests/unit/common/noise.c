/* SPDX-License-Identifier: Apache-2.0 */
#include "noise.h"

uint32_t noise_next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

uint32_t noise_below(uint32_t *state, uint32_t limit)
{
    return noise_next(state) % limit;
}
