/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_partition.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "chip.h"
#include "esp_image_format.h"
#include "flash_error.h"
#include "image_verify.h"

struct esp_partition_iterator_opaque_ {
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
    const char *label;
    size_t next; /* index to look at */
    const esp_partition_t *current;
};

static esp_partition_t s_partitions[PARTITION_TABLE_MAX];
static size_t s_count;
static bool s_loaded; /* the list is made once and stays, as ESP-IDF's */

/* Unlike the boot loader, an application insists on the MD5: without it, it finds nothing. */
static void load(void)
{
    const struct partition_table *table = &the_chip.table;

    s_loaded = true;
    for (size_t i = 0; table->has_md5 && i < table->count; i++) {
        const struct partition *from = &table->entries[i];

        s_partitions[s_count++] = (esp_partition_t){
            .type = (esp_partition_type_t)from->type,
            .subtype = (esp_partition_subtype_t)from->subtype,
            .address = from->offset,
            .size = from->size,
            .erase_size = FLASH_SECTOR_BYTES,
            .encrypted = from->flags & PARTITION_FLAG_ENCRYPTED,
            .readonly = from->flags & PARTITION_FLAG_READONLY,
        };
        memcpy(s_partitions[s_count - 1].label, from->label, sizeof(from->label));
    }
}

static bool matches(const struct esp_partition_iterator_opaque_ *wanted, const esp_partition_t *at)
{
    if (wanted->type != ESP_PARTITION_TYPE_ANY && wanted->type != at->type)
        return false;
    if (wanted->subtype != ESP_PARTITION_SUBTYPE_ANY && wanted->subtype != at->subtype)
        return false;
    return wanted->label == NULL || strcmp(wanted->label, at->label) == 0;
}

static bool move_on(struct esp_partition_iterator_opaque_ *iterator)
{
    if (!s_loaded)
        load();
    while (iterator->next < s_count) {
        iterator->current = &s_partitions[iterator->next++];
        if (matches(iterator, iterator->current))
            return true;
    }
    return false;
}

esp_partition_iterator_t esp_partition_find(esp_partition_type_t type,
                                            esp_partition_subtype_t subtype, const char *label)
{
    esp_partition_iterator_t iterator = calloc(1, sizeof(*iterator));

    if (iterator == NULL)
        return NULL;
    iterator->type = type;
    iterator->subtype = subtype;
    iterator->label = label;
    return esp_partition_next(iterator);
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t subtype, const char *label)
{
    struct esp_partition_iterator_opaque_ iterator = {
        .type = type, .subtype = subtype, .label = label};

    return move_on(&iterator) ? iterator.current : NULL;
}

const esp_partition_t *esp_partition_get(esp_partition_iterator_t iterator)
{
    return iterator->current;
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator)
{
    if (move_on(iterator))
        return iterator;
    esp_partition_iterator_release(iterator);
    return NULL;
}

void esp_partition_iterator_release(esp_partition_iterator_t iterator)
{
    free(iterator);
}

const esp_partition_t *esp_partition_verify(const esp_partition_t *partition)
{
    struct esp_partition_iterator_opaque_ iterator = {
        .type = partition->type,
        .subtype = partition->subtype,
        .label = partition->label[0] != '\0' ? partition->label : NULL,
    };

    while (move_on(&iterator)) {
        const esp_partition_t *at = iterator.current;

        if (at->address == partition->address && at->size == partition->size &&
            at->encrypted == partition->encrypted)
            return at;
    }
    return NULL;
}

static esp_err_t check_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    if (offset > partition->size)
        return ESP_ERR_INVALID_ARG;
    return size > partition->size - offset ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

/* The driver does not look at what it has programmed (CONFIG_SPI_FLASH_VERIFY_WRITE, which is off
 * by default, would make it ESP_ERR_FLASH_OP_FAIL): only a chip that stays busy is an error. */
esp_err_t sim_flash_error(int rc)
{
    if (rc == 0)
        return ESP_OK;
    return rc == -ETIMEDOUT ? ESP_ERR_TIMEOUT : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst,
                             size_t size)
{
    const esp_err_t err = check_range(partition, src_offset, size);

    if (err != ESP_OK)
        return err;
    flash_spend(&the_chip.flash, FLASH_CALL, size);
    return sim_flash_error(
        flash_read(&the_chip.flash, partition->address + (uint32_t)src_offset, dst, size));
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src,
                              size_t size)
{
    esp_err_t err;

    if (partition->readonly)
        return ESP_ERR_NOT_ALLOWED;
    err = check_range(partition, dst_offset, size);
    if (err != ESP_OK)
        return err;
    flash_spend(&the_chip.flash, FLASH_CALL, size);
    return sim_flash_error(
        flash_program(&the_chip.flash, partition->address + (uint32_t)dst_offset, src, size));
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    esp_err_t err;

    if (partition->readonly)
        return ESP_ERR_NOT_ALLOWED;
    err = check_range(partition, offset, size);
    if (err != ESP_OK)
        return err;
    if (size % partition->erase_size != 0)
        return ESP_ERR_INVALID_SIZE;
    if (offset % partition->erase_size != 0)
        return ESP_ERR_INVALID_ARG;
    flash_spend(&the_chip.flash, FLASH_CALL, size);
    return sim_flash_error(
        flash_erase(&the_chip.flash, partition->address + (uint32_t)offset, size));
}

static esp_err_t hash_all(const esp_partition_t *partition, uint8_t *sha_256)
{
    uint8_t *bytes = malloc(partition->size);
    esp_err_t err = bytes != NULL ? ESP_OK : ESP_ERR_NO_MEM;

    if (err == ESP_OK)
        err = esp_partition_read(partition, 0, bytes, partition->size);
    flash_spend(&the_chip.flash, FLASH_HASH, partition->size);
    if (err == ESP_OK)
        EVP_Digest(bytes, partition->size, sha_256, NULL, EVP_sha256(), NULL);
    free(bytes);
    return err;
}

esp_err_t esp_partition_get_sha256(const esp_partition_t *partition, uint8_t *sha_256)
{
    struct image_info info;

    if (partition->type != ESP_PARTITION_TYPE_APP)
        return hash_all(partition, sha_256);
    if (image_verify(&the_chip.flash, the_chip.model, partition->address, partition->size,
                     IMAGE_USE_VERIFY, &info) != IMAGE_OK)
        return ESP_ERR_IMAGE_INVALID;
    memcpy(sha_256, info.digest, sizeof(info.digest));
    return ESP_OK;
}
