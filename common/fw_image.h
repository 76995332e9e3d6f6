/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_FW_IMAGE_H
#define HOSTED_FW_IMAGE_H
/*
 * Reader of ESP application images, fed piece by piece: nothing is stored but the header, the
 * application descriptor and the digest. It is stricter than the chip's own verification: an
 * image must have a segment and a descriptor to be of use to anybody.
 *
 * Source of the format and its limits: ESP-IDF v5.5 esp_image_format.c, esp_app_desc.h, esptool 5.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_IMAGE_DIGEST_BYTES 32

/* Bytes from the start after which everything in struct fw_image_info but the length is known. */
#define FW_IMAGE_HEAD_BYTES 288

enum fw_chip {
    FW_CHIP_ESP32 = 0x0000,
    FW_CHIP_ESP32S2 = 0x0002,
    FW_CHIP_ESP32C3 = 0x0005,
    FW_CHIP_ESP32S3 = 0x0009,
    FW_CHIP_ESP32C2 = 0x000C,
    FW_CHIP_ESP32C6 = 0x000D,
    FW_CHIP_ESP32H2 = 0x0010,
    FW_CHIP_ESP32P4 = 0x0012,
    FW_CHIP_ESP32C61 = 0x0014,
    FW_CHIP_ESP32C5 = 0x0017,
    FW_CHIP_ESP32H21 = 0x0019,
    FW_CHIP_ESP32H4 = 0x001C,
    FW_CHIP_ESP32S31 = 0x0020,
};

enum fw_image_error {
    FW_IMAGE_OK = 0,
    FW_IMAGE_EMPTY,
    FW_IMAGE_BAD_MAGIC,
    FW_IMAGE_UNKNOWN_CHIP,
    FW_IMAGE_BAD_SEGMENT_COUNT,
    FW_IMAGE_BAD_SEGMENT_LENGTH,
    FW_IMAGE_BAD_SEGMENT_ADDRESS, /* a mapped segment that does not fit the MMU's pages */
    FW_IMAGE_NO_DESCRIPTOR,
    FW_IMAGE_BAD_HASH_FLAG,
    FW_IMAGE_TRUNCATED,
    FW_IMAGE_BAD_CHECKSUM,
    FW_IMAGE_BAD_DIGEST,
};

/* Strings are NUL-terminated here, also where the image fills its field. */
struct fw_image_info {
    uint16_t chip_id;
    uint8_t segment_count;
    bool digest_appended;
    uint16_t min_chip_rev, max_chip_rev; /* major * 100 + minor; 0 or 65535: no limit */
    uint32_t entry_address;
    uint32_t secure_version;
    char version[33];
    char project[33];
    char idf_version[33];
    uint8_t elf_sha256[32];
    uint32_t image_bytes; /* without what may follow the image in a file; 0 until all is read */
};

/*
 * SHA-256, supplied by the caller: libcrypto on a host, mbedtls on the chip. The reader gives every
 * byte before the appended digest to `update`, and asks for their digest before it takes another;
 * without an appended digest it never asks.
 */
struct fw_image_hash {
    void *ctx;
    void (*update)(void *ctx, const void *data, size_t len);
    void (*finish)(void *ctx, uint8_t digest[FW_IMAGE_DIGEST_BYTES]);
};

enum fw_image_state {
    FW_IMAGE_IN_HEADER,
    FW_IMAGE_IN_SEGMENT_HEADER,
    FW_IMAGE_IN_SEGMENT,
    FW_IMAGE_IN_PADDING,
    FW_IMAGE_IN_DIGEST,
    FW_IMAGE_BEHIND_END,
};

/* Private to fw_image.c, here so that the caller can place it; read `info` and `error` only. */
struct fw_image_reader {
    struct fw_image_info info;
    enum fw_image_error error; /* why feed or finish failed */
    bool head_known;           /* `info` is valid but for image_bytes */
    enum fw_image_state state;
    struct fw_image_hash hash;
    uint64_t offset; /* of the next byte in the image */
    uint32_t state_left;
    uint32_t segments_left;
    uint32_t page_bytes;    /* of the chip's MMU */
    uint32_t first_address; /* where segment 0 is loaded */
    uint8_t checksum;
    uint8_t head[FW_IMAGE_HEAD_BYTES];
    uint8_t digest[FW_IMAGE_DIGEST_BYTES]; /* what the appended one must be */
    uint8_t small[FW_IMAGE_DIGEST_BYTES];  /* a segment header or the digest, as it comes in */
};

/* `hash` may be NULL: the digest is then not checked. It is copied; hash->ctx is borrowed. */
void fw_image_reader_init(struct fw_image_reader *reader, const struct fw_image_hash *hash);

/*
 * Takes the next bytes of the file, of any number. Returns 0, or -EBADMSG as soon as they cannot
 * belong to a valid image, with reader->error set; every further call then returns the same.
 * Bytes behind the image's end are taken and ignored, as the chip does.
 */
int fw_image_reader_feed(struct fw_image_reader *reader, const void *data, size_t len);

/* Says that the file has ended. Returns 0 when the image was whole and valid, else -EBADMSG. */
int fw_image_reader_finish(struct fw_image_reader *reader);

/* "the checksum is wrong: the file is damaged", for a message; never NULL. */
const char *fw_image_error_text(enum fw_image_error error);

/* "ESP32-C3"; NULL for an id that no chip has. */
const char *fw_chip_name(uint16_t chip_id);

/* Understands "esp32c3", "ESP32-C3". Returns the chip id or -EINVAL. */
int fw_chip_by_name(const char *name);

#endif
