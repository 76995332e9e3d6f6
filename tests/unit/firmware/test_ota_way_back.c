/* SPDX-License-Identifier: Apache-2.0 */
/* What a chip may go back to, and what may be confirmed, when hosts break off and flash fails. */
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "chip_time.h"
#include "esp_ota_ops.h"
#include "life.h"
#include "ota_device.h"
#include "otadata.h"
#include "test_image.h"

#define SIZE         20000u
#define SECOND_US    1000000
#define SECTOR_BYTES 4096u

#define CHECK_CODE(call, expected) assert_int_equal((call), (expected))

/* Where a record of otadata has the lowest byte of its state. */
#define STATE_AT 24u

static int setup(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    return 0;
}

/* The whole image, and no end. */
static void send(size_t size)
{
    uint8_t *image = test_image(CHIP_ESP32, size, true);

    CHECK_CODE(ota_device_begin(&(struct ota_device_image){0}), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(0, (uint32_t)size, image, size), OTA_DEVICE_DONE);
    free(image);
}

static void update(void *arg)
{
    ota_device_start();
    send(SIZE);
    CHECK_CODE(ota_device_end(arg), OTA_DEVICE_DONE);
    world_advance(5 * SECOND_US);
    fail_msg("no restart");
}

static void update_to_ota_1(struct ota_device_end end)
{
    assert_int_equal(life_live(update, &end), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_1");
}

/* A sector of otadata: the first is that of ota_0, which the boot loader wrote, the second that of
 * the first update. */
static uint32_t otadata_sector(unsigned n)
{
    return board_address("otadata") + n * SECTOR_BYTES;
}

/* What was never selected was never on trial either: a rollback does not take it. */
static void nobody_goes_back_to_half_an_update(void **state)
{
    (void)state;
    update_to_ota_1((struct ota_device_end){.no_trial = true});
    assert_int_equal(board_slot_state("ota_0"), OTADATA_VALID);
    ota_device_start();
    send(SIZE);
    ota_device_abort();
    CHECK_CODE(ota_device_rollback(), OTA_DEVICE_NO_ROLLBACK);
    assert_int_equal(board_slot_state("ota_0"), -1);
    assert_string_equal(board_boot(), "ota_1");
}

/* Only what is written over is forgotten. */
static void an_update_that_wrote_nothing_leaves_the_way_back(void **state)
{
    (void)state;
    update_to_ota_1((struct ota_device_end){.no_trial = true});
    ota_device_start();
    CHECK_CODE(ota_device_begin(&(struct ota_device_image){0}), OTA_DEVICE_DONE);
    ota_device_abort();
    assert_int_equal(board_slot_state("ota_0"), OTADATA_VALID);
    CHECK_CODE(ota_device_rollback(), OTA_DEVICE_DONE);
}

/* otadata that cannot be erased any more names the old image, which may not be written then. */
static void a_record_that_stays_ends_the_update(void **state)
{
    const uint8_t first[16] = {0xe9};

    (void)state;
    update_to_ota_1((struct ota_device_end){.no_trial = true});
    ota_device_start();
    board_break(FLASH_ERASE_FAILS, otadata_sector(0));
    CHECK_CODE(ota_device_begin(NULL), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_append(first, sizeof(first)), OTA_DEVICE_ERASE_FAILED);
    assert_int_equal(ota_device_last_fault()->address, otadata_sector(0));
    assert_false(ota_device_is_open());
    CHECK_CODE(ota_device_rollback(), OTA_DEVICE_DONE); /* it is whole */
}

static void wait_for_the_end(void *arg)
{
    (void)arg;
    ota_device_start();
    assert_int_equal(ota_device_trial_left(), 120);
    world_advance(120 * SECOND_US);
    fail_msg("still here");
}

static void expect_no_time(void *arg)
{
    (void)arg;
    ota_device_start();
    assert_int_equal(ota_device_trial_left(), -1);
    assert_true(ota_device_on_trial());
}

/* As a stock firmware does, which knows no record. */
static void select_the_other(void *arg)
{
    (void)arg;
    assert_int_equal(esp_ota_set_boot_partition(esp_ota_get_next_update_partition(NULL)), ESP_OK);
}

/* The old image need not know of the record: it is gone when the old image starts. */
static void a_trial_that_is_over_leaves_no_record(void **state)
{
    (void)state;
    update_to_ota_1((struct ota_device_end){.trial_seconds = 120});
    assert_int_equal(life_live(wait_for_the_end, NULL), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(life_live(select_the_other, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(expect_no_time, NULL), LIFE_DONE);
}

/* The record of the trial is erased, and the new one cannot be written: the boot loader will take
 * the old image, so the time that is up still ends this one. */
static void a_rollback_whose_record_fails_is_one(void **state)
{
    (void)state;
    update_to_ota_1((struct ota_device_end){.trial_seconds = 120});
    board_break(FLASH_PROGRAM_FAILS, otadata_sector(1));
    assert_int_equal(life_live(wait_for_the_end, NULL), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_0");
}

/* A bit that does not take is no error to the flash. */
static void a_selection_that_does_not_take_is_refused(void **state)
{
    (void)state;
    ota_device_start();
    send(SIZE);
    board_break(FLASH_STUCK_AT_1, otadata_sector(1)); /* of the sequence number: 2 reads 3 */
    CHECK_CODE(ota_device_end(&(struct ota_device_end){.trial_seconds = 9}),
               OTA_DEVICE_SELECT_FAILED);
    assert_int_equal(ota_device_last_fault()->address, otadata_sector(1));
    world_advance(100LL * SECOND_US);
    assert_string_equal(board_boot(), "ota_0");
}

/* NEW that reads PENDING_VERIFY is given up at its first start by a boot loader with rollback. */
static void a_state_that_does_not_take_is_refused(void **state)
{
    (void)state;
    ota_device_start();
    send(SIZE);
    board_break(FLASH_STUCK_AT_1, otadata_sector(1) + STATE_AT);
    CHECK_CODE(ota_device_end(&(struct ota_device_end){0}), OTA_DEVICE_SELECT_FAILED);
    assert_int_equal(ota_device_last_fault()->address, otadata_sector(1));
}

static void confirm_what_does_not_take(void *arg)
{
    (void)arg;
    ota_device_start();
    board_break(FLASH_STUCK_AT_1, otadata_sector(1) + STATE_AT); /* VALID reads INVALID */
    CHECK_CODE(ota_device_confirm_version("2.0.0"), OTA_DEVICE_SELECT_FAILED);
    assert_int_equal(ota_device_last_fault()->address, otadata_sector(1));
}

static void confirm_what_no_record_names(void *arg)
{
    (void)arg;
    ota_device_start();
    CHECK_CODE(ota_device_confirm_version("2.0.0"), OTA_DEVICE_SELECT_FAILED);
    assert_int_equal(ota_device_last_fault()->address, otadata_sector(1));
}

/* The boot loader erased the record and could not write it as that of an image on trial: it has
 * started the new image, and at the next reset it will start the old one. */
static void a_boot_loader_that_lost_the_record(void **state)
{
    static const uint8_t blank[32] = {[0 ... 31] = 0xff};

    (void)state;
    update_to_ota_1((struct ota_device_end){.trial_seconds = 120});
    memcpy(the_chip.flash.bytes + otadata_sector(1), blank, sizeof(blank));
    assert_int_equal(life_live(confirm_what_no_record_names, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_0");
}

static void a_confirmation_that_does_not_take_is_refused(void **state)
{
    (void)state;
    update_to_ota_1((struct ota_device_end){.trial_seconds = 120});
    assert_int_equal(life_live(confirm_what_does_not_take, NULL), LIFE_DONE);
}

/* The flash is slow enough for the trial's end to come while a confirmation erases; the erase
 * fails, and the flash recovers. */
static void run_out_meanwhile(void *ctx, enum flash_work work, size_t bytes)
{
    (void)ctx;
    (void)bytes;
    if (work == FLASH_ERASE_SECTOR) {
        the_chip.flash.spent = NULL;
        world_advance(SECOND_US);
    }
}

static void confirm_too_late(void *arg)
{
    (void)arg;
    ota_device_start();
    world_advance(120 * SECOND_US - 1);
    board_break(FLASH_ERASE_FAILS, otadata_sector(1));
    the_chip.flash.spent = run_out_meanwhile;
    CHECK_CODE(ota_device_confirm_version("2.0.0"), OTA_DEVICE_SELECT_FAILED);
    assert_null(the_chip.flash.spent);
    flash_set_faults(&the_chip.flash, NULL, 0);
    world_advance(SECOND_US);
    fail_msg("still here");
}

static void a_confirmation_that_fails_as_the_time_runs_out(void **state)
{
    (void)state;
    update_to_ota_1((struct ota_device_end){.trial_seconds = 120});
    assert_int_equal(life_live(confirm_too_late, NULL), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_0");
}

static void confirm_at_once(void *arg)
{
    (void)arg;
    ota_device_start();
    assert_int_equal(ota_device_trial_left(), 120);
    CHECK_CODE(ota_device_begin(NULL), OTA_DEVICE_NOT_CONFIRMED);
    CHECK_CODE(ota_device_confirm_version("2.0.0"), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_begin(NULL), OTA_DEVICE_DONE);
}

static void expect_no_trial(void *arg)
{
    (void)arg;
    ota_device_start();
    assert_false(ota_device_on_trial());
}

/* A product may have taken the component and not the option. */
static void a_trial_without_rollback_in_the_configuration(void **state)
{
    (void)state;
    the_chip.application_rollback = the_chip.rollback = false;
    update_to_ota_1((struct ota_device_end){.trial_seconds = 120});
    assert_int_equal(life_live(wait_for_the_end, NULL), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_0");
    update_to_ota_1((struct ota_device_end){.trial_seconds = 120});
    assert_int_equal(life_live(confirm_at_once, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(expect_no_trial, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
}

#define ON_A_BOARD(test) cmocka_unit_test_setup_teardown(test, setup, NULL)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_BOARD(nobody_goes_back_to_half_an_update),
        ON_A_BOARD(an_update_that_wrote_nothing_leaves_the_way_back),
        ON_A_BOARD(a_record_that_stays_ends_the_update),
        ON_A_BOARD(a_trial_that_is_over_leaves_no_record),
        ON_A_BOARD(a_rollback_whose_record_fails_is_one),
        ON_A_BOARD(a_selection_that_does_not_take_is_refused),
        ON_A_BOARD(a_state_that_does_not_take_is_refused),
        ON_A_BOARD(a_boot_loader_that_lost_the_record),
        ON_A_BOARD(a_confirmation_that_does_not_take_is_refused),
        ON_A_BOARD(a_confirmation_that_fails_as_the_time_runs_out),
        ON_A_BOARD(a_trial_without_rollback_in_the_configuration),
    };

    return LIVES_RUN(tests);
}
