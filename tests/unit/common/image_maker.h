/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_IMAGE_MAKER_H
#define TEST_IMAGE_MAKER_H
/*
 * Images put together segment by segment, valid or not, and what a reader says to them. Written
 * against the format's description, not against the reader: nothing of fw_image.c is used to make
 * an image.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fw_image.h"

#define IMAGE_MAX_BYTES 0x22000

#define AT_SEGMENT_COUNT 1
#define AT_CHIP_ID       12
#define AT_HASH_FLAG     23
#define AT_DESCRIPTOR    32

struct image {
    size_t len;
    uint8_t bytes[IMAGE_MAX_BYTES];
};

/* ESP-IDF's smallest useful ESP32 application: 336 bytes, which esptool calls valid. */
extern const uint8_t image_golden[336];

/* A header without segments. */
void image_start(struct image *image, uint16_t chip_id, bool digest);

/* A segment of `len` bytes, which begin with a descriptor when it is the first and long enough. */
void image_add(struct image *image, uint32_t load_address, size_t len);

/* Padding, checksum and, when the flag in the header says so, digest. */
void image_seal(struct image *image);

/* Makes the digest at the end of `size` bytes anew. */
void image_redo_digest(uint8_t *bytes, size_t size);

void put_le16(uint8_t *at, uint16_t value);
void put_le32(uint8_t *at, uint32_t value);

/* What a reader made of some bytes. */
struct verdict {
    enum fw_image_error error;
    struct fw_image_info info;
};

/* Feeds `len` bytes in pieces of `piece`, and says that they have ended. */
struct verdict image_read(const uint8_t *bytes, size_t len, size_t piece);

/* A SHA-256 for a reader; to be given to hash_end(). */
struct fw_image_hash hash_begin(void);
void hash_end(const struct fw_image_hash *hash);

#endif
