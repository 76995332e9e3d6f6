/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the boot loader makes of every pair of otadata entries, by the rules written down a second
 * time; and partition tables that it and the application refuse. What real boot loaders were seen
 * to do is held against the whole simulator by tests/sim/test_boot_observed.py.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "boot.h"
#include "flash_file.h"
#include "otadata.h"

#define FLASH_BYTES (4u << 20)
#define OTADATA_AT  0xd000u

static int attach(void **state)
{
    static uint64_t s_operations;
    const int fd = memfd_create("flash", MFD_CLOEXEC);

    (void)state;
    if (ftruncate(fd, FLASH_BYTES) < 0 ||
        flash_attach(&the_chip.flash, fd, FLASH_BYTES, &s_operations) < 0)
        return -1;
    close(fd);
    the_chip.model = chip_model_find(0);
    return 0;
}

/* A valid image in each application slot of the table. */
static void make_flash(const struct partition_table *table)
{
    const struct factory_image image = {.project = "test", .version = "1"};

    memset(the_chip.flash.bytes, 0xff, FLASH_BYTES);
    partition_table_render(table, the_chip.flash.bytes + PARTITION_TABLE_OFFSET);
    for (size_t i = 0; i < table->count; i++) {
        if (table->entries[i].type == PARTITION_APP)
            factory_image_build(the_chip.model, &image,
                                the_chip.flash.bytes + table->entries[i].offset);
    }
}

static const char *boot(void)
{
    struct boot_result result;

    boot_run(&the_chip, &result);
    return result.partition != NULL ? result.partition->label : "nothing";
}

/* The default table, without a factory image where `factory` is false. */
static struct partition_table table_of(bool factory)
{
    struct partition_table table = partition_table_default;

    if (!factory) {
        table.count--;
        memmove(&table.entries[3], &table.entries[4], 2 * sizeof(table.entries[0]));
    }
    return table;
}

/* Kinds of entries: a state, or one of these. */
enum { BLANK = 100, TORN = 101 };

static const uint32_t kinds[] = {
    BLANK,           TORN,
    OTADATA_NEW,     OTADATA_PENDING_VERIFY,
    OTADATA_VALID,   OTADATA_INVALID,
    OTADATA_ABORTED, OTADATA_UNDEFINED,
    0x12345678,
};

static void put_entry(int index, uint32_t seq, uint32_t kind)
{
    uint8_t *const at = the_chip.flash.bytes + OTADATA_AT + index * FLASH_SECTOR_BYTES;
    const struct otadata_entry entry = otadata_entry(seq, kind == TORN ? OTADATA_VALID : kind);

    memset(at, 0xff, FLASH_SECTOR_BYTES);
    if (kind == BLANK)
        return;
    assert_int_equal(otadata_write(&the_chip.flash, OTADATA_AT, index, &entry), 0);
    if (kind == TORN)
        at[28] ^= 1;
}

static bool is_refused(uint32_t kind, bool rollback)
{
    return kind == BLANK || kind == OTADATA_INVALID || kind == OTADATA_ABORTED ||
           (kind == OTADATA_PENDING_VERIFY && rollback);
}

static const char *expected(const uint32_t seq[2], const uint32_t kind[2], bool factory,
                            bool rollback)
{
    const char *const initial = factory ? "factory" : "ota_0";
    const bool counts_0 = !is_refused(kind[0], rollback) && kind[0] != TORN;
    const bool counts_1 = !is_refused(kind[1], rollback) && kind[1] != TORN;
    uint32_t chosen;

    if (!counts_0 && !counts_1)
        return initial;
    if (counts_0 && counts_1)
        chosen = seq[1] > seq[0] ? seq[1] : seq[0];
    else
        chosen = counts_0 ? seq[0] : seq[1];
    return (chosen - 1) % 2 == 0 ? "ota_0" : "ota_1";
}

static void check_pairs(const uint32_t seq[2], bool factory, bool rollback)
{
    const struct partition_table table = table_of(factory);
    const size_t count = sizeof(kinds) / sizeof(kinds[0]);

    the_chip.rollback = rollback;
    make_flash(&table);
    for (size_t i = 0; i < count * count; i++) {
        const uint32_t kind[2] = {kinds[i / count], kinds[i % count]};

        put_entry(0, seq[0], kind[0]);
        put_entry(1, seq[1], kind[1]);
        assert_string_equal(boot(), expected(seq, kind, factory, rollback));
    }
}

static void every_pair_of_entries(void **state)
{
    static const uint32_t pairs[][2] = {
        {1, 2}, {3, 2}, {2, 2}, {0, 1}, {0xfffffffe, 1}, {2, 0xfffffffe},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        for (int bits = 0; bits < 4; bits++)
            check_pairs(pairs[i], bits & 1, bits & 2);
    }
}

/* The numbers of ESP-IDF's ROM, whose register starts at 0. */
static void crc_of_the_sequence_number(void **state)
{
    static const struct {
        uint32_t seq, crc;
    } known[] = {
        {1, 0x4743989a}, {2, 0x55f63774}, {3, 0xed4a5011},          {4, 0x709d68a8},
        {5, 0xc8210fcd}, {6, 0xda94a023}, {0xfffffffe, 0x99f8b879}, {0, 0xffffffff},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_int_equal(otadata_entry(known[i].seq, 0).crc, known[i].crc);
}

/* One boot for an image to prove itself in; and a boot loader without rollback does not know. */
static void probation(void **state)
{
    struct otadata_entry entries[2];

    (void)state;
    make_flash(&partition_table_default);
    put_entry(0, 1, OTADATA_VALID);
    put_entry(1, 2, OTADATA_NEW);
    the_chip.rollback = false;
    assert_string_equal(boot(), "ota_1");
    assert_string_equal(boot(), "ota_1");
    the_chip.rollback = true;
    assert_string_equal(boot(), "ota_1");
    assert_int_equal(otadata_read(&the_chip.flash, OTADATA_AT, entries), 0);
    assert_int_equal(entries[1].state, OTADATA_PENDING_VERIFY);
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(otadata_read(&the_chip.flash, OTADATA_AT, entries), 0);
    assert_int_equal(entries[1].state, OTADATA_ABORTED);
    assert_string_equal(boot(), "ota_0");
}

/* The first boot of a table without factory image writes down what it booted. */
static void without_factory_the_first_boot_selects(void **state)
{
    const struct partition_table table = table_of(false);
    struct otadata_entry entries[2];

    (void)state;
    make_flash(&table);
    the_chip.flash.bytes[0x110000] = 0; /* ota_0 is no image */
    assert_string_equal(boot(), "ota_1");
    assert_int_equal(otadata_read(&the_chip.flash, OTADATA_AT, entries), 0);
    assert_int_equal(entries[0].seq, 2);
    assert_int_equal(entries[0].state, OTADATA_VALID);
    assert_int_equal(entries[1].seq, OTADATA_SEQ_EMPTY);
}

static void otadata_too_small_or_missing(void **state)
{
    struct partition_table table = partition_table_default;

    (void)state;
    make_flash(&table);
    put_entry(0, 1, OTADATA_VALID);
    table.entries[1].size = 0x1000;
    partition_table_render(&table, the_chip.flash.bytes + PARTITION_TABLE_OFFSET);
    assert_string_equal(boot(), "nothing");
    table.entries[1].subtype = 0x06;
    partition_table_render(&table, the_chip.flash.bytes + PARTITION_TABLE_OFFSET);
    assert_string_equal(boot(), "factory");
}

static void put_image(uint32_t at, uint32_t secure_version)
{
    const struct factory_image image = {
        .project = "test", .version = "1", .secure_version = secure_version};

    factory_image_build(the_chip.model, &image, the_chip.flash.bytes + at);
}

/* Not the entry with the larger number counts, but the one among those whose slot is new enough;
 * what is confirmed is burnt, what is on trial is not. */
static void anti_rollback(void **state)
{
    const struct partition_table table = table_of(false);
    struct otadata_entry entries[2];
    uint32_t efuse = 0;

    (void)state;
    make_flash(&table);
    the_chip.secure_version = &efuse;
    the_chip.rollback = the_chip.anti_rollback = true;
    put_image(0x110000, 2);
    put_image(0x210000, 1);
    assert_string_equal(boot(), "ota_0"); /* the first boot selects it, and burns */
    assert_int_equal(efuse, 2);
    assert_int_equal(otadata_read(&the_chip.flash, OTADATA_AT, entries), 0);
    assert_int_equal(entries[0].state, OTADATA_VALID);
    put_entry(1, 2, OTADATA_VALID);
    assert_string_equal(boot(), "ota_0");
    put_image(0x210000, 3);
    put_entry(1, 2, OTADATA_NEW);
    assert_string_equal(boot(), "ota_1");
    assert_int_equal(efuse, 2);
    put_entry(1, 2, OTADATA_VALID);
    assert_string_equal(boot(), "ota_1");
    assert_int_equal(efuse, 3);
    the_chip.flash.bytes[0x210000] = 0;
    assert_string_equal(boot(), "nothing"); /* what is left is too old */
    the_chip.rollback = the_chip.anti_rollback = false;
    the_chip.secure_version = NULL;
}

static int parse(const uint8_t *bytes)
{
    struct partition_table table;

    return partition_table_parse(bytes, FLASH_BYTES, &table);
}

static void tables_that_are_refused(void **state)
{
    enum { RECORD = 32, MD5_AT = 6 * RECORD };
    uint8_t good[PARTITION_TABLE_BYTES], bad[PARTITION_TABLE_BYTES];

    (void)state;
    partition_table_render(&partition_table_default, good);
    assert_int_equal(parse(good), 0);
    for (size_t at = 0; at < MD5_AT + RECORD; at++) { /* any byte of it */
        memcpy(bad, good, sizeof(bad));
        bad[at] ^= 0x80;
        if (at < MD5_AT || at >= MD5_AT + 16)
            assert_true(parse(bad) < 0);
    }
    memcpy(bad, good, sizeof(bad)); /* no MD5: the boot loader does not insist */
    memset(bad + MD5_AT, 0xff, RECORD);
    assert_int_equal(parse(bad), 0);
    memcpy(bad, good, sizeof(bad)); /* two */
    memcpy(bad + MD5_AT + RECORD, bad + MD5_AT, RECORD);
    assert_int_equal(parse(bad), -EBADMSG);
    memset(bad, 0xff, sizeof(bad)); /* the end first */
    assert_int_equal(parse(bad), -EBADMSG);
    for (size_t at = 0; at < sizeof(bad); at += RECORD) /* no end */
        memcpy(bad + at, good, RECORD);
    assert_int_equal(parse(bad), -EBADMSG);
}

static void partitions_outside_the_flash(void **state)
{
    static const uint32_t places[][2] = {
        {FLASH_BYTES, 0x1000}, {FLASH_BYTES - 0x1000, 0x2000}, {0xfffff000, 0x2000}};
    struct partition_table table = partition_table_default;
    uint8_t bytes[PARTITION_TABLE_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        table.entries[5].offset = places[i][0];
        table.entries[5].size = places[i][1];
        partition_table_render(&table, bytes);
        assert_int_equal(parse(bytes), -ERANGE);
    }
    table.entries[5].offset = FLASH_BYTES - 0x2000;
    strcpy(table.entries[5].label, "sixteen letters.");
    partition_table_render(&table, bytes);
    assert_int_equal(partition_table_parse(bytes, FLASH_BYTES, &table), 0);
    assert_string_equal(table.entries[5].label, "sixteen letters.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_entries),
        cmocka_unit_test(crc_of_the_sequence_number),
        cmocka_unit_test(probation),
        cmocka_unit_test(without_factory_the_first_boot_selects),
        cmocka_unit_test(otadata_too_small_or_missing),
        cmocka_unit_test(anti_rollback),
        cmocka_unit_test(tables_that_are_refused),
        cmocka_unit_test(partitions_outside_the_flash),
    };

    return cmocka_run_group_tests(tests, attach, NULL);
}
