/* SPDX-License-Identifier: Apache-2.0 */
/* Anti-rollback (CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK): the secure version in eFuse only grows, and
 * no image below it may run. */
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "chip_time.h"
#include "esp_ota_ops.h"
#include "life.h"
#include "ota_device.h"
#include "otadata.h"
#include "test_image.h"

#define SIZE      20000u
#define SECOND_US 1000000

#define CHECK_CODE(call, expected) assert_int_equal((call), (expected))

/* To be freed. */
static uint8_t *image_of(uint8_t secure_version)
{
    uint8_t *image = test_image(CHIP_ESP32, SIZE, true);

    image[36] = secure_version;
    test_image_seal(image, SIZE);
    return image;
}

/* ota_0 runs, of version 2, and eFuse says the same. */
static int setup(void **state)
{
    uint8_t *image = image_of(2);

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    memcpy(board_partition("ota_0"), image, SIZE);
    free(image);
    memset(board_partition("otadata"), 0xff, board_partition_size("otadata"));
    the_chip.anti_rollback = the_chip.application_anti_rollback = true;
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(*the_chip.secure_version, 2);
    return 0;
}

/* Sends it all; `told`: begin says the version. */
static void send(uint8_t secure_version, bool told)
{
    const struct ota_device_image begin = {.secure_version_known = told,
                                           .secure_version = secure_version};
    uint8_t *image = image_of(secure_version);

    CHECK_CODE(ota_device_begin(&begin), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(0, SIZE, image, SIZE), OTA_DEVICE_DONE);
    free(image);
}

static void begin_refuses_an_older_image(void **state)
{
    const uint64_t operations = *the_chip.flash.operations;
    struct ota_device_image image = {.secure_version_known = true, .secure_version = 1};

    (void)state;
    CHECK_CODE(ota_device_begin(&image), OTA_DEVICE_OLD_SECURE_VERSION);
    assert_false(ota_device_is_open());
    assert_int_equal(*the_chip.flash.operations, operations);
    image.secure_version = 2;
    CHECK_CODE(ota_device_begin(&image), OTA_DEVICE_DONE);
    image.secure_version = 3;
    CHECK_CODE(ota_device_begin(&image), OTA_DEVICE_DONE);
}

/* ESP-IDF would answer with an erase of the whole slot, which takes seconds. */
static void end_refuses_what_begin_was_not_told(void **state)
{
    uint8_t *image = image_of(1);
    uint64_t operations;

    (void)state;
    send(1, false);
    operations = *the_chip.flash.operations;
    CHECK_CODE(ota_device_end(&(struct ota_device_end){0}), OTA_DEVICE_OLD_SECURE_VERSION);
    assert_int_equal(ota_device_last_fault()->esp_err, ESP_ERR_OTA_SMALL_SEC_VER);
    assert_false(ota_device_is_open());
    assert_int_equal(*the_chip.flash.operations, operations);
    assert_memory_equal(board_partition("ota_1"), image, SIZE);
    assert_string_equal(board_boot(), "ota_0");
    free(image);
}

static void a_stock_host_is_refused_too(void **state)
{
    uint8_t *image = image_of(1);

    (void)state;
    CHECK_CODE(ota_device_begin(NULL), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_append(image, SIZE), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_end(NULL), OTA_DEVICE_OLD_SECURE_VERSION);
    assert_string_equal(board_boot(), "ota_0");
    free(image);
}

/* eFuse may lag behind, under a boot loader that knows nothing of it. Confirmed at once, the older
 * image would have ESP-IDF burn the number of what runs, and never start. */
static void below_what_runs_is_too_old_as_well(void **state)
{
    (void)state;
    the_chip.anti_rollback = false;
    *the_chip.secure_version = 0;
    send(1, false);
    CHECK_CODE(ota_device_end(&(struct ota_device_end){.no_trial = true}),
               OTA_DEVICE_OLD_SECURE_VERSION);
    assert_int_equal(*the_chip.secure_version, 0);
    assert_string_equal(board_boot(), "ota_0");
}

static void update_to_3(void *arg)
{
    ota_device_start();
    send(3, true);
    CHECK_CODE(ota_device_end(arg), OTA_DEVICE_DONE);
    world_advance(5 * SECOND_US);
    fail_msg("no restart");
}

static void confirm(void *arg)
{
    (void)arg;
    ota_device_start();
    assert_int_equal(*the_chip.secure_version, 2); /* a trial burns nothing */
    CHECK_CODE(ota_device_confirm_version("2.0.0"), OTA_DEVICE_DONE);
    assert_int_equal(*the_chip.secure_version, 3);
    CHECK_CODE(ota_device_rollback(), OTA_DEVICE_NO_ROLLBACK);
}

static void a_confirmation_burns_the_number(void **state)
{
    struct ota_device_end end = {.trial_seconds = 120};

    (void)state;
    assert_int_equal(life_live(update_to_3, &end), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(confirm, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
}

static void confirm_what_cannot_be_burnt(void *arg)
{
    (void)arg;
    ota_device_start();
    CHECK_CODE(ota_device_confirm_version("2.0.0"), OTA_DEVICE_DONE);
    assert_false(ota_device_on_trial());
    assert_int_equal(*the_chip.secure_version, 2);
}

/* More than eFuse has bits for: that is no reason to go back. */
static void a_number_that_cannot_be_burnt_is_confirmed(void **state)
{
    struct ota_device_end end = {.trial_seconds = 120};
    uint8_t *image;

    (void)state;
    assert_int_equal(life_live(update_to_3, &end), LIFE_RESTARTED);
    image = image_of(99);
    memcpy(board_partition("ota_1"), image, SIZE);
    free(image);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(confirm_what_cannot_be_burnt, NULL), LIFE_DONE);
    assert_int_equal(board_slot_state("ota_1"), OTADATA_VALID);
    assert_string_equal(board_boot(), "ota_1");
}

static void wait_for_the_end(void *arg)
{
    (void)arg;
    ota_device_start();
    world_advance(120 * SECOND_US);
    fail_msg("still here");
}

static void a_trial_that_fails_burns_nothing(void **state)
{
    struct ota_device_end end = {.trial_seconds = 120};

    (void)state;
    assert_int_equal(life_live(update_to_3, &end), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(wait_for_the_end, NULL), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(*the_chip.secure_version, 2);
}

static void without_a_trial_the_new_image_boots(void **state)
{
    struct ota_device_end end = {.no_trial = true};

    (void)state;
    assert_int_equal(life_live(update_to_3, &end), LIFE_RESTARTED);
    assert_int_equal(*the_chip.secure_version, 2);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(*the_chip.secure_version, 3); /* the boot loader's doing */
}

/* The boot loader has fallen back to what runs, which eFuse forbids, and did not care: to select it
 * again would have ESP-IDF erase it. It can be replaced. */
static void what_runs_is_never_erased(void **state)
{
    uint8_t *image = image_of(2);
    struct ota_device_end end = {.no_trial = true};

    (void)state;
    assert_int_equal(life_live(update_to_3, &end), LIFE_RESTARTED);
    board_partition("ota_1")[100]++; /* it does not boot */
    the_chip.anti_rollback = false;
    *the_chip.secure_version = 3;
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(life_live(update_to_3, &end), LIFE_RESTARTED);
    assert_memory_equal(board_partition("ota_0"), image, SIZE);
    assert_string_equal(board_boot(), "ota_1");
    free(image);
}

#define ON_A_BOARD(test) cmocka_unit_test_setup_teardown(test, setup, NULL)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_BOARD(begin_refuses_an_older_image),
        ON_A_BOARD(end_refuses_what_begin_was_not_told),
        ON_A_BOARD(a_stock_host_is_refused_too),
        ON_A_BOARD(below_what_runs_is_too_old_as_well),
        ON_A_BOARD(a_confirmation_burns_the_number),
        ON_A_BOARD(a_number_that_cannot_be_burnt_is_confirmed),
        ON_A_BOARD(a_trial_that_fails_burns_nothing),
        ON_A_BOARD(without_a_trial_the_new_image_boots),
        ON_A_BOARD(what_runs_is_never_erased),
    };

    return LIVES_RUN(tests);
}
