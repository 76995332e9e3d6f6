/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_timing.h"

#include <stddef.h>
#include <string.h>

/*
 * AC characteristics of the datasheets: tBP1, tBP2, tSE, tBE2. The first entry is the default.
 *
 * W25Q32JV (Winbond): tBP1 30/50 us, tBP2 2.5/12 us, tSE 45/400 ms, tBE2 150/2000 ms. That is
 * 667 us for a page where the same table says 400 us typically for a page programmed at once, which
 * ESP-IDF's driver never does.
 * GD25Q32C (GigaDevice): the same times of bytes; tSE 50/400 ms, tBE2 250/1200 ms, where its
 * revisions differ (200 to 250, 800 to 1200) the slower.
 */
static const struct flash_timing chips[] = {
    {"w25q32jv", 30000, 2500, 45000, 150000},
    {"w25q32jv:max", 50000, 12000, 400000, 2000000},
    {"gd25q32c", 30000, 2500, 50000, 250000},
    {"gd25q32c:max", 50000, 12000, 400000, 1200000},
};

/*
 * ESP-IDF's driver (spi_flash_chip_generic.c, memspi_host_driver.c) on its defaults, 40 MHz and two
 * lines: at most 64 bytes a command, either way. A program goes out on one line, 68 bytes in 14 us,
 * behind a write enable and three looks at the status of 2 us each with what the CPU does around
 * them. A read is 8 + 12 + 4 + 256 clocks, 7 us, and as much besides. While the chip is busy, the
 * status is looked at, 2 us, and then waited for 20 us.
 */
#define COMMAND_BYTES 64u
#define PROGRAM_US    20
#define READ_US       9
#define ERASE_US      10
#define POLL_US       22

/*
 * Each call of it stops the other core, and the cache of both. ESP-IDF's own tests of it on an
 * ESP32 (idf_performance_target.h of v4.4) want 35.2 kB/s of reads of 4 bytes and 20.1 kB/s of
 * programs, 70 % of what they had seen: 80 and 139 us a call, the latter with 44 us of the chip and
 * its polling.
 */
#define CALL_US 80

const struct flash_timing *flash_timing_find(const char *name)
{
    if (name == NULL)
        return &chips[0];
    for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]); i++) {
        if (strcmp(chips[i].name, name) == 0)
            return &chips[i];
    }
    return NULL;
}

/* Until the first look at the status that finds the chip idle. */
static int64_t polled_us(int64_t busy_ns)
{
    const int64_t poll_ns = POLL_US * 1000;

    return (busy_ns + poll_ns - 1) / poll_ns * POLL_US;
}

static int64_t program_us(const struct flash_timing *chip, size_t bytes)
{
    int64_t us = 0;

    while (bytes > 0) {
        const size_t n = bytes < COMMAND_BYTES ? bytes : COMMAND_BYTES;

        us +=
            PROGRAM_US + polled_us(chip->first_byte_ns + (int64_t)(n - 1) * chip->further_byte_ns);
        bytes -= n;
    }
    return us;
}

int64_t flash_timing_us(const struct flash_timing *chip, enum flash_work work, size_t bytes)
{
    switch (work) {
    case FLASH_READ:
        return (int64_t)((bytes + COMMAND_BYTES - 1) / COMMAND_BYTES) * READ_US;
    case FLASH_PROGRAM:
        return program_us(chip, bytes);
    case FLASH_ERASE_SECTOR:
        return ERASE_US + polled_us(chip->sector_us * (int64_t)1000);
    case FLASH_ERASE_BLOCK:
        return ERASE_US + polled_us(chip->block_us * (int64_t)1000);
    case FLASH_CALL:
        return CALL_US;
    case FLASH_HASH:
    case FLASH_HASH_BY_CPU:
        break;
    }
    return 0;
}
