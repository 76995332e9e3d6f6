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
#include "flash_timing.h"
#include "otadata.h"
#include "partition_table.h"
#include "world/world.h"

#define STATUS_POWER_CUT 99

#define TABLE_FILE_MAX_BYTES (64 * 1024)

static const struct flash_timing *s_timing;
static bool s_goes_on; /* the driver is still in the same run of commands */
static int64_t s_yielded_us, s_released_us;

/* ESP-IDF's driver before each command: see world->yield_us. */
static void give_way(void *ctx)
{
    const int64_t now_us = world_now_us();

    (void)ctx;
    s_goes_on = false;
    if (now_us - s_released_us >= world->tick_us) {
        s_yielded_us = now_us;
    } else if (now_us - s_yielded_us >= world->yield_us) {
        sim_clock_wait_tick(&world->clock, world->tick_us);
        s_yielded_us = world_now_us();
    }
}

/* Reads stop the CPU's way to the flash, too, but none for long. */
static void stall(int64_t from_us)
{
    bus_time_stall(&world->bus_time, from_us, world_now_us(), s_goes_on);
    s_goes_on = true;
}

static void spend(void *ctx, enum flash_work work, size_t bytes)
{
    static const enum sim_spent kinds[] = {
        [FLASH_READ] = SPENT_READ,          [FLASH_PROGRAM] = SPENT_PROGRAM,
        [FLASH_ERASE_SECTOR] = SPENT_ERASE, [FLASH_ERASE_BLOCK] = SPENT_ERASE,
        [FLASH_CALL] = SPENT_CPU,           [FLASH_HASH] = SPENT_HASH,
        [FLASH_HASH_BY_CPU] = SPENT_HASH,
    };
    const int64_t from_us = world_now_us();

    (void)ctx;
    if (work == FLASH_HASH || work == FLASH_HASH_BY_CPU) {
        const unsigned bytes_per_us = work == FLASH_HASH ? the_chip.model->hash_bytes_per_us
                                                         : the_chip.model->hash_by_cpu_bytes_per_us;

        sim_clock_spend_us(&world->clock, SPENT_HASH, (int64_t)(bytes / bytes_per_us));
        return;
    }
    sim_clock_spend_us(&world->clock, kinds[work], flash_timing_us(s_timing, work, bytes));
    if (work == FLASH_CALL)
        return;
    if (work != FLASH_READ)
        stall(from_us);
    s_released_us = world_now_us();
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
    the_chip.flash.begins = give_way;
    the_chip.flash.spent = spend;
    s_timing = options->flash_timing;
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
