/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CHIP_H
#define SIM_CHIP_H
/* The one chip of this process: what it is, and what its boot loader made of the flash. */
#include <stdbool.h>
#include <stdint.h>

#include "flash.h"
#include "partition_table.h"

struct address_range {
    uint32_t from, to; /* `to` is behind the last address */
};

/* Constants of a kind of chip, from ESP-IDF's soc and bootloader_support components. */
struct chip_model {
    uint16_t id; /* as in the image header */
    const char *name;
    uint32_t boot_loader_offset;
    uint16_t revision;              /* major * 100 + minor */
    struct address_range mapped[2]; /* flash mapped for data, for code; may be one and the same */
    struct address_range loaded[5]; /* where a boot loader may put segments: RAM, RTC memory */
    uint32_t instruction_ram;       /* a place for code that the boot loader does not need */
    uint32_t segment_limit;         /* data_len must be below */
    bool page_in_descriptor;        /* the MMU's page size is configurable */
    /* SHA-256 by the accelerator, bytes per us: the least that ESP-IDF's own tests accept
     * (idf_performance_target.h). There is no figure for the ESP32-C6: taken as the ESP32-C3. */
    unsigned hash_bytes_per_us;
    /*
     * And by the CPU, where a hash in progress holds the accelerator until its end: the ESP32. 0:
     * none does. ESP-IDF's C takes some 4950 instructions for 64 bytes as it is compiled by default
     * (-Og, counted for RISC-V), at its default of 160 MHz.
     */
    unsigned hash_by_cpu_bytes_per_us;
};

/* NULL for a chip that the simulator does not know. */
const struct chip_model *chip_model_find(uint16_t id);

/* A release of ESP-IDF, comparable. */
#define CHIP_IDF(major, minor) ((major) << 8 | (minor))

struct chip {
    const struct chip_model *model;
    struct flash flash;
    struct partition_table table;    /* after a boot */
    const struct partition *running; /* the partition that was booted; NULL: none */
    bool rollback;                   /* the boot loader was built with rollback */
    bool application_rollback;       /* the firmware was */
    bool anti_rollback;              /* the same for anti-rollback, which needs rollback */
    bool application_anti_rollback;
    unsigned idf;             /* CHIP_IDF() of its calls; 0: as v5.5 */
    uint32_t *secure_version; /* eFuse: the anti-rollback number; NULL: blank, for good */
};

extern struct chip the_chip;

uint32_t chip_secure_version(const struct chip *chip);

/* Only more bits can be burnt. 0; -EINVAL for more than there are, -EPERM for less than before. */
int chip_burn_secure_version(struct chip *chip, uint32_t version);

#endif
