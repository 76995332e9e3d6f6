/* SPDX-License-Identifier: Apache-2.0 */
/* The flash chip: what its operations do, also where the power goes or a place is broken. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash.h"

#define FLASH_BYTES (4 * FLASH_BLOCK_BYTES)

static struct flash s_flash;
static uint64_t s_operations;
static jmp_buf s_power_cut;
static uint32_t s_misused_at;
static size_t s_work[FLASH_ERASE_BLOCK + 1]; /* operations of each kind */

static _Noreturn void cut(void *ctx, uint64_t operation)
{
    (void)ctx;
    assert_int_equal(operation, s_flash.cut_at);
    longjmp(s_power_cut, 1);
}

static void note_misuse(void *ctx, uint32_t at)
{
    (void)ctx;
    s_misused_at = at;
}

static void note_work(void *ctx, enum flash_work work, size_t bytes)
{
    (void)ctx;
    (void)bytes;
    s_work[work]++;
}

/* A chip of zeros: an erase shows. */
static int setup(void **state)
{
    const int fd = memfd_create("flash", MFD_CLOEXEC);

    (void)state;
    s_operations = 0;
    s_misused_at = UINT32_MAX;
    memset(s_work, 0, sizeof(s_work));
    assert_int_equal(ftruncate(fd, FLASH_BYTES), 0);
    assert_int_equal(flash_attach(&s_flash, fd, FLASH_BYTES - 1, &s_operations), -EINVAL);
    assert_int_equal(flash_attach(&s_flash, fd, FLASH_BYTES, &s_operations), 0);
    close(fd);
    s_flash.power_cut = cut;
    s_flash.misused = note_misuse;
    s_flash.spent = note_work;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    flash_detach(&s_flash);
    return 0;
}

/* Counts bytes of that value from `at` on. */
static size_t run_of(uint32_t at, uint8_t value)
{
    size_t n = 0;

    while (at + n < FLASH_BYTES && s_flash.bytes[at + n] == value)
        n++;
    return n;
}

static void blocks_where_they_fit_else_sectors(void **state)
{
    (void)state;
    assert_int_equal(flash_erase(&s_flash, FLASH_BLOCK_BYTES - 2 * FLASH_SECTOR_BYTES,
                                 FLASH_BLOCK_BYTES + 3 * FLASH_SECTOR_BYTES),
                     0);
    assert_int_equal(s_work[FLASH_ERASE_BLOCK], 1);
    assert_int_equal(s_work[FLASH_ERASE_SECTOR], 3);
    assert_int_equal(s_operations, 4);
    assert_int_equal(run_of(0, 0), FLASH_BLOCK_BYTES - 2 * FLASH_SECTOR_BYTES);
    assert_int_equal(run_of(FLASH_BLOCK_BYTES - 2 * FLASH_SECTOR_BYTES, 0xff),
                     FLASH_BLOCK_BYTES + 3 * FLASH_SECTOR_BYTES);
}

static void programs_page_by_page(void **state)
{
    uint8_t data[2 * FLASH_PAGE_BYTES];

    (void)state;
    memset(data, 0x5a, sizeof(data));
    assert_int_equal(flash_erase(&s_flash, 0, FLASH_SECTOR_BYTES), 0);
    s_operations = 0;
    assert_int_equal(flash_program(&s_flash, 250, data, sizeof(data)), 0);
    assert_int_equal(s_operations, 3);
    assert_int_equal(run_of(250, 0x5a), sizeof(data));
    assert_int_equal(s_flash.misuses, 0);
    assert_int_equal(flash_program(&s_flash, 0, data, 0), 0);
    assert_int_equal(s_operations, 3);
}

/* As on the chip it is no error, and what can be cleared is. */
static void setting_a_bit_is_misuse(void **state)
{
    (void)state;
    assert_int_equal(flash_erase(&s_flash, 0, FLASH_SECTOR_BYTES), 0);
    assert_int_equal(flash_program(&s_flash, 300, "\xf0", 1), 0);
    assert_int_equal(flash_program(&s_flash, 300, "\xf0", 1), 0);
    assert_int_equal(s_flash.misuses, 0);
    assert_int_equal(flash_program(&s_flash, 300, "\x1f", 1), 0);
    assert_int_equal(s_flash.bytes[300], 0x10);
    assert_int_equal(s_flash.misuses, 1);
    assert_int_equal(s_misused_at, 300);
}

static void what_leaves_the_chip_is_refused(void **state)
{
    uint8_t byte = 0x11;

    (void)state;
    assert_int_equal(flash_read(&s_flash, FLASH_BYTES, &byte, 0), 0);
    assert_int_equal(flash_read(&s_flash, FLASH_BYTES, &byte, 1), -ERANGE);
    assert_int_equal(flash_read(&s_flash, UINT32_MAX, &byte, 2), -ERANGE);
    assert_int_equal(flash_program(&s_flash, FLASH_BYTES - 1, "ab", 2), -ERANGE);
    assert_int_equal(flash_erase(&s_flash, FLASH_BYTES, FLASH_SECTOR_BYTES), -ERANGE);
    assert_int_equal(flash_erase(&s_flash, 1, FLASH_SECTOR_BYTES), -EINVAL);
    assert_int_equal(flash_erase(&s_flash, 0, 1), -EINVAL);
    assert_int_equal(byte, 0x11);
    assert_int_equal(s_operations, 0);
    assert_int_equal(s_flash.misuses, 4);
}

/* The second of two erased sectors, at each moment. */
static void power_cut_of_an_erase(void **state)
{
    static const size_t erased[] = {
        [FLASH_CUT_BEFORE] = 0,
        [FLASH_CUT_TORN] = FLASH_SECTOR_BYTES / 2,
        [FLASH_CUT_DONE] = FLASH_SECTOR_BYTES,
    };

    (void)state;
    for (enum flash_cut how = FLASH_CUT_BEFORE; how <= FLASH_CUT_DONE; how++) {
        memset(s_flash.bytes, 0, FLASH_BYTES);
        s_operations = 0;
        s_flash.cut_at = 2;
        s_flash.cut = how;
        if (setjmp(s_power_cut) == 0) {
            flash_erase(&s_flash, 0, 3 * FLASH_SECTOR_BYTES);
            fail_msg("the power stayed");
        }
        assert_int_equal(run_of(0, 0xff), FLASH_SECTOR_BYTES + erased[how]);
    }
}

static void power_cut_of_a_program(void **state)
{
    static const size_t programmed[] = {
        [FLASH_CUT_BEFORE] = 0,
        [FLASH_CUT_TORN] = FLASH_PAGE_BYTES / 2,
        [FLASH_CUT_DONE] = FLASH_PAGE_BYTES,
    };
    uint8_t data[3 * FLASH_PAGE_BYTES];

    (void)state;
    memset(data, 0x5a, sizeof(data));
    for (enum flash_cut how = FLASH_CUT_BEFORE; how <= FLASH_CUT_DONE; how++) {
        memset(s_flash.bytes, 0xff, FLASH_BYTES);
        s_operations = 0;
        s_flash.cut_at = 2;
        s_flash.cut = how;
        if (setjmp(s_power_cut) == 0) {
            flash_program(&s_flash, 0, data, sizeof(data));
            fail_msg("the power stayed");
        }
        assert_int_equal(run_of(0, 0x5a), FLASH_PAGE_BYTES + programmed[how]);
    }
}

static void stuck_bits_stay(void **state)
{
    static const struct flash_fault faults[] = {{FLASH_STUCK_AT_0, 10}, {FLASH_STUCK_AT_1, 11}};

    (void)state;
    flash_set_faults(&s_flash, faults, 2);
    assert_int_equal(s_flash.bytes[11], 0x01);
    assert_int_equal(flash_erase(&s_flash, 0, FLASH_SECTOR_BYTES), 0);
    assert_int_equal(run_of(0, 0xff), 10);
    assert_int_equal(s_flash.bytes[10], 0xfe);
    assert_int_equal(flash_program(&s_flash, 10, "\xff\xf0", 2), 0);
    assert_int_equal(s_flash.bytes[10], 0xfe);
    assert_int_equal(s_flash.bytes[11], 0xf1);
    assert_int_equal(s_flash.misuses, 0); /* the firmware can do nothing for it */
}

static void broken_places_stop_an_operation(void **state)
{
    static const struct flash_fault faults[] = {
        {FLASH_ERASE_FAILS, FLASH_SECTOR_BYTES + 17},
        {FLASH_PROGRAM_FAILS, FLASH_PAGE_BYTES},
    };
    uint8_t data[3 * FLASH_PAGE_BYTES] = {0};

    (void)state;
    flash_set_faults(&s_flash, faults, 2);
    assert_int_equal(flash_erase(&s_flash, 0, 3 * FLASH_SECTOR_BYTES), -ETIMEDOUT);
    assert_int_equal(run_of(0, 0xff), FLASH_SECTOR_BYTES);
    assert_int_equal(flash_erase(&s_flash, 0, FLASH_BLOCK_BYTES), -ETIMEDOUT);
    assert_int_equal(run_of(0, 0xff), FLASH_SECTOR_BYTES);
    assert_int_equal(flash_program(&s_flash, 0, data, sizeof(data)), -ETIMEDOUT);
    assert_int_equal(run_of(0, 0), FLASH_PAGE_BYTES);
    assert_int_equal(flash_program(&s_flash, FLASH_PAGE_BYTES - 8, data, 8), 0);
    assert_int_equal(s_flash.misuses, 0);
}

static void a_place_that_cannot_be_read(void **state)
{
    static const struct flash_fault faults[] = {{FLASH_READ_FAILS, 300}};
    uint8_t data[100];

    (void)state;
    flash_set_faults(&s_flash, faults, 1);
    assert_int_equal(flash_read(&s_flash, 200, data, 100), 0);
    assert_int_equal(flash_read(&s_flash, 201, data, 100), -ETIMEDOUT);
    assert_int_equal(flash_read(&s_flash, 300, data, 1), -ETIMEDOUT);
    assert_int_equal(flash_read(&s_flash, 301, data, 100), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(blocks_where_they_fit_else_sectors),
        TEST(programs_page_by_page),
        TEST(setting_a_bit_is_misuse),
        TEST(what_leaves_the_chip_is_refused),
        TEST(power_cut_of_an_erase),
        TEST(power_cut_of_a_program),
        TEST(stuck_bits_stay),
        TEST(broken_places_stop_an_operation),
        TEST(a_place_that_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
