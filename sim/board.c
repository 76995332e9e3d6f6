/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot.h"
#include "chip.h"
#include "flash_file.h"
#include "otadata.h"
#include "partition_table.h"
#include "world/world.h"

#define STATUS_POWER_CUT 99

#define TABLE_FILE_MAX_BYTES (64 * 1024)

/* What a typical W25Q32JV takes, and reading at 40 MHz over two lines. */
#define PROGRAM_US        400
#define ERASE_SECTOR_US   45000
#define ERASE_BLOCK_US    150000
#define READ_BYTES_PER_US 10

static void spend(void *ctx, enum flash_work work, size_t bytes)
{
    int64_t us = 0;

    (void)ctx;
    switch (work) {
    case FLASH_READ:
        us = (int64_t)(bytes / READ_BYTES_PER_US);
        break;
    case FLASH_PROGRAM:
        us = PROGRAM_US;
        break;
    case FLASH_ERASE_SECTOR:
        us = ERASE_SECTOR_US;
        break;
    case FLASH_ERASE_BLOCK:
        us = ERASE_BLOCK_US;
        break;
    }
    sim_clock_spend_us(&world->clock, us);
}

static void lose_power(void *ctx, uint64_t operation)
{
    (void)ctx;
    events_power_cut(&world->events, world_now_us(), operation);
    _exit(STATUS_POWER_CUT);
}

static void tell_misuse(void *ctx, uint32_t at)
{
    (void)ctx;
    events_misuse(&world->events, world_now_us(), at);
}

static bool ends_with(const char *text, const char *end)
{
    const size_t text_len = strlen(text), end_len = strlen(end);

    return text_len >= end_len && strcmp(text + text_len - end_len, end) == 0;
}

/* Reads the table that a new flash file is to have: text, or the binary of gen_esp32part.py. */
static int read_table(const struct options *options, struct partition_table *ret, char *why,
                      size_t size)
{
    const char *const path = options->partition_table;
    char *text;
    int rc;

    if (path == NULL) {
        *ret = partition_table_default;
        return 0;
    }

    FILE *const file = fopen(path, "re");

    if (file == NULL) {
        rc = -errno;
        snprintf(why, size, "%s: %s", path, strerror(-rc));
        return rc;
    }
    text = calloc(1, TABLE_FILE_MAX_BYTES);
    if (text != NULL)
        (void)!fread(text, 1, TABLE_FILE_MAX_BYTES - 1, file);
    fclose(file);
    if (text == NULL)
        return -ENOMEM;

    if (ends_with(path, ".bin")) {
        rc = partition_table_parse((const uint8_t *)text, options->flash_bytes, ret);
        if (rc < 0)
            snprintf(why, size, "%s: no partition table for this flash chip", path);
    } else {
        char line[160];

        rc = partition_table_parse_csv(text, ret, line, sizeof(line));
        if (rc < 0)
            snprintf(why, size, "%s: %s", path, line);
    }
    free(text);
    return rc;
}

/* An existing file says itself how large its chip is, unless the user does. */
static uint32_t flash_bytes(const struct options *options)
{
    struct stat status;

    if (options->flash_bytes != 0)
        return options->flash_bytes;
    if (stat(options->flash, &status) == 0 && status.st_size > 0 && status.st_size <= UINT32_MAX)
        return (uint32_t)status.st_size;
    return 4U << 20;
}

static const char *version_of_new(const struct options *options)
{
    if (!options->stock)
        return FIRMWARE_VERSION;
    return options->dialect == DIALECT_CTRL ? STOCK_CTRL_VERSION : STOCK_CLASSIC_VERSION;
}

static int open_flash(const struct options *options, char *why, size_t size)
{
    struct options sized = *options;
    struct partition_table table;
    const struct factory_image image = {
        .project = "network_adapter",
        .version = version_of_new(options),
        .marker = options->stock ? NULL : EXTENSION_MARKER,
    };

    sized.flash_bytes = flash_bytes(options);

    int rc = read_table(&sized, &table, why, size);

    if (rc == 0)
        rc = flash_file_open(options->flash, sized.flash_bytes, the_chip.model, &table, &image, why,
                             size);
    if (rc < 0)
        return rc;
    world->flash = rc;
    world->flash_bytes = sized.flash_bytes;
    return 0;
}

int board_open(const struct options *options, bool is_new, char *why, size_t size)
{
    static const enum flash_cut cuts[] = {[POWER_CUT_BEFORE] = FLASH_CUT_BEFORE,
                                          [POWER_CUT_TORN] = FLASH_CUT_TORN,
                                          [POWER_CUT_DONE] = FLASH_CUT_DONE};
    int rc = 0;

    the_chip.model = chip_model_find(options->chip_id);
    the_chip.rollback = options->rollback;
    the_chip.application_rollback = !options->stock;
    the_chip.idf = options->idf;
    if (is_new)
        rc = open_flash(options, why, size);
    if (rc < 0)
        return rc;

    rc = flash_attach(&the_chip.flash, world->flash, world->flash_bytes, &world->flash_operations);
    if (rc < 0) {
        snprintf(why, size, "%s: %s", options->flash, strerror(-rc));
        return rc;
    }
    the_chip.flash.cut_at = options->power_cut_at;
    the_chip.flash.cut = cuts[options->power_cut];
    the_chip.flash.power_cut = lose_power;
    the_chip.flash.spent = spend;
    the_chip.flash.misused = tell_misuse;
    flash_set_faults(&the_chip.flash, options->flash_faults, options->flash_fault_count);
    return 0;
}

bool board_boot(void)
{
    struct boot_report *const report = &world->boot;
    struct boot_result result;

    boot_run(&the_chip, &result);
    *report = (struct boot_report){.state = "none"};
    if (result.partition != NULL) {
        snprintf(report->slot, sizeof(report->slot), "%s", result.partition->label);
        report->offset = result.partition->offset;
        snprintf(report->version, sizeof(report->version), "%s", result.version);
        snprintf(report->project, sizeof(report->project), "%s", result.project);
        if (result.has_state)
            snprintf(report->state, sizeof(report->state), "%s", otadata_state_name(result.state));
    }
    events_boot(&world->events, world_now_us(), report);
    return result.partition != NULL && result.runs;
}
