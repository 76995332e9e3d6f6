/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_IMAGE_VERIFY_H
#define SIM_IMAGE_VERIFY_H
/*
 * The verification of an application image in flash as ESP-IDF's bootloader_support does it: its
 * checks, its order, its codes. On purpose not common/fw_image, which is stricter.
 */
#include <stdbool.h>
#include <stdint.h>

#include "chip.h"

/* esp_err_t, as ESP-IDF numbers them. */
enum image_result {
    IMAGE_OK = 0,
    IMAGE_FAIL = -1,
    IMAGE_INVALID_ARG = 0x102,
    IMAGE_INVALID = 0x2002,
};

struct image_info {
    uint32_t bytes; /* digest included */
    uint8_t segment_count;
    bool digest_appended;
    uint8_t digest[32];
    bool has_descriptor;
    uint8_t descriptor[256]; /* esp_app_desc_t, raw */
};

enum image_use {
    IMAGE_USE_VERIFY, /* the application's look at a slot */
    IMAGE_USE_BOOT,   /* the boot loader's: RAM segments must go where it can put them */
};

/* Everything in *ret is zero on failure, as ESP-IDF leaves it. */
int image_verify(struct flash *flash, const struct chip_model *model, uint32_t offset,
                 uint32_t partition_size, enum image_use use, struct image_info *ret);

/* A string of the descriptor: NUL-terminated also where it fills its 32 bytes. */
void image_descriptor_version(const uint8_t descriptor[256], char ret[33]);
void image_descriptor_project(const uint8_t descriptor[256], char ret[33]);

#endif
