/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_IMAGE_H
#define TEST_IMAGE_H
/* Valid ESP application images of any size, made by hand. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * `size` bytes in all, a multiple of 16, at least 352 (or 320 without a digest); project "test",
 * version "2.0.0". To be freed.
 */
uint8_t *test_image(uint16_t chip_id, size_t size, bool digest);

/* What the chip's checksum and digest are, put in anew after a change of the bytes before. */
void test_image_seal(uint8_t *image, size_t size);

#endif
