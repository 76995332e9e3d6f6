/* SPDX-License-Identifier: Apache-2.0 */
/* What an update waits for after `end`, whom it believes, and which release it may go to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_esp32.h"
#include "hosted/update.h"
#include "memory_source.h"
#include "test_image.h"

#define SIZE       400
#define VERSION_AT (24 + 8 + 16)

struct setup {
    struct fake_esp32 *fake;
    uint8_t *image;
    struct hosted_update_options options;
    struct hosted_update_result result;
    struct hosted_fault fault;
};

static int start(void **state)
{
    struct setup *setup = calloc(1, sizeof(*setup));

    setup->fake = fake_new();
    setup->image = test_image(0, SIZE, true);
    setup->options = hosted_update_defaults;
    *state = setup;
    return 0;
}

static int stop(void **state)
{
    struct setup *setup = *state;

    fake_free(setup->fake);
    free(setup->image);
    free(setup);
    return 0;
}

static void set_version(struct setup *setup, const char *version)
{
    memset(setup->image + VERSION_AT, 0, 32);
    strcpy((char *)setup->image + VERSION_AT, version);
    test_image_seal(setup->image, SIZE);
}

static int update(struct setup *setup)
{
    struct memory_source source = memory_source(setup->image, SIZE);
    struct hosted_device *device = fake_device(setup->fake, NULL);
    const int err =
        hosted_update(device, &source.source, &setup->options, &setup->result, &setup->fault);

    hosted_close(device);
    return err;
}

/* The answer to the nth mode request: the first two are before `begin` and before `end`. */
static void identity(struct setup *setup, unsigned nth, const char *slot, const char *version)
{
    uint8_t payload[128] = {0x08, 1, 0x10, 0, 0xa2, 0x06}; /* mode, resp, field 100 */
    uint8_t buf[FAKE_MESSAGE_MAX];
    uint8_t *at = payload + 7;

    *at++ = 0x1a;
    *at++ = (uint8_t)strlen(slot);
    at = (uint8_t *)stpcpy((char *)at, slot);
    *at++ = 0x2a;
    *at++ = (uint8_t)strlen(version);
    at = (uint8_t *)stpcpy((char *)at, version);
    payload[6] = (uint8_t)(at - payload - 7);
    fake_answer(setup->fake, FAKE_GET_MODE, nth, buf,
                fake_reply(buf, FAKE_GET_MODE, payload, (size_t)(at - payload)));
}

/* Milliseconds from `end` to the nth question after it. */
static int64_t waited_ms(const struct setup *setup)
{
    const struct fake_esp32 *fake = setup->fake;
    unsigned end = 0;

    while (fake->numbers[end] != FAKE_END)
        end++;
    return fake->asked_ms[fake->requests - 1] - fake->asked_ms[end];
}

static void another_slot_proves_the_restart(void **state)
{
    struct setup *setup = *state;

    for (unsigned nth = 1; nth < 9; nth++) /* the old one answers on for a while */
        identity(setup, nth, "ota_0", "1.0.0");
    identity(setup, 9, "ota_1", "2.0.0");
    assert_int_equal(update(setup), 0);
    assert_true(setup->result.answered);
    assert_true(setup->result.verified);
    assert_string_equal(setup->result.version, "2.0.0");
    assert_true(waited_ms(setup) < 6000);
}

static void the_old_firmware_that_came_back_is_told(void **state)
{
    struct setup *setup = *state;

    identity(setup, 0, "ota_0", "1.0.0");
    assert_int_equal(update(setup), -EHOSTDOWN);
    assert_int_equal(setup->fault.status, HOSTED_NOT_UP);
    assert_non_null(strstr(setup->fault.text, "runs 1.0.0 instead of 2.0.0"));
    assert_true(waited_ms(setup) >= 7500); /* it might just have been slow to restart */
}

/* Of the same version: the slot tells. */
static void the_same_version_in_the_old_slot_came_back(void **state)
{
    struct setup *setup = *state;

    identity(setup, 0, "ota_0", "2.0.0");
    assert_int_equal(update(setup), -EHOSTDOWN);
}

static void stock_firmware_is_believed_once_it_must_have_restarted(void **state)
{
    struct setup *setup = *state;

    assert_int_equal(update(setup), 0);
    assert_true(setup->result.answered);
    assert_false(setup->result.verified);
    assert_string_equal(setup->result.version, "");
    assert_true(waited_ms(setup) >= 6000);
    assert_true(waited_ms(setup) < 7000);
}

static void silence_ends_the_wait(void **state)
{
    struct setup *setup = *state;

    identity(setup, 1, "ota_0", "1.0.0");
    identity(setup, 2, "ota_0", "1.0.0");
    for (unsigned nth = 3; nth < 200; nth++)
        fake_answer(setup->fake, FAKE_GET_MODE, nth, NULL, 0);
    assert_int_equal(update(setup), -ETIMEDOUT);
    assert_int_equal(setup->fault.status, HOSTED_NO_ANSWER);
    assert_non_null(strstr(setup->fault.text, "has selected the new firmware"));
    assert_true(waited_ms(setup) >= 60000 && waited_ms(setup) <= 65000);
}

/* For half a minute after an `end` on control nothing but control is asked. */
static void a_slow_start_is_not_disturbed(void **state)
{
    struct setup *setup = *state;
    const struct fake_esp32 *fake = setup->fake;
    unsigned other = 0;

    identity(setup, 1, "ota_0", "1.0.0");
    identity(setup, 2, "ota_0", "1.0.0");
    for (unsigned nth = 3; nth < 200; nth++)
        fake_answer(setup->fake, FAKE_GET_MODE, nth, NULL, 0);
    update(setup);
    other = (unsigned)strcspn(fake->endpoints, "r");
    assert_true(other < fake->requests);
    assert_true(fake->asked_ms[other] - fake->asked_ms[4] >= 30000);
}

static int sleep_once(void *ctx, enum hosted_stage stage, const struct hosted_image *image,
                      uint64_t done, uint64_t total)
{
    bool *slept = ctx;

    (void)image, (void)done, (void)total;
    if (stage == HOSTED_STAGE_REBOOT && !*slept) {
        *slept = true;
        clock_wait(NULL, clock_ms() + 40000);
    }
    return 0;
}

/* The tool was stopped for long: that was no silence of the ESP32's. */
static void time_alone_allows_no_other_question(void **state)
{
    struct setup *setup = *state;
    bool slept = false;

    setup->options.progress = sleep_once;
    setup->options.progress_ctx = &slept;
    identity(setup, 1, "ota_0", "1.0.0");
    identity(setup, 2, "ota_0", "1.0.0");
    for (unsigned nth = 3; nth < 8; nth++)
        fake_answer(setup->fake, FAKE_GET_MODE, nth, NULL, 0);
    identity(setup, 8, "ota_1", "2.0.0");
    assert_int_equal(update(setup), 0);
    assert_int_equal(strspn(setup->fake->endpoints, "c"), setup->fake->requests);
}

static void nobody_waits(void **state)
{
    struct setup *setup = *state;

    setup->options.reboot_timeout_s = 0;
    assert_int_equal(update(setup), 0);
    assert_false(setup->result.answered);
    assert_int_equal(fake_count(setup->fake, FAKE_GET_MODE), 2);
}

static int stop_waiting(void *ctx, enum hosted_stage stage, const struct hosted_image *image,
                        uint64_t done, uint64_t total)
{
    (void)ctx, (void)image, (void)done, (void)total;
    return stage == HOSTED_STAGE_REBOOT;
}

static void the_wait_alone_can_be_stopped(void **state)
{
    struct setup *setup = *state;

    setup->options.progress = stop_waiting;
    assert_int_equal(update(setup), -ECANCELED);
    assert_non_null(strstr(setup->fault.text, "has selected the new firmware"));
    assert_int_equal(fake_count(setup->fake, FAKE_END), 1);
}

/* Releases */

static void expect_release(struct setup *setup, const char *runs, const char *image, int result)
{
    setup->fake->dialect = FAKE_CTRL;
    setup->fake->link.kernel_driver = true;
    setup->options.reboot_timeout_s = 0;
    strcpy(setup->fake->release, runs);
    set_version(setup, image);
    assert_int_equal(update(setup), result);
    if (result == -EXDEV) {
        assert_int_equal(setup->fault.status, HOSTED_IMAGE);
        assert_int_equal(setup->fault.hint, HOSTED_HINT_ALLOW_RELEASE_CHANGE);
        assert_null(strstr(setup->fault.text, "--"));
        assert_non_null(strstr(setup->fault.text, "nothing was erased"));
    }
}

/* The fake has no flash: an update that gets through its questions has succeeded. */
static void the_kernel_driver_takes_its_own_release_alone(void **state)
{
    struct setup *setup = *state;

    expect_release(setup, "FG-1.0.0.0.0", "FG-1.0.0.0.0", 0);
    expect_release(setup, "FG-1.0.0.0.0", "FG-1.0.0.0.1", -EXDEV);
    expect_release(setup, "FG-1.0.0.0.0", "2.0.0", -EXDEV);
    expect_release(setup, "", "FG-1.0.0.0.0", -EXDEV); /* old: what it is, it does not tell */
}

static void who_knows_better_goes_on(void **state)
{
    struct setup *setup = *state;

    setup->options.allow_release_change = true;
    expect_release(setup, "FG-1.0.0.0.0", "FG-1.0.0.0.1", 0);
}

static void without_the_kernel_driver_any_release_will_do(void **state)
{
    struct setup *setup = *state;

    setup->fake->dialect = FAKE_CTRL;
    setup->options.reboot_timeout_s = 0;
    strcpy(setup->fake->release, "FG-1.0.0.0.0");
    set_version(setup, "FG-1.0.0.0.1");
    assert_int_equal(update(setup), 0);
}

/* Classic firmware is from before the driver compared anything. */
static void classic_firmware_has_no_release(void **state)
{
    struct setup *setup = *state;

    setup->fake->link.kernel_driver = true;
    setup->options.reboot_timeout_s = 0;
    assert_int_equal(update(setup), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(another_slot_proves_the_restart),
        CASE(the_old_firmware_that_came_back_is_told),
        CASE(the_same_version_in_the_old_slot_came_back),
        CASE(stock_firmware_is_believed_once_it_must_have_restarted),
        CASE(silence_ends_the_wait),
        CASE(a_slow_start_is_not_disturbed),
        CASE(time_alone_allows_no_other_question),
        CASE(nobody_waits),
        CASE(the_wait_alone_can_be_stopped),
        CASE(the_kernel_driver_takes_its_own_release_alone),
        CASE(who_knows_better_goes_on),
        CASE(without_the_kernel_driver_any_release_will_do),
        CASE(classic_firmware_has_no_release),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
