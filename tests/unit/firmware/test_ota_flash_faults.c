/* SPDX-License-Identifier: Apache-2.0 */
/* A flash that cannot be read, or not be told what boots: each refusal says where and why, and the
 * old firmware boots. */
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "chip_time.h"
#include "esp_ota_ops.h"
#include "life.h"
#include "ota_device.h"
#include "otadata.h"
#include "test_image.h"

#define SIZE         90000u
#define SECOND_US    1000000
#define SECTOR_BYTES 4096u
#define KEPT_FROM    (19 * SECTOR_BYTES)

#define CHECK_CODE(call, expected) assert_int_equal((call), (expected))

static uint8_t *s_image;

static int setup(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    s_image = test_image(CHIP_ESP32, SIZE, true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(s_image);
    return 0;
}

static void begin_and_send(void)
{
    CHECK_CODE(ota_device_begin(&(struct ota_device_image){0}), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(0, SIZE, s_image, SIZE), OTA_DEVICE_DONE);
}

static void check_refused(enum ota_device_code code, esp_err_t err, uint32_t address)
{
    assert_int_equal(ota_device_last_fault()->code, code);
    assert_int_equal(ota_device_last_fault()->esp_err, err);
    assert_int_equal(ota_device_last_fault()->address, address);
    assert_false(ota_device_is_open());
    world_advance(100LL * SECOND_US); /* no restart is due */
    assert_string_equal(board_boot(), "ota_0");
}

/* What is read is a sector at a time: the place is the start of it. */
static void a_write_that_cannot_be_read_back(void **state)
{
    const uint32_t at = board_address("ota_1") + 5000;

    (void)state;
    board_break(FLASH_READ_FAILS, at);
    CHECK_CODE(ota_device_begin(&(struct ota_device_image){0}), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(0, SIZE, s_image, 4096), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(4096, SIZE, s_image + 4096, 4096), OTA_DEVICE_READ_FAILED);
    check_refused(OTA_DEVICE_READ_FAILED, ESP_ERR_TIMEOUT, at - 5000 + 4096);
}

static void digests_that_cannot_be_read(void **state)
{
    uint8_t digests[2 * OTA_DEVICE_DIGEST_BYTES];
    const uint32_t at = board_address("ota_1") + 65536 + 7;
    size_t count = 0;

    (void)state;
    CHECK_CODE(ota_device_begin(&(struct ota_device_image){0}), OTA_DEVICE_DONE);
    board_break(FLASH_READ_FAILS, at);
    CHECK_CODE(ota_device_digests(0, 65536, 1, 0, digests, &count), OTA_DEVICE_DONE);
    assert_int_equal(count, 1);
    CHECK_CODE(ota_device_digests(0, 65536, 2, 0, digests, &count), OTA_DEVICE_READ_FAILED);
    check_refused(OTA_DEVICE_READ_FAILED, ESP_ERR_TIMEOUT, at - 7);
}

/* What was written is known by then; what was left as it is, is read at the end. */
static void an_end_whose_digest_cannot_be_read(void **state)
{
    const uint8_t sha256[OTA_DEVICE_DIGEST_BYTES] = {0};
    const uint32_t at = board_address("ota_1") + 80000;

    (void)state;
    CHECK_CODE(ota_device_begin(&(struct ota_device_image){.size = SIZE}), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(0, KEPT_FROM, s_image, KEPT_FROM), OTA_DEVICE_DONE);
    board_break(FLASH_READ_FAILS, at);
    CHECK_CODE(ota_device_end(&(struct ota_device_end){.sha256 = sha256}), OTA_DEVICE_READ_FAILED);
    check_refused(OTA_DEVICE_READ_FAILED, ESP_ERR_TIMEOUT, at - 80000 + 77824);
}

/* Without a digest it is the chip's own verification that reads. */
static void an_end_whose_image_cannot_be_read(void **state)
{
    (void)state;
    begin_and_send();
    board_break(FLASH_READ_FAILS, board_address("ota_1") + 80000);
    CHECK_CODE(ota_device_end(&(struct ota_device_end){0}), OTA_DEVICE_INVALID_IMAGE);
    check_refused(OTA_DEVICE_INVALID_IMAGE, ESP_ERR_OTA_VALIDATE_FAILED, 0);
}

/* The first sector of otadata is that of ota_0, the second is free. */
static void a_selection_that_cannot_be_erased(void **state)
{
    (void)state;
    begin_and_send();
    board_break(FLASH_ERASE_FAILS, board_address("otadata") + SECTOR_BYTES);
    CHECK_CODE(ota_device_end(&(struct ota_device_end){.trial_seconds = 120}),
               OTA_DEVICE_SELECT_FAILED);
    check_refused(OTA_DEVICE_SELECT_FAILED, ESP_ERR_TIMEOUT,
                  board_address("otadata") + SECTOR_BYTES);
}

static void a_selection_that_cannot_be_programmed(void **state)
{
    (void)state;
    begin_and_send();
    board_break(FLASH_PROGRAM_FAILS, board_address("otadata") + SECTOR_BYTES);
    CHECK_CODE(ota_device_end(&(struct ota_device_end){.trial_seconds = 120}),
               OTA_DEVICE_SELECT_FAILED);
    check_refused(OTA_DEVICE_SELECT_FAILED, ESP_ERR_TIMEOUT,
                  board_address("otadata") + SECTOR_BYTES);
}

/* The sector takes the selection, and is worn out then. */
static void wear_out_behind_the_selection(void *ctx, enum flash_work work, size_t bytes)
{
    (void)ctx;
    (void)bytes;
    if (work == FLASH_PROGRAM && board_slot_state("ota_1") == OTADATA_NEW) {
        the_chip.flash.spent = NULL;
        board_break(FLASH_ERASE_FAILS, board_address("otadata") + SECTOR_BYTES);
    }
}

/* Without a trial the selection is written in two steps: the first is taken back when the second
 * fails, for what was refused must not boot. */
static void a_selection_that_cannot_be_marked_is_taken_back(void **state)
{
    (void)state;
    begin_and_send();
    the_chip.flash.spent = wear_out_behind_the_selection;
    CHECK_CODE(ota_device_end(&(struct ota_device_end){.no_trial = true}),
               OTA_DEVICE_SELECT_FAILED);
    assert_null(the_chip.flash.spent);
    check_refused(OTA_DEVICE_SELECT_FAILED, ESP_ERR_TIMEOUT,
                  board_address("otadata") + SECTOR_BYTES);
    assert_int_equal(board_slot_state("ota_0"), OTADATA_VALID);
}

static void select_ota_1(void *arg)
{
    (void)arg;
    begin_and_send();
    CHECK_CODE(ota_device_end(NULL), OTA_DEVICE_DONE);
}

/* After a fallback of the boot loader, begin has a selection to mend. */
static void begin_that_cannot_mend_the_selection(void **state)
{
    (void)state;
    assert_int_equal(life_live(select_ota_1, NULL), LIFE_DONE);
    board_partition("ota_1")[100]++;
    assert_string_equal(board_boot(), "ota_0");
    board_break(FLASH_ERASE_FAILS, board_address("otadata"));
    CHECK_CODE(ota_device_begin(&(struct ota_device_image){0}), OTA_DEVICE_SELECT_FAILED);
    check_refused(OTA_DEVICE_SELECT_FAILED, ESP_ERR_TIMEOUT, board_address("otadata"));
}

#define ON_A_BOARD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_BOARD(a_write_that_cannot_be_read_back),
        ON_A_BOARD(digests_that_cannot_be_read),
        ON_A_BOARD(an_end_whose_digest_cannot_be_read),
        ON_A_BOARD(an_end_whose_image_cannot_be_read),
        ON_A_BOARD(a_selection_that_cannot_be_erased),
        ON_A_BOARD(a_selection_that_cannot_be_programmed),
        ON_A_BOARD(a_selection_that_cannot_be_marked_is_taken_back),
        ON_A_BOARD(begin_that_cannot_mend_the_selection),
    };

    return LIVES_RUN(tests);
}
