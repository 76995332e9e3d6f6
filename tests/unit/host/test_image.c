/* SPDX-License-Identifier: Apache-2.0 */
#include "test_image.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS (24 + 8)
#define DIGEST  32

static void put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

void test_image_seal(uint8_t *image, size_t size)
{
    const size_t body = size - (image[23] ? DIGEST : 0);
    uint8_t checksum = 0xef;

    /* One segment, from behind its header to the checksum's 16-byte line. */
    const size_t segment = (size_t)image[28] | (size_t)image[29] << 8 | (size_t)image[30] << 16 |
                           (size_t)image[31] << 24;

    for (size_t i = 0; i < segment; i++)
        checksum ^= image[HEADERS + i];
    image[body - 1] = checksum;
    if (image[23])
        SHA256(image, body, image + body);
}

uint8_t *test_image(uint16_t chip_id, size_t size, bool digest)
{
    uint8_t *image = calloc(1, size);
    const size_t body = size - (digest ? DIGEST : 0);
    const size_t segment = body - HEADERS - 4; /* the checksum's line needs padding of 0 to 15 */
    static const uint32_t ram[] = {[0] = 0x3ffb0000, [5] = 0x3fc80000, [9] = 0x3fc90000};

    image[0] = 0xe9;
    image[1] = 1; /* segment */
    put_le32(image + 4, 0x40080000);
    image[12] = (uint8_t)chip_id;
    image[13] = (uint8_t)(chip_id >> 8);
    image[23] = digest;
    put_le32(image + 24, ram[chip_id]);
    put_le32(image + 28, (uint32_t)segment);
    put_le32(image + HEADERS, 0xabcd5432);
    strcpy((char *)image + HEADERS + 16, "2.0.0");
    strcpy((char *)image + HEADERS + 48, "test");
    strcpy((char *)image + HEADERS + 184, "esp-hosted-ota-ext-1");
    for (size_t i = HEADERS + 256; i < HEADERS + segment; i++)
        image[i] = (uint8_t)(i * 7 + i / 251);
    test_image_seal(image, size);
    return image;
}
