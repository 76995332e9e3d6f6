/* SPDX-License-Identifier: Apache-2.0 */
/* Which slot runs, which boots next, and whether it has proved itself. */
#include <stdlib.h>

#include "chip.h"
#include "esp_efuse.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "flash_error.h"
#include "image_verify.h"
#include "otadata.h"

/* Both entries and what is needed to make sense of them. */
struct selection {
    const esp_partition_t *partition; /* otadata's */
    struct otadata_entry entries[2];
    unsigned slots;
    int active; /* index of the entry that counts; -1: none */
};

static const esp_partition_t *find_slot(unsigned slot)
{
    return esp_partition_find_first(
        ESP_PARTITION_TYPE_APP, (esp_partition_subtype_t)(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + slot),
        NULL);
}

/* An application counts up to the first gap. */
uint8_t esp_ota_get_app_partition_count(void)
{
    uint8_t count = 0;

    while (count < 16 && find_slot(count) != NULL)
        count++;
    return count;
}

static esp_err_t read_selection(struct selection *ret)
{
    ret->partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    if (ret->partition == NULL ||
        otadata_read(&the_chip.flash, ret->partition->address, ret->entries) < 0)
        return ESP_ERR_NOT_FOUND;
    ret->slots = esp_ota_get_app_partition_count();
    ret->active = otadata_active(ret->entries);
    return ESP_OK;
}

static esp_err_t write_entry(struct selection *selection, int index)
{
    return sim_flash_error(otadata_write(&the_chip.flash, selection->partition->address, index,
                                         &selection->entries[index]));
}

static const esp_partition_t *slot_of(const struct selection *selection, int index)
{
    return find_slot(otadata_slot(&selection->entries[index], selection->slots));
}

static bool image_is_valid(const esp_partition_t *partition)
{
    struct image_info info;

    return partition != NULL && image_verify(&the_chip.flash, the_chip.model, partition->address,
                                             partition->size, IMAGE_USE_VERIFY, &info) == IMAGE_OK;
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
    static const esp_partition_t *s_running;

    if (s_running == NULL && the_chip.running != NULL)
        s_running = esp_partition_find_first(
            ESP_PARTITION_TYPE_APP, (esp_partition_subtype_t)the_chip.running->subtype, NULL);
    if (s_running == NULL)
        abort();
    return s_running;
}

const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from)
{
    const esp_partition_t *from =
        start_from != NULL ? esp_partition_verify(start_from) : esp_ota_get_running_partition();
    const esp_partition_t *first = NULL;
    bool passed = false;

    if (from == NULL)
        abort();
    for (unsigned slot = 0; slot < 16; slot++) {
        const esp_partition_t *at = find_slot(slot);

        if (at != NULL && passed)
            return at;
        if (at != NULL && first == NULL)
            first = at;
        passed = passed || at == from;
    }
    return first;
}

esp_err_t esp_ota_get_partition_description(const esp_partition_t *partition,
                                            esp_app_desc_t *app_desc)
{
    esp_err_t err;

    if (partition == NULL || app_desc == NULL)
        return ESP_ERR_INVALID_ARG;
    if (partition->type != ESP_PARTITION_TYPE_APP)
        return ESP_ERR_NOT_SUPPORTED;
    err = esp_partition_read(partition, 0x20, app_desc, sizeof(*app_desc));
    if (err != ESP_OK)
        return err;
    return app_desc->magic_word == ESP_APP_DESC_MAGIC_WORD ? ESP_OK : ESP_ERR_NOT_FOUND;
}

/* The number that selects `slot`, not below the one that counts now. */
static uint32_t next_seq(const struct selection *selection, unsigned slot)
{
    const uint32_t first = slot + 1;

    if (selection->active < 0 || selection->entries[selection->active].seq <= first)
        return first;

    const uint32_t missing = selection->entries[selection->active].seq - first;

    return first + (missing + selection->slots - 1) / selection->slots * selection->slots;
}

static esp_err_t select_slot(unsigned slot)
{
    struct selection selection;
    esp_err_t err = read_selection(&selection);

    if (err != ESP_OK)
        return err;
    if (slot >= selection.slots)
        return ESP_ERR_INVALID_ARG;

    /* Up to v5.5 always the entry that does not count now, also with the same number. */
    const int other = selection.active == 0 ? 1 : 0;
    const bool again = selection.active >= 0 &&
                       otadata_slot(&selection.entries[selection.active], selection.slots) == slot;
    const int index = again && the_chip.idf >= CHIP_IDF(6, 0) ? selection.active : other;

    otadata_set_seq(&selection.entries[index], next_seq(&selection, slot));
    selection.entries[index].state =
        the_chip.application_rollback ? OTADATA_NEW : OTADATA_UNDEFINED;
    return write_entry(&selection, index);
}

/* Anti-rollback. An application that is too old is not refused alone: it is erased. */
static esp_err_t check_secure_version(const esp_partition_t *partition)
{
    esp_app_desc_t app;
    esp_err_t err;

    if (!the_chip.application_anti_rollback)
        return ESP_OK;
    err = esp_ota_get_partition_description(partition, &app);
    if (err != ESP_OK || esp_efuse_check_secure_version(app.secure_version))
        return err;
    err = esp_partition_erase_range(partition, 0, partition->size);
    return err == ESP_OK ? ESP_ERR_OTA_SMALL_SEC_VER : err;
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    const esp_partition_t *otadata;

    if (partition == NULL)
        return ESP_ERR_INVALID_ARG;
    if (!image_is_valid(partition))
        return ESP_ERR_OTA_VALIDATE_FAILED;
    if (partition->type != ESP_PARTITION_TYPE_APP)
        return ESP_ERR_INVALID_ARG;
    if (partition->subtype != ESP_PARTITION_SUBTYPE_APP_FACTORY) {
        const esp_err_t err = check_secure_version(partition);

        return err == ESP_OK ? select_slot(partition->subtype & 0x0f) : err;
    }
    otadata =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    if (otadata == NULL)
        return ESP_ERR_NOT_FOUND;
    return esp_partition_erase_range(otadata, 0, otadata->size);
}

static const esp_partition_t *default_boot_partition(void)
{
    const esp_partition_t *found =
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY, NULL);

    for (unsigned slot = 0; found == NULL && slot < 16; slot++)
        found = find_slot(slot);
    if (found == NULL)
        found =
            esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_TEST, NULL);
    return found;
}

const esp_partition_t *esp_ota_get_boot_partition(void)
{
    struct selection selection;

    if (read_selection(&selection) != ESP_OK)
        return NULL;
    if (selection.active < 0 || selection.slots == 0)
        return default_boot_partition();
    return slot_of(&selection, selection.active);
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition,
                                      esp_ota_img_states_t *ota_state)
{
    struct selection selection;

    if (partition == NULL || ota_state == NULL)
        return ESP_ERR_INVALID_ARG;
    if (partition->type != ESP_PARTITION_TYPE_APP ||
        partition->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MIN ||
        partition->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MAX)
        return ESP_ERR_NOT_SUPPORTED;
    if (read_selection(&selection) != ESP_OK || selection.slots == 0)
        return ESP_ERR_NOT_FOUND;
    for (int i = 0; i < 2; i++) {
        if (otadata_crc_ok(&selection.entries[i]) && slot_of(&selection, i) == partition) {
            *ota_state = (esp_ota_img_states_t)selection.entries[i].state;
            return ESP_OK;
        }
    }
    return ESP_ERR_NOT_FOUND;
}

/* The selection, if there is one to speak of. */
static esp_err_t read_active(struct selection *ret)
{
    const esp_err_t err = read_selection(ret);

    if (err != ESP_OK)
        return err;
    return ret->active < 0 || ret->slots == 0 ? ESP_FAIL : ESP_OK;
}

/* Anti-rollback: the number of what runs, whatever is selected. */
static esp_err_t burn_secure_version(void)
{
    esp_app_desc_t app;
    const esp_err_t err = esp_ota_get_partition_description(esp_ota_get_running_partition(), &app);

    return err == ESP_OK ? esp_efuse_update_secure_version(app.secure_version) : err;
}

/* Note whose state it is: the entry's that counts now, not that of what runs. */
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    struct selection selection;
    esp_err_t err = read_active(&selection);

    if (err != ESP_OK || selection.entries[selection.active].state == OTADATA_VALID)
        return err;
    selection.entries[selection.active].state = OTADATA_VALID;
    err = write_entry(&selection, selection.active);
    return err == ESP_OK && the_chip.application_anti_rollback ? burn_secure_version() : err;
}

/* Whether a rollback may end there. */
static bool may_go_back_to(const esp_partition_t *partition)
{
    esp_app_desc_t app;

    if (!image_is_valid(partition))
        return false;
    return !the_chip.application_anti_rollback ||
           (esp_ota_get_partition_description(partition, &app) == ESP_OK &&
            esp_efuse_check_secure_version(app.secure_version));
}

bool esp_ota_check_rollback_is_possible(void)
{
    struct selection selection;

    if (read_active(&selection) != ESP_OK)
        return false;

    const int other = selection.active == 0 ? 1 : 0;
    const bool other_is_valid = !otadata_select_invalid(&selection.entries[other]) &&
                                otadata_crc_ok(&selection.entries[other]);

    if (other_is_valid)
        return may_go_back_to(slot_of(&selection, other));
    if (the_chip.application_anti_rollback) /* never to a factory image */
        return false;
    return image_is_valid(
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY, NULL));
}

esp_err_t esp_ota_mark_app_invalid_rollback(void)
{
    struct selection selection;
    const esp_err_t err = read_active(&selection);

    if (err != ESP_OK)
        return err;
    if (!esp_ota_check_rollback_is_possible())
        return ESP_ERR_OTA_ROLLBACK_FAILED;
    selection.entries[selection.active].state = OTADATA_INVALID;
    return write_entry(&selection, selection.active);
}

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
    const esp_err_t err = esp_ota_mark_app_invalid_rollback();

    if (err == ESP_OK)
        esp_restart();
    return err;
}

static bool is_marked_bad(const struct otadata_entry *entry)
{
    return entry->seq != OTADATA_SEQ_EMPTY && otadata_crc_ok(entry) &&
           (entry->state == OTADATA_INVALID || entry->state == OTADATA_ABORTED);
}

/* If both are bad, the one with the smaller number: so it is. */
const esp_partition_t *esp_ota_get_last_invalid_partition(void)
{
    struct selection selection;
    int index;

    if (read_selection(&selection) != ESP_OK || selection.slots == 0)
        return NULL;

    const struct otadata_entry *entries = selection.entries;

    if (is_marked_bad(&entries[0]) && is_marked_bad(&entries[1]))
        index = entries[1].seq < entries[0].seq ? 1 : 0;
    else if (is_marked_bad(&entries[0]) || is_marked_bad(&entries[1]))
        index = is_marked_bad(&entries[0]) ? 0 : 1;
    else
        return NULL;

    const esp_partition_t *partition = slot_of(&selection, index);

    return image_is_valid(partition) ? partition : NULL;
}

/* The slot that the inactive entry names, and that entry. */
static esp_err_t erase_last_boot(bool slot_too)
{
    struct selection selection;
    esp_err_t err = ESP_OK;

    if (read_active(&selection) != ESP_OK)
        return ESP_FAIL;

    const int other = selection.active == 0 ? 1 : 0;
    const struct otadata_entry *entry = &selection.entries[other];

    if (entry->seq == OTADATA_SEQ_EMPTY || !otadata_crc_ok(entry))
        return ESP_FAIL;

    const esp_partition_t *slot = slot_of(&selection, other);

    if (slot == NULL || slot == esp_ota_get_running_partition())
        return ESP_FAIL;
    if (slot_too)
        err = esp_partition_erase_range(slot, 0, slot->size);
    if (err != ESP_OK)
        return err;
    return esp_partition_erase_range(selection.partition,
                                     (size_t)other * selection.partition->erase_size,
                                     selection.partition->erase_size);
}

esp_err_t esp_ota_erase_last_boot_app_partition(void)
{
    return erase_last_boot(true);
}

esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void)
{
    return erase_last_boot(false);
}
