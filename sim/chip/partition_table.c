/* SPDX-License-Identifier: Apache-2.0 */
#include "partition_table.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "little_endian.h"

enum {
    RECORD_BYTES = 32,
    RECORDS = PARTITION_TABLE_BYTES / RECORD_BYTES,
    MD5_BYTES = 16,
    AT_TYPE = 2,
    AT_SUBTYPE = 3,
    AT_OFFSET = 4,
    AT_SIZE = 8,
    AT_LABEL = 12,
    AT_FLAGS = 28,
    LABEL_BYTES = 16,
};

const struct partition_table partition_table_default = {
    .count = 6,
    .has_md5 = true,
    .entries =
        {
            {0x01, 0x02, 0x9000, 0x4000, "nvs", 0},
            {0x01, 0x00, 0xd000, 0x2000, "otadata", 0},
            {0x01, 0x01, 0xf000, 0x1000, "phy_init", 0},
            {0x00, 0x00, 0x10000, 0x100000, "factory", 0},
            {0x00, 0x10, 0x110000, 0x100000, "ota_0", 0},
            {0x00, 0x11, 0x210000, 0x100000, "ota_1", 0},
        },
};

static void md5(const uint8_t *bytes, size_t len, uint8_t digest[MD5_BYTES])
{
    EVP_Digest(bytes, len, digest, NULL, EVP_md5(), NULL);
}

static bool is_md5_record(const uint8_t *record)
{
    return record[0] == 0xeb && record[1] == 0xeb;
}

static bool is_end(const uint8_t *record)
{
    return record[0] == 0xff && record[1] == 0xff && record[AT_TYPE] == 0xff &&
           record[AT_SUBTYPE] == 0xff;
}

static void take_record(const uint8_t *record, struct partition *ret)
{
    *ret = (struct partition){
        .type = record[AT_TYPE],
        .subtype = record[AT_SUBTYPE],
        .offset = get_le32(record + AT_OFFSET),
        .size = get_le32(record + AT_SIZE),
        .flags = get_le32(record + AT_FLAGS),
    };
    memcpy(ret->label, record + AT_LABEL, LABEL_BYTES);
}

static int check_md5(const uint8_t *bytes, const uint8_t *record)
{
    uint8_t digest[MD5_BYTES];

    md5(bytes, (size_t)(record - bytes), digest);
    return memcmp(digest, record + RECORD_BYTES - MD5_BYTES, MD5_BYTES) == 0 ? 0 : -EBADMSG;
}

int partition_table_parse(const uint8_t *bytes, uint32_t flash_size, struct partition_table *ret)
{
    struct partition_table table = {0};

    for (int i = 0; i < RECORDS; i++) {
        const uint8_t *record = bytes + i * RECORD_BYTES;
        struct partition *next = &table.entries[table.count];

        if (record[0] == 0xaa && record[1] == 0x50 && table.count < PARTITION_TABLE_MAX) {
            take_record(record, next);
            if (next->offset > flash_size || next->size > flash_size - next->offset)
                return -ERANGE;
            table.count++;
        } else if (is_md5_record(record) && !table.has_md5) {
            if (check_md5(bytes, record) < 0)
                return -EBADMSG;
            table.has_md5 = true;
        } else if (is_end(record) && i > 0) {
            *ret = table;
            return 0;
        } else {
            return -EBADMSG;
        }
    }
    return -EBADMSG;
}

void partition_table_render(const struct partition_table *table, uint8_t *bytes)
{
    uint8_t *record = bytes;

    memset(bytes, 0xff, PARTITION_TABLE_BYTES);
    for (size_t i = 0; i < table->count; i++, record += RECORD_BYTES) {
        const struct partition *entry = &table->entries[i];

        record[0] = 0xaa;
        record[1] = 0x50;
        record[AT_TYPE] = entry->type;
        record[AT_SUBTYPE] = entry->subtype;
        put_le32(record + AT_OFFSET, entry->offset);
        put_le32(record + AT_SIZE, entry->size);
        memcpy(record + AT_LABEL, entry->label, LABEL_BYTES);
        put_le32(record + AT_FLAGS, entry->flags);
    }
    record[0] = 0xeb;
    record[1] = 0xeb;
    md5(bytes, (size_t)(record - bytes), record + RECORD_BYTES - MD5_BYTES);
}

const struct partition *partition_table_find(const struct partition_table *table, uint8_t type,
                                             uint8_t subtype)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->entries[i].type == type && table->entries[i].subtype == subtype)
            return &table->entries[i];
    }
    return NULL;
}

unsigned partition_table_count_ota(const struct partition_table *table)
{
    unsigned count = 0;

    for (size_t i = 0; i < table->count; i++) {
        const struct partition *entry = &table->entries[i];

        if (entry->type == PARTITION_APP && entry->subtype >= PARTITION_APP_OTA_0 &&
            entry->subtype <= PARTITION_APP_OTA_LAST)
            count++;
    }
    return count;
}
