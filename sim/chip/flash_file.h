/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_FLASH_FILE_H
#define SIM_FLASH_FILE_H
/* The file that holds the flash chip: made new, as a factory would program it, or opened. */
#include <stddef.h>
#include <stdint.h>

#include "chip.h"

/* A factory image: a valid application that does nothing. */
struct factory_image {
    const char *project, *version; /* at most 31 characters */
    const char *marker;            /* bytes that hosts look for in an image; NULL: none */
    uint32_t secure_version;
};

#define FACTORY_IMAGE_MAX 512

/* Returns the bytes written into `buf`. */
size_t factory_image_build(const struct chip_model *model, const struct factory_image *image,
                           uint8_t buf[FACTORY_IMAGE_MAX]);

/*
 * Makes the file if there is none: all erased but for the table and, in the factory partition or
 * else in the first OTA slot, the image. An existing file is left alone. Returns an open
 * descriptor, or -errno with a sentence in `why`: also when the table does not fit `size`, or an
 * existing file has another size.
 */
int flash_file_open(const char *path, uint32_t size, const struct chip_model *model,
                    const struct partition_table *table, const struct factory_image *image,
                    char *why, size_t why_size);

#endif
