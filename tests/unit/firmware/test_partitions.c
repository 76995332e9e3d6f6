/* SPDX-License-Identifier: Apache-2.0 */
/* The partition tables of the firmware: upstream's of today, so that both can replace each other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "life.h"
#include "partition_table.h"

#define FLASH_BYTES 0x400000u

static void check_table(const char *chip, uint32_t slot_bytes)
{
    struct partition_table table, read_back;
    uint8_t bytes[PARTITION_TABLE_BYTES];
    char path[128], text[4096], why[200];

    snprintf(path, sizeof(path), "../../../esp/network_adapter/partitions.%s.csv", chip);
    print_message("%s\n", path);

    FILE *file = fopen(path, "re");

    if (file == NULL) {
        fail_msg("%s", path);
        return;
    }
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    assert_int_equal(partition_table_parse_csv(text, &table, why, sizeof(why)), 0);

    const struct partition *otadata =
        partition_table_find(&table, PARTITION_DATA, PARTITION_DATA_OTA);
    const struct partition *first =
        partition_table_find(&table, PARTITION_APP, PARTITION_APP_OTA_0);
    const struct partition *second =
        partition_table_find(&table, PARTITION_APP, PARTITION_APP_OTA_0 + 1);

    assert_non_null(otadata);
    assert_int_equal(otadata->offset, 0xd000);
    assert_int_equal(otadata->size, 0x2000);
    assert_int_equal(partition_table_count_ota(&table), 2);
    assert_null(partition_table_find(&table, PARTITION_APP, PARTITION_APP_FACTORY));
    assert_int_equal(first->offset, 0x10000);
    assert_int_equal(first->size, slot_bytes);
    assert_int_equal(second->offset, 0x10000 + slot_bytes);
    assert_int_equal(second->size, slot_bytes);

    partition_table_render(&table, bytes); /* and the boot loader takes it */
    assert_int_equal(partition_table_parse(bytes, FLASH_BYTES, &read_back), 0);
    assert_int_equal(read_back.count, table.count);
}

static void tables_are_upstreams(void **state)
{
    (void)state;
    check_table("esp32", 1792 * 1024);
    check_table("esp32s2", 1536 * 1024);
    check_table("esp32s3", 1536 * 1024);
    check_table("esp32c3", 1536 * 1024);
    check_table("esp32c6", 1536 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_upstreams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
