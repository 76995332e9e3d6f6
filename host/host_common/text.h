/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_TEXT_H
#define HOST_TEXT_H
/* Texts for people. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Enough for UINT64_MAX with separators. */
#define TEXT_NUMBER_BYTES 27

/* 574000 as "574,000"; returns `buf`. */
const char *text_number(char buf[TEXT_NUMBER_BYTES], uint64_t value);

/*
 * How many of the `left` bytes, at least 1, are the first character, if it is whole UTF-8 and may
 * be shown: 0 for control characters and for marks that turn the writing direction around.
 */
size_t text_printable_utf8(const void *bytes, size_t left);

/*
 * Bytes that anybody may have chosen (the name of a network) as text that a terminal can bear:
 * whole UTF-8 characters stay, control characters and everything else become \xNN. What does not
 * fit into `size` is left out. Returns `buf`.
 */
const char *text_printable(char *buf, size_t size, const void *bytes, size_t len);

/* Two lower-case digits a byte, in `buf` of 2 * len + 1; returns `buf`. */
const char *text_hex(char *buf, const void *bytes, size_t len);

/* "aa:bb:cc:dd:ee:ff", digits of either case. `ret` may be NULL. */
bool text_is_mac(const char *text, uint8_t ret[6]);

#endif
