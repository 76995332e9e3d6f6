/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_FLASH_TIMING_H
#define SIM_FLASH_TIMING_H
/* How long ESP-IDF's flash driver is busy with named chips. Integers only: the same everywhere. */
#include <stdint.h>

#include "flash.h"

struct flash_timing {
    const char *name;         /* as --flash-chip takes it */
    uint32_t first_byte_ns;   /* of a program command, in the chip itself */
    uint32_t further_byte_ns; /* each */
    uint32_t sector_us;       /* erase of 4 KiB */
    uint32_t block_us;        /* erase of 64 KiB */
};

/* By its name; NULL: the default chip, and for a name that there is not: NULL. */
const struct flash_timing *flash_timing_find(const char *name);

/* From the call until the driver knows that the work is done: the commands on the wires, the chip,
 * and the polling of its status. Hashes are no work of the flash: 0. */
int64_t flash_timing_us(const struct flash_timing *chip, enum flash_work work, size_t bytes);

#endif
