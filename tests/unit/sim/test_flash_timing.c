/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flash_timing.h"

static void chips_have_names(void **state)
{
    (void)state;
    assert_ptr_equal(flash_timing_find(NULL), flash_timing_find("w25q32jv"));
    assert_non_null(flash_timing_find("gd25q32c:max"));
    assert_null(flash_timing_find("w25q32jv:min"));
}

/* 12 ms of the chip's own time, and the driver's around 64 commands. */
static void a_sector_is_64_commands(void **state)
{
    const struct flash_timing *const chip = flash_timing_find("w25q32jv");
    const int64_t sector_us = 16 * flash_timing_us(chip, FLASH_PROGRAM, 256);

    (void)state;
    assert_int_equal(sector_us, 64 * flash_timing_us(chip, FLASH_PROGRAM, 64));
    assert_in_range(sector_us, 12000, 14000);
}

/* The status is looked at every 22 us: what takes a little longer takes one more look. */
static void time_is_what_the_driver_notices(void **state)
{
    const struct flash_timing *const chip = flash_timing_find("w25q32jv");
    const int64_t one_us = flash_timing_us(chip, FLASH_PROGRAM, 1);

    (void)state;
    assert_int_equal(flash_timing_us(chip, FLASH_PROGRAM, 6), one_us); /* 42.5 us */
    assert_int_equal(flash_timing_us(chip, FLASH_PROGRAM, 7), one_us + 22);
    assert_int_equal(flash_timing_us(chip, FLASH_PROGRAM, 65),
                     flash_timing_us(chip, FLASH_PROGRAM, 64) + one_us);
}

static void erase_and_read(void **state)
{
    const struct flash_timing *const chip = flash_timing_find("w25q32jv");
    const struct flash_timing *const slow = flash_timing_find("w25q32jv:max");

    (void)state;
    assert_in_range(flash_timing_us(chip, FLASH_ERASE_SECTOR, 4096), 45000, 45032);
    assert_in_range(flash_timing_us(chip, FLASH_ERASE_BLOCK, 65536), 150000, 150032);
    assert_in_range(flash_timing_us(slow, FLASH_ERASE_BLOCK, 65536), 2000000, 2000032);
    assert_int_equal(flash_timing_us(chip, FLASH_READ, 4096), 64 * 9);
    assert_int_equal(flash_timing_us(chip, FLASH_READ, 0), 0);
    assert_int_equal(flash_timing_us(chip, FLASH_CALL, 4096), 80);
    assert_int_equal(flash_timing_us(chip, FLASH_HASH, 4096), 0);
    assert_int_equal(flash_timing_us(chip, FLASH_HASH_BY_CPU, 4096), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chips_have_names),
        cmocka_unit_test(a_sector_is_64_commands),
        cmocka_unit_test(time_is_what_the_driver_notices),
        cmocka_unit_test(erase_and_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
