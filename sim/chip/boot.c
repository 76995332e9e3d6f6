/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <string.h>

#include "image_verify.h"
#include "little_endian.h"
#include "otadata.h"

/* The application descriptor, behind the headers of the image and of its first segment. */
#define DESCRIPTOR_AT    0x20u
#define DESCRIPTOR_MAGIC 0xabcd5432u

/* Indices of the search, besides the OTA slots' own. */
enum {
    INDEX_FACTORY = -1,
    INDEX_NONE = -99,
};

/* What one boot has found out. */
struct boot {
    struct chip *chip;
    const struct partition *otadata;
    unsigned slots;
    bool initial; /* no entry was ever written: the first boot repairs that */
    struct image_info image;
};

static uint32_t size_in_header(struct chip *chip)
{
    uint8_t header[4];

    if (flash_read(&chip->flash, chip->model->boot_loader_offset, header, sizeof(header)) < 0 ||
        header[0] != 0xe9)
        return chip->flash.size;
    return 0x100000u << (header[3] >> 4);
}

static bool load_table(struct chip *chip)
{
    uint8_t bytes[PARTITION_TABLE_BYTES];

    memset(&chip->table, 0, sizeof(chip->table));
    if (flash_read(&chip->flash, PARTITION_TABLE_OFFSET, bytes, sizeof(bytes)) < 0)
        return false;
    return partition_table_parse(bytes, size_in_header(chip), &chip->table) == 0;
}

static const struct partition *partition_of(const struct boot *boot, int index)
{
    const uint8_t subtype =
        index == INDEX_FACTORY ? PARTITION_APP_FACTORY : (uint8_t)(PARTITION_APP_OTA_0 + index);

    return partition_table_find(&boot->chip->table, PARTITION_APP, subtype);
}

static void write_state(struct boot *boot, struct otadata_entry entries[2], int index,
                        enum otadata_state state)
{
    entries[index].state = state;
    otadata_write(&boot->chip->flash, boot->otadata->offset, index, &entries[index]);
}

/* A second start of an image on probation is its end. Even where the entry's CRC is wrong. */
static void end_probation(struct boot *boot, struct otadata_entry entries[2])
{
    for (int i = 0; i < 2; i++) {
        if (entries[i].state == OTADATA_PENDING_VERIFY)
            write_state(boot, entries, i, OTADATA_ABORTED);
    }
}

static bool never_written(const struct otadata_entry *entry)
{
    return entry->seq == OTADATA_SEQ_EMPTY || !otadata_crc_ok(entry);
}

/* With a factory image that is it, now and later; without, the first slot is made the selected one.
 */
static int without_selection(struct boot *boot, const struct otadata_entry entries[2])
{
    if (partition_of(boot, INDEX_FACTORY) != NULL)
        return INDEX_FACTORY;
    boot->initial = never_written(&entries[0]) && never_written(&entries[1]);
    return 0;
}

/* Of the application in that slot; false where there is none to speak of. */
static bool read_secure_version(struct boot *boot, const struct partition *partition, uint32_t *ret)
{
    uint8_t bytes[8];

    if (partition == NULL ||
        flash_read(&boot->chip->flash, partition->offset + DESCRIPTOR_AT, bytes, sizeof(bytes)) < 0)
        return false;
    *ret = get_le32(bytes + 4);
    return get_le32(bytes) == DESCRIPTOR_MAGIC;
}

static bool is_new_enough(struct boot *boot, const struct partition *partition)
{
    uint32_t version;

    if (!boot->chip->anti_rollback)
        return true;
    return read_secure_version(boot, partition, &version) &&
           version >= chip_secure_version(boot->chip);
}

static void burn_version_of(struct boot *boot, int index)
{
    uint32_t version;

    if (boot->chip->anti_rollback && read_secure_version(boot, partition_of(boot, index), &version))
        chip_burn_secure_version(boot->chip, version);
}

/* The entry that counts among those whose slot has an application that is new enough. */
static int active_and_new_enough(struct boot *boot, const struct otadata_entry entries[2])
{
    struct otadata_entry rest[2] = {entries[0], entries[1]};

    for (int i = 0; i < 2 && boot->chip->anti_rollback; i++) {
        if (!is_new_enough(boot, partition_of(boot, (int)otadata_slot(&rest[i], boot->slots))))
            rest[i].state = OTADATA_INVALID;
    }
    return otadata_active(rest);
}

static int selected_slot(struct boot *boot, struct otadata_entry entries[2])
{
    const int active = active_and_new_enough(boot, entries);

    if (active < 0)
        return INDEX_FACTORY;

    const int slot = (int)otadata_slot(&entries[active], boot->slots);

    if (boot->chip->rollback && entries[active].state == OTADATA_NEW)
        write_state(boot, entries, active, OTADATA_PENDING_VERIFY);
    if (entries[active].state == OTADATA_VALID)
        burn_version_of(boot, slot);
    return slot;
}

static int select_index(struct boot *boot)
{
    struct otadata_entry entries[2];

    if (boot->otadata == NULL)
        return INDEX_FACTORY;
    if (boot->otadata->size < OTADATA_BYTES ||
        otadata_read(&boot->chip->flash, boot->otadata->offset, entries) < 0)
        return INDEX_NONE;

    if (boot->chip->rollback)
        end_probation(boot, entries);
    if (boot->chip->anti_rollback && never_written(&entries[0]) && never_written(&entries[1])) {
        boot->initial = true;
        return INDEX_FACTORY;
    }
    if (boot->slots == 0 || (!boot->chip->anti_rollback && otadata_select_invalid(&entries[0]) &&
                             otadata_select_invalid(&entries[1])))
        return without_selection(boot, entries);
    return selected_slot(boot, entries);
}

static bool load(struct boot *boot, const struct partition *partition)
{
    if (partition == NULL || partition->size == 0)
        return false;
    return image_verify(&boot->chip->flash, boot->chip->model, partition->offset, partition->size,
                        IMAGE_USE_BOOT, &boot->image) == IMAGE_OK &&
           is_new_enough(boot, partition);
}

/* First down from the selected slot to the factory image, then up behind it. */
static const struct partition *load_from(struct boot *boot, int index, int *ret_index)
{
    for (int i = index; i >= INDEX_FACTORY; i--) {
        *ret_index = i;
        if (load(boot, partition_of(boot, i)))
            return partition_of(boot, i);
    }
    for (int i = index + 1; i < (int)boot->slots; i++) {
        *ret_index = i;
        if (load(boot, partition_of(boot, i)))
            return partition_of(boot, i);
    }

    const struct partition *test =
        partition_table_find(&boot->chip->table, PARTITION_APP, PARTITION_APP_TEST);

    *ret_index = INDEX_NONE;
    return load(boot, test) ? test : NULL;
}

static void find_state(struct boot *boot, struct boot_result *ret)
{
    const uint8_t subtype = ret->partition->subtype;
    struct otadata_entry entries[2];

    if (boot->otadata == NULL || subtype < PARTITION_APP_OTA_0 ||
        subtype > PARTITION_APP_OTA_LAST ||
        otadata_read(&boot->chip->flash, boot->otadata->offset, entries) < 0)
        return;
    for (int i = 0; i < 2 && !ret->has_state; i++) {
        if (entries[i].seq == OTADATA_SEQ_EMPTY || !otadata_crc_ok(&entries[i]) ||
            otadata_slot(&entries[i], boot->slots) != (unsigned)(subtype - PARTITION_APP_OTA_0))
            continue;
        ret->has_state = true;
        ret->state = entries[i].state;
    }
}

void boot_run(struct chip *chip, struct boot_result *ret)
{
    struct boot boot = {.chip = chip};
    int index;

    memset(ret, 0, sizeof(*ret));
    chip->running = NULL;
    if (!load_table(chip))
        return;
    boot.otadata = partition_table_find(&chip->table, PARTITION_DATA, PARTITION_DATA_OTA);
    boot.slots = partition_table_count_ota(&chip->table);

    const int selected = select_index(&boot);

    if (selected == INDEX_NONE)
        return;
    ret->partition = load_from(&boot, selected, &index);
    if (ret->partition == NULL)
        return;
    if (boot.initial && index >= 0) {
        const struct otadata_entry first = otadata_entry((uint32_t)index + 1, OTADATA_VALID);

        otadata_write(&chip->flash, boot.otadata->offset, 0, &first);
        burn_version_of(&boot, index);
    }
    chip->running = ret->partition;
    ret->runs = boot.image.segment_count > 0;
    if (boot.image.has_descriptor) {
        image_descriptor_version(boot.image.descriptor, ret->version);
        image_descriptor_project(boot.image.descriptor, ret->project);
    }
    find_state(&boot, ret);
}
