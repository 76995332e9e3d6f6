/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_NOISE_H
#define TEST_NOISE_H
/* Bytes that look random and are the same in every run. */
#include <stdint.h>

/* `state` is anything but 0, and is left at what the next call needs (xorshift32). */
uint32_t noise_next(uint32_t *state);

/* 0 to limit - 1. */
uint32_t noise_below(uint32_t *state, uint32_t limit);

#endif
