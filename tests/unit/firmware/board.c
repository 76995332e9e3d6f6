/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot.h"
#include "chip_time.h"
#include "esp_idf_version.h"
#include "flash_file.h"
#include "life.h"
#include "otadata.h"

const char board_two_slots[] = "nvs,      data, nvs,   0x9000,   16K\n"
                               "otadata,  data, ota,   0xd000,   8K\n"
                               "phy_init, data, phy,   0xf000,   4K\n"
                               "ota_0,    app,  ota_0, 0x10000,  1792K\n"
                               "ota_1,    app,  ota_1, 0x1d0000, 1792K\n";

static _Noreturn void lose_power(void *ctx, uint64_t operation)
{
    (void)ctx;
    (void)operation;
    exit(LIFE_POWER_CUT);
}

static int open_flash(const struct partition_table *table)
{
    const struct factory_image image = {.project = "network_adapter", .version = "1.0.0"};
    char folder[] = "/tmp/board-XXXXXX";
    char path[sizeof(folder) + 8];
    char why[200];

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/flash", folder);

    const int fd =
        flash_file_open(path, BOARD_FLASH_BYTES, the_chip.model, table, &image, why, sizeof(why));

    unlink(path);
    rmdir(folder);
    assert_true(fd >= 0);
    return fd;
}

/* Blank; what is burnt in one life is in the next. */
static uint32_t *make_efuse(void)
{
    void *efuse =
        mmap(NULL, sizeof(uint32_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(efuse, MAP_FAILED);
    return efuse;
}

void board_make(uint16_t chip_id, const char *table_text)
{
    static uint64_t s_operations;
    struct partition_table table;
    char why[200];

    world_begin();
    world->chip_id = chip_id;
    the_chip.model = chip_model_find(chip_id);
    the_chip.rollback = true;
    the_chip.application_rollback = true;
    the_chip.idf = CHIP_IDF(ESP_IDF_VERSION_MAJOR, ESP_IDF_VERSION_MINOR);
    the_chip.secure_version = make_efuse();
    assert_int_equal(partition_table_parse_csv(table_text, &table, why, sizeof(why)), 0);

    const int fd = open_flash(&table);

    assert_int_equal(flash_attach(&the_chip.flash, fd, BOARD_FLASH_BYTES, &s_operations), 0);
    close(fd);
    the_chip.flash.power_cut = lose_power;
    board_boot();
}

const char *board_boot(void)
{
    struct boot_result result;

    boot_run(&the_chip, &result);
    return result.partition != NULL ? result.partition->label : "";
}

static const struct partition *find(const char *label)
{
    for (size_t i = 0; i < the_chip.table.count; i++) {
        if (strcmp(the_chip.table.entries[i].label, label) == 0)
            return &the_chip.table.entries[i];
    }
    fail_msg("no partition %s", label);
    return NULL;
}

uint8_t *board_partition(const char *label)
{
    return the_chip.flash.bytes + find(label)->offset;
}

uint32_t board_partition_size(const char *label)
{
    return find(label)->size;
}

uint32_t board_address(const char *label)
{
    return find(label)->offset;
}

void board_break(enum flash_fault_kind kind, uint32_t at)
{
    static struct flash_fault s_fault;

    s_fault = (struct flash_fault){.kind = kind, .at = at};
    flash_set_faults(&the_chip.flash, &s_fault, 1);
}

int64_t board_slot_state(const char *label)
{
    const unsigned slots = partition_table_count_ota(&the_chip.table);
    struct otadata_entry entries[2];

    assert_int_equal(otadata_read(&the_chip.flash, find("otadata")->offset, entries), 0);
    for (int i = 0; i < 2; i++) {
        if (otadata_crc_ok(&entries[i]) && entries[i].seq != OTADATA_SEQ_EMPTY &&
            otadata_slot(&entries[i], slots) + PARTITION_APP_OTA_0 == find(label)->subtype)
            return entries[i].state;
    }
    return -1;
}
