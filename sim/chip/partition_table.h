/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_PARTITION_TABLE_H
#define SIM_PARTITION_TABLE_H
/* ESP-IDF partition tables: the binary in flash, and the CSV that people write. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARTITION_TABLE_OFFSET 0x8000u
#define PARTITION_TABLE_BYTES  0xc00u /* 96 records; the rest of the sector is not the table's */
#define PARTITION_TABLE_MAX    95     /* the boot loader wants an end marker among the 96 */

enum partition_type {
    PARTITION_APP = 0x00,
    PARTITION_DATA = 0x01,
};

enum partition_subtype {
    PARTITION_APP_FACTORY = 0x00,
    PARTITION_APP_OTA_0 = 0x10,
    PARTITION_APP_OTA_LAST = 0x1f,
    PARTITION_APP_TEST = 0x20,
    PARTITION_DATA_OTA = 0x00,
};

#define PARTITION_FLAG_ENCRYPTED 0x1u
#define PARTITION_FLAG_READONLY  0x2u

struct partition {
    uint8_t type, subtype;
    uint32_t offset, size;
    char label[17];
    uint32_t flags;
};

struct partition_table {
    size_t count;
    struct partition entries[PARTITION_TABLE_MAX];
    bool has_md5;
};

/* nvs, otadata, phy_init, factory, ota_0, ota_1 of 1 MiB each: ESP-IDF's "two OTA" table. */
extern const struct partition_table partition_table_default;

/*
 * Reads PARTITION_TABLE_BYTES of flash as the boot loader does; `flash_size` is what its own header
 * says. Returns 0; -ERANGE for a partition outside the flash; -EBADMSG for everything else that it
 * refuses: no end marker, another magic, a wrong MD5 or a second one. Overlaps it does not see.
 */
int partition_table_parse(const uint8_t *bytes, uint32_t flash_size, struct partition_table *ret);

/* Writes the table with its MD5 and end marker; `bytes` holds PARTITION_TABLE_BYTES. */
void partition_table_render(const struct partition_table *table, uint8_t *bytes);

/*
 * Reads a CSV file by the rules of ESP-IDF's gen_esp32part.py. Returns 0, or -EINVAL with a
 * sentence, which names the line, in `why`.
 */
int partition_table_parse_csv(const char *text, struct partition_table *ret, char *why,
                              size_t why_size);

/* NULL when there is none. */
const struct partition *partition_table_find(const struct partition_table *table, uint8_t type,
                                             uint8_t subtype);

/* How many ota_N there are: the boot loader counts every one, an application up to the first gap.
 */
unsigned partition_table_count_ota(const struct partition_table *table);

#endif
