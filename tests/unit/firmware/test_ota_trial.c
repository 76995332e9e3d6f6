/* SPDX-License-Identifier: Apache-2.0 */
/* Trial, confirmation and rollback, over the lives of a chip: with a boot loader that knows
 * rollback and with one that does not. */
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "chip_time.h"
#include "life.h"
#include "ota_device.h"
#include "otadata.h"
#include "test_image.h"

#define SIZE      20000u
#define SECOND_US 1000000

#define CHECK_CODE(call, expected) assert_int_equal((call), (expected))

static int setup(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    return 0;
}

static void update(void *arg)
{
    uint8_t *image = test_image(CHIP_ESP32, SIZE, true);

    ota_device_start();
    CHECK_CODE(ota_device_begin(&(struct ota_device_image){0}), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(0, SIZE, image, SIZE), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_end(arg), OTA_DEVICE_DONE);
    free(image);
    world_advance(5 * SECOND_US);
    fail_msg("no restart");
}

/* Runs an update of that end; the chip then boots it. */
static void update_to(struct ota_device_end end)
{
    assert_int_equal(life_live(update, &end), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_1");
}

static void start_on_trial(void)
{
    ota_device_start();
    ota_device_start(); /* a second one does nothing */
    assert_true(ota_device_on_trial());
    assert_int_equal(ota_device_trial_left(), 120);
}

static void wait_for_the_end(void *arg)
{
    (void)arg;
    start_on_trial();
    assert_int_equal(ota_device_confirm(), ESP_OK); /* an answer does not confirm it */
    assert_true(ota_device_on_trial());
    CHECK_CODE(ota_device_begin(NULL), OTA_DEVICE_NOT_CONFIRMED);
    CHECK_CODE(ota_device_begin(&(struct ota_device_image){0}), OTA_DEVICE_NOT_CONFIRMED);
    world_advance(120 * SECOND_US - 1);
    assert_int_equal(ota_device_trial_left(), 1);
    world_advance(1);
    fail_msg("still here");
}

static void nothing_is_left(void *arg)
{
    (void)arg;
    ota_device_start();
    assert_false(ota_device_on_trial());
    assert_int_equal(ota_device_trial_left(), -1);
    CHECK_CODE(ota_device_begin(NULL), OTA_DEVICE_DONE);
}

static void check_time_runs_out(bool rollback)
{
    the_chip.rollback = rollback;
    update_to((struct ota_device_end){.trial_seconds = 120});
    assert_int_equal(board_slot_state("ota_1"), rollback ? OTADATA_PENDING_VERIFY : OTADATA_NEW);
    assert_int_equal(life_live(wait_for_the_end, NULL), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(board_slot_state("ota_1"), OTADATA_INVALID);
    assert_int_equal(life_live(nothing_is_left, NULL), LIFE_DONE);
}

static void time_runs_out(void **state)
{
    (void)state;
    check_time_runs_out(true);
}

static void time_runs_out_under_a_plain_boot_loader(void **state)
{
    (void)state;
    check_time_runs_out(false);
}

static void confirm_in_time(void *arg)
{
    (void)arg;
    start_on_trial();
    CHECK_CODE(ota_device_confirm_version("1.0.0"), OTA_DEVICE_WRONG_VERSION);
    CHECK_CODE(ota_device_confirm_version("2.0.01"), OTA_DEVICE_WRONG_VERSION);
    CHECK_CODE(ota_device_confirm_version("2.0."), OTA_DEVICE_WRONG_VERSION);
    CHECK_CODE(ota_device_confirm_version(""), OTA_DEVICE_WRONG_VERSION);
    CHECK_CODE(ota_device_confirm_version(NULL), OTA_DEVICE_WRONG_VERSION);
    assert_true(ota_device_on_trial());
    world_advance(120 * SECOND_US - 1);
    CHECK_CODE(ota_device_confirm_version("2.0.0"), OTA_DEVICE_DONE);
    assert_int_equal(board_slot_state("ota_1"), OTADATA_VALID);
    assert_false(ota_device_on_trial());
    assert_int_equal(ota_device_trial_left(), -1);
    world_advance(1000LL * SECOND_US);

    const uint64_t operations = *the_chip.flash.operations;

    CHECK_CODE(ota_device_confirm_version("2.0.0"), OTA_DEVICE_DONE); /* it is already */
    assert_int_equal(*the_chip.flash.operations, operations);
    CHECK_CODE(ota_device_begin(NULL), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_confirm_version("2.0.0"), OTA_DEVICE_IN_PROGRESS);
    CHECK_CODE(ota_device_rollback(), OTA_DEVICE_IN_PROGRESS);
}

static void check_confirmed(bool rollback)
{
    the_chip.rollback = rollback;
    update_to((struct ota_device_end){.trial_seconds = 120});
    assert_int_equal(life_live(confirm_in_time, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(nothing_is_left, NULL), LIFE_DONE); /* no record, no timer */
    assert_string_equal(board_boot(), "ota_1");
}

static void confirmed_in_time(void **state)
{
    (void)state;
    check_confirmed(true);
}

static void confirmed_in_time_under_a_plain_boot_loader(void **state)
{
    (void)state;
    check_confirmed(false);
}

static void start_and_crash(void *arg)
{
    (void)arg;
    start_on_trial();
}

static void start_after_a_crash(void *arg)
{
    (void)arg;
    ota_device_start();
    fail_msg("not back at once");
}

static void a_reset_within_the_trial_ends_it(void **state)
{
    (void)state;
    the_chip.rollback = false; /* the other kind goes back by itself */
    update_to((struct ota_device_end){.trial_seconds = 120});
    assert_int_equal(life_live(start_and_crash, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(start_after_a_crash, NULL), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(life_live(nothing_is_left, NULL), LIFE_DONE);
}

static void the_boot_loader_goes_back_before_us(void **state)
{
    (void)state;
    update_to((struct ota_device_end){.trial_seconds = 120});
    assert_int_equal(life_live(start_and_crash, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(board_slot_state("ota_1"), OTADATA_ABORTED);
    assert_int_equal(life_live(nothing_is_left, NULL), LIFE_DONE);
}

static void answer_once(void *arg)
{
    (void)arg;
    ota_device_start();
    assert_int_equal(ota_device_trial_left(), -1);
    assert_true(ota_device_on_trial());
    assert_int_equal(ota_device_confirm(), ESP_OK);
    assert_false(ota_device_on_trial());
    assert_int_equal(board_slot_state("ota_1"), OTADATA_VALID);
}

static void without_a_time_the_first_answer_confirms(void **state)
{
    (void)state;
    update_to((struct ota_device_end){.trial_seconds = 0});
    assert_int_equal(life_live(answer_once, NULL), LIFE_DONE);
}

/* The trial without a time is what is left of it. */
static void power_that_was_lost_takes_the_time_with_it(void **state)
{
    (void)state;
    for (unsigned fill = 0; fill < 256; fill += 51) {
        update_to((struct ota_device_end){.trial_seconds = 120});
        life_lose_rtc((uint8_t)fill);
        assert_int_equal(life_live(answer_once, NULL), LIFE_DONE);
        memset(board_partition("otadata"), 0xff, board_partition_size("otadata"));
        assert_string_equal(board_boot(), "ota_0");
    }
}

/* Power is cut at each operation of the selection; the record never puts an image on trial that
 * was not asked for. */
static void update_with_a_cut(void *arg)
{
    the_chip.flash.cut_at = *the_chip.flash.operations + *(const uint64_t *)arg;
    update(&(struct ota_device_end){.trial_seconds = 120});
}

static void look_for_a_trial(void *arg)
{
    const char *slot = arg;

    ota_device_start();
    assert_int_equal(ota_device_trial_left(), -1);
    assert_int_equal(ota_device_on_trial(), strcmp(slot, "ota_1") == 0);
}

static void power_may_go_during_the_selection(void **state)
{
    uint8_t *before = malloc(BOARD_FLASH_BYTES);
    bool cut_off = true;

    (void)state;
    memcpy(before, the_chip.flash.bytes, BOARD_FLASH_BYTES);
    for (uint64_t operation = 80; cut_off; operation++) {
        for (enum flash_cut cut = FLASH_CUT_BEFORE; cut <= FLASH_CUT_DONE; cut++) {
            memcpy(the_chip.flash.bytes, before, BOARD_FLASH_BYTES);
            assert_string_equal(board_boot(), "ota_0");
            the_chip.flash.cut = cut;
            cut_off = life_live(update_with_a_cut, &operation) == LIFE_POWER_CUT;
            if (!cut_off)
                break;

            char slot[17];

            strcpy(slot, board_boot());
            assert_int_equal(life_live(look_for_a_trial, slot), LIFE_DONE);
        }
        assert_true(operation < 100);
    }
    free(before);
}

static void a_boot_that_fell_back_drops_the_record(void **state)
{
    struct ota_device_end end = {.trial_seconds = 120};

    (void)state;
    assert_int_equal(life_live(update, &end), LIFE_RESTARTED);
    board_partition("ota_1")[100]++; /* the boot loader does not like it */
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(life_live(nothing_is_left, NULL), LIFE_DONE);
    board_partition("ota_1")[100]--;
}

static void ask_for_more_than_a_day(void *arg)
{
    static const uint32_t longest = OTA_DEVICE_MAX_TRIAL_SECONDS;
    uint8_t *image = test_image(CHIP_ESP32, SIZE, true);

    (void)arg;
    CHECK_CODE(ota_device_begin(&(struct ota_device_image){0}), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(0, SIZE, image, SIZE), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_end(&(struct ota_device_end){.trial_seconds = UINT32_MAX}),
               OTA_DEVICE_NOT_UNDERSTOOD);
    CHECK_CODE(ota_device_end(&(struct ota_device_end){.trial_seconds = longest + 1}),
               OTA_DEVICE_NOT_UNDERSTOOD);
    assert_string_equal(ota_device_last_fault()->text, "a trial is at most a day, 86400 s");
    assert_true(ota_device_is_open());
    CHECK_CODE(ota_device_end(&(struct ota_device_end){.trial_seconds = longest}), OTA_DEVICE_DONE);
    free(image);
    world_advance(5 * SECOND_US);
    fail_msg("no restart");
}

static void wait_for_a_day(void *arg)
{
    (void)arg;
    ota_device_start();
    assert_int_equal(ota_device_trial_left(), 86400);
    world_advance(86400LL * SECOND_US);
    fail_msg("still here");
}

static void a_trial_is_at_most_a_day(void **state)
{
    (void)state;
    assert_int_equal(life_live(ask_for_more_than_a_day, NULL), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(wait_for_a_day, NULL), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_0");
}

static void no_trial_is_confirmed_from_the_start(void **state)
{
    (void)state;
    update_to((struct ota_device_end){.trial_seconds = 120, .no_trial = true});
    assert_int_equal(board_slot_state("ota_1"), OTADATA_VALID);
    assert_int_equal(life_live(nothing_is_left, NULL), LIFE_DONE);
}

static void spoil_the_way_back(void *arg)
{
    (void)arg;
    ota_device_start();
    assert_int_equal(ota_device_trial_left(), 120);
    board_partition("ota_0")[100]++;
    CHECK_CODE(ota_device_rollback(), OTA_DEVICE_NO_ROLLBACK);
    world_advance(1000LL * SECOND_US);
    assert_int_equal(ota_device_trial_left(), -1); /* it runs on, and its first answer confirms */
    assert_int_equal(ota_device_confirm(), ESP_OK);
    assert_int_equal(board_slot_state("ota_1"), OTADATA_VALID);
}

static void without_a_way_back_it_runs_on(void **state)
{
    (void)state;
    update_to((struct ota_device_end){.trial_seconds = 120});
    assert_int_equal(life_live(spoil_the_way_back, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
}

static void roll_back(void *arg)
{
    (void)arg;
    ota_device_start();
    ota_device_confirm();
    CHECK_CODE(ota_device_rollback(), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_rollback(), OTA_DEVICE_RESTARTING);
    CHECK_CODE(ota_device_begin(NULL), OTA_DEVICE_RESTARTING);
    CHECK_CODE(ota_device_end(&(struct ota_device_end){0}), OTA_DEVICE_RESTARTING);
    world_advance(SECOND_US - 1);
    assert_int_equal(board_slot_state("ota_1"), OTADATA_VALID); /* the reply goes out first */
    world_advance(1);
    fail_msg("still here");
}

static void back_on_demand(void **state)
{
    (void)state;
    update_to((struct ota_device_end){0});
    assert_int_equal(life_live(roll_back, NULL), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(board_slot_state("ota_1"), OTADATA_INVALID);
}

static void nothing_to_go_back_to(void **state)
{
    (void)state;
    ota_device_start();
    CHECK_CODE(ota_device_rollback(), OTA_DEVICE_NO_ROLLBACK);
}

static void learn(void *arg)
{
    bool can = !*(const bool *)arg;

    ota_device_start();
    assert_true(ota_device_can_roll_back(&can));
    assert_int_equal(can, *(const bool *)arg);
}

static void the_first_boot_tells_about_the_boot_loader(void **state)
{
    bool can = true;

    (void)state;
    assert_false(ota_device_can_roll_back(&can));
    update_to((struct ota_device_end){0});
    assert_int_equal(life_live(learn, &can), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_0");
    can = the_chip.rollback = false;
    update_to((struct ota_device_end){0});
    assert_int_equal(life_live(learn, &can), LIFE_DONE);
}

#define ON_A_BOARD(test) cmocka_unit_test_setup_teardown(test, setup, NULL)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_BOARD(time_runs_out),
        ON_A_BOARD(time_runs_out_under_a_plain_boot_loader),
        ON_A_BOARD(confirmed_in_time),
        ON_A_BOARD(confirmed_in_time_under_a_plain_boot_loader),
        ON_A_BOARD(a_reset_within_the_trial_ends_it),
        ON_A_BOARD(the_boot_loader_goes_back_before_us),
        ON_A_BOARD(without_a_time_the_first_answer_confirms),
        ON_A_BOARD(power_that_was_lost_takes_the_time_with_it),
        ON_A_BOARD(power_may_go_during_the_selection),
        ON_A_BOARD(a_boot_that_fell_back_drops_the_record),
        ON_A_BOARD(a_trial_is_at_most_a_day),
        ON_A_BOARD(no_trial_is_confirmed_from_the_start),
        ON_A_BOARD(without_a_way_back_it_runs_on),
        ON_A_BOARD(back_on_demand),
        ON_A_BOARD(nothing_to_go_back_to),
        ON_A_BOARD(the_first_boot_tells_about_the_boot_loader),
    };

    return LIVES_RUN(tests);
}
