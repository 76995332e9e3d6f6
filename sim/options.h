/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H
/* The command line of esp32-sim. Strings are borrowed from it. */
#include <stdbool.h>
#include <stdint.h>

#include "chip.h"
#include "flash_timing.h"
#include "world/bus_time.h"
#include "world/clock.h"
#include "world/program.h"

#define OPTIONS_MAX_FLASH_FAULTS 8

enum bad_boot {
    BAD_BOOT_NONE,
    BAD_BOOT_CRASH,
    BAD_BOOT_HANG,
    BAD_BOOT_MUTE,
};

/* How far firmware comes that boots badly. */
enum bad_stage {
    BAD_STAGE_BOOT,   /* nowhere: the application never runs */
    BAD_STAGE_START,  /* through its start-up */
    BAD_STAGE_ANSWER, /* to its first answer */
};

enum power_cut {
    POWER_CUT_BEFORE, /* the operation is not done */
    POWER_CUT_TORN,
    POWER_CUT_DONE,
};

struct options {
    const char *flash, *bus;        /* never NULL */
    const char *partition_table;    /* NULL: the default table */
    const char *aps, *events, *ctl; /* NULL: none */
    uint16_t chip_id;               /* enum fw_chip */
    const struct flash_timing *flash_timing;
    struct bus_settings bus_time;
    uint32_t flash_bytes; /* 0: as the file has, or 4 MB */
    uint8_t mac[6];
    enum dialect dialect;
    bool stock;
    bool rollback; /* the boot loader can roll back */
    unsigned idf;  /* CHIP_IDF() */
    bool verbose;
    enum sim_clock_mode time;
    uint64_t power_cut_at; /* flash operation, from 1; 0: none */
    enum power_cut power_cut;
    char bad_version[33]; /* which version boots badly */
    enum bad_boot bad_boot;
    enum bad_stage bad_stage;
    struct flash_fault flash_faults[OPTIONS_MAX_FLASH_FAULTS];
    size_t flash_fault_count;
};

/*
 * Returns 0 to go on, or 1 when the process is to end with *ret_status: after --help, or after a
 * usage error that has been told on standard error.
 */
int options_parse(int argc, char *const *argv, struct options *ret, int *ret_status);

#endif
