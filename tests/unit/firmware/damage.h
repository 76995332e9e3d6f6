/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAMAGE_H
#define DAMAGE_H
/* Bytes at random, the same in every run, and requests that went wrong on their way. */
#include <stddef.h>
#include <stdint.h>

/* From 0 on, below `below`. */
uint32_t draw(uint32_t below);

void fill_at_random(uint8_t *bytes, size_t len);

/* Changes, takes out or doubles some of the bytes; returns how many there are then. */
size_t damage(uint8_t *bytes, size_t len, size_t size);

/* Sends every beginning of that message to the firmware, and every beginning of its protobuf part
 * as a message that is whole; it must stay alive. Returns how many there were. */
size_t damage_cut(const char *endpoint, const uint8_t *message, size_t len);

#endif
