/* SPDX-License-Identifier: Apache-2.0 */
#include "chip.h"

#include <errno.h>
#include <stddef.h>

#define LIMIT_16M  0x1000000u
#define LIMIT_NONE UINT32_MAX

#define SECURE_VERSION_BITS 16 /* CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD, most chips' */

struct chip the_chip;

static const struct chip_model models[] = {
    {
        .id = 0x0000,
        .name = "esp32",
        .instruction_ram = 0x40080000,
        .boot_loader_offset = 0x1000,
        .revision = 300,
        .mapped = {{0x3f400000, 0x3f800000}, {0x400d0000, 0x40400000}},
        .loaded = {{0x3ffae000, 0x40000000},
                   {0x40080000, 0x400aa000},
                   {0x400c0000, 0x400c2000},
                   {0x3ff80000, 0x3ff82000},
                   {0x50000000, 0x50002000}},
        .segment_limit = LIMIT_16M,
        .hash_bytes_per_us = 8,
        .hash_by_cpu_bytes_per_us = 2,
    },
    {
        .id = 0x0002,
        .name = "esp32s2",
        .instruction_ram = 0x40022000,
        .boot_loader_offset = 0x1000,
        .revision = 100,
        .mapped = {{0x3f000000, 0x3ff80000}, {0x40080000, 0x40800000}},
        .loaded = {{0x3ffb0000, 0x40000000},
                   {0x40020000, 0x40070000},
                   {0x40070000, 0x40072000},
                   {0x50000000, 0x50002000}},
        .segment_limit = LIMIT_16M,
        .hash_bytes_per_us = 90,
    },
    {
        .id = 0x0005,
        .name = "esp32c3",
        .instruction_ram = 0x40380000,
        .boot_loader_offset = 0x0,
        .revision = 4,
        .mapped = {{0x3c000000, 0x3c800000}, {0x42000000, 0x42800000}},
        .loaded = {{0x3fc80000, 0x3fce0000}, {0x4037c000, 0x403e0000}, {0x50000000, 0x50002000}},
        .segment_limit = LIMIT_16M,
        .hash_bytes_per_us = 90,
    },
    {
        .id = 0x0009,
        .name = "esp32s3",
        .instruction_ram = 0x40378000,
        .boot_loader_offset = 0x0,
        .revision = 2,
        .mapped = {{0x3c000000, 0x3e000000}, {0x42000000, 0x44000000}},
        .loaded = {{0x3fc88000, 0x3fd00000},
                   {0x40370000, 0x403e0000},
                   {0x600fe000, 0x60100000},
                   {0x50000000, 0x50002000}},
        .segment_limit = LIMIT_NONE,
        .hash_bytes_per_us = 90,
    },
    {
        .id = 0x000d,
        .name = "esp32c6",
        .instruction_ram = 0x40800000,
        .boot_loader_offset = 0x0,
        .revision = 1,
        .mapped = {{0x42000000, 0x43000000}},
        .loaded = {{0x40800000, 0x40880000}, {0x50000000, 0x50004000}},
        .segment_limit = LIMIT_16M,
        .hash_bytes_per_us = 90,
        .page_in_descriptor = true,
    },
};

const struct chip_model *chip_model_find(uint16_t id)
{
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (models[i].id == id)
            return &models[i];
    }
    return NULL;
}

uint32_t chip_secure_version(const struct chip *chip)
{
    return chip->secure_version != NULL ? *chip->secure_version : 0;
}

int chip_burn_secure_version(struct chip *chip, uint32_t version)
{
    if (version > SECURE_VERSION_BITS)
        return -EINVAL;
    if (version < chip_secure_version(chip))
        return -EPERM;
    if (chip->secure_version != NULL)
        *chip->secure_version = version;
    return 0;
}
