/* SPDX-License-Identifier: Apache-2.0 */
/* Which endpoint is asked, when, and what is taken for an answer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_esp32.h"

static int start(void **state)
{
    *state = fake_new();
    return 0;
}

static int stop(void **state)
{
    fake_free(*state);
    return 0;
}

static int get_mode(struct hosted_device *device, struct hosted_fault *fault)
{
    enum hosted_mode mode;

    return hosted_get_mode(device, &mode, NULL, fault);
}

/* Asks, and checks what came of it and the order of the endpoints. */
static void expect(struct fake_esp32 *fake, int result, enum hosted_dialect dialect,
                   const char *endpoints)
{
    struct hosted_device *device = fake_device(fake, NULL);
    struct hosted_fault fault;

    assert_int_equal(hosted_dialect(device), HOSTED_DIALECT_AUTO);
    assert_int_equal(get_mode(device, &fault), result);
    assert_int_equal(hosted_dialect(device), dialect);
    assert_string_equal(fake->endpoints, endpoints);
    hosted_close(device);
}

static void classic_is_asked_first(void **state)
{
    struct fake_esp32 *fake = *state;

    expect(fake, 0, HOSTED_DIALECT_CLASSIC, "c");
}

static void ctrl_is_asked_after_silence(void **state)
{
    struct fake_esp32 *fake = *state;

    fake->dialect = FAKE_CTRL;
    expect(fake, 0, HOSTED_DIALECT_CTRL, "ccr");

    const int64_t silence_ms = fake->asked_ms[2] - fake->asked_ms[0];

    assert_true(silence_ms > 3000); /* an answer may be so late */
    assert_true(silence_ms < 5000);
    assert_true(fake->asked_ms[2] - fake->asked_ms[1] > 3000); /* also if the first was lost */
}

/* Impatience is no proof. */
static void the_silence_is_not_shortened_by_a_timeout(void **state)
{
    struct fake_esp32 *fake = *state;
    const struct hosted_options options = {.timeout_s = 1};
    struct hosted_device *device = fake_device(fake, &options);
    struct hosted_fault fault;

    fake->dialect = FAKE_CTRL;
    assert_int_equal(get_mode(device, &fault), 0);
    assert_true(fake->asked_ms[2] - fake->asked_ms[0] > 4500);
    hosted_close(device);
}

static void mcu_is_asked_last_and_not_served(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *device = fake_device(fake, NULL);
    char mac[HOSTED_MAC_CHARS + 1];
    struct hosted_fault fault;

    fake->dialect = FAKE_MCU;
    assert_int_equal(hosted_get_mac(device, HOSTED_MODE_STATION, mac, &fault), -EPROTONOSUPPORT);
    assert_int_equal(fault.status, HOSTED_REFUSED);
    assert_non_null(strstr(fault.text, "ESP-Hosted-MCU"));
    assert_string_equal(fake->endpoints, "ccrrm");
    hosted_close(device);
}

static void a_frame_of_ctrl_spares_the_wait(void **state)
{
    struct fake_esp32 *fake = *state;
    uint8_t event[FAKE_MESSAGE_MAX];

    fake->dialect = FAKE_CTRL;
    fake->talks = true;
    fake->talk_len = fake_event(event, 302);
    memcpy(fake->talk, event, fake->talk_len);
    expect(fake, 0, HOSTED_DIALECT_CTRL, "cr");
    assert_true(fake->asked_ms[1] - fake->asked_ms[0] < 1000);
}

/* It may be of a firmware that has gone. */
static void what_lies_in_the_queue_decides_nothing(void **state)
{
    struct fake_esp32 *fake = *state;
    uint8_t event[FAKE_MESSAGE_MAX];

    fake_stale(fake, event, fake_event(event, 301));
    fake_stale(fake, event, fake_event(event, 302));
    expect(fake, 0, HOSTED_DIALECT_CLASSIC, "c");
}

/* Anybody may put a frame into the name of a network, and a scan reply may come torn. */
static void a_frame_behind_noise_decides_nothing(void **state)
{
    struct fake_esp32 *fake = *state;
    uint8_t buf[2 * FAKE_MESSAGE_MAX] = "torn \x12\x16";
    size_t len = strlen((char *)buf);

    len += fake_event(buf + len, 301);
    len += fake_reply_code(buf + len, FAKE_GET_MODE, 0);
    fake_answer(fake, FAKE_GET_MODE, 1, buf, len);
    expect(fake, 0, HOSTED_DIALECT_CLASSIC, "c");
}

/* The half of a message that announces more than ever comes must not swallow what follows. */
static void a_torn_frame_hides_no_answer(void **state)
{
    struct fake_esp32 *fake = *state;
    uint8_t buf[2 * FAKE_MESSAGE_MAX] = {1,   7,   0, 'c',  'o', 'n', 't', 'r',
                                         'o', 'l', 2, 0xb5, 7,   8,   19};
    size_t len = 60;

    len += fake_reply_code(buf + len, FAKE_GET_MODE, 0);
    fake_answer(fake, FAKE_GET_MODE, 1, buf, len);
    expect(fake, 0, HOSTED_DIALECT_CLASSIC, "c");
}

/* It was switched on while it was asked, and answers what had been waiting for it. */
static void late_answers_of_classic_firmware_end_the_search(void **state)
{
    struct fake_esp32 *fake = *state;

    fake_answer(fake, FAKE_GET_MODE, 1, NULL, 0);
    fake_answer(fake, FAKE_GET_MODE, 2, NULL, 0);
    fake->talks = true;
    fake->talk_len = fake_reply_code(fake->talk, FAKE_GET_MODE, 0);
    expect(fake, 0, HOSTED_DIALECT_CLASSIC, "ccrc");
}

static void a_named_dialect_is_believed(void **state)
{
    struct fake_esp32 *fake = *state;
    const struct hosted_options options = {.dialect = HOSTED_DIALECT_CTRL};
    struct hosted_device *device = fake_device(fake, &options);
    struct hosted_fault fault;

    fake->dialect = FAKE_CTRL;
    assert_int_equal(get_mode(device, &fault), 0);
    assert_string_equal(fake->endpoints, "r");
    hosted_close(device);
}

/* Busy with a network that it looks for, it must not be asked otherwise. */
static void who_was_classic_stays_classic_in_silence(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *device = fake_device(fake, NULL);
    struct hosted_fault fault;

    assert_int_equal(get_mode(device, &fault), 0);
    fake->dialect = FAKE_MCU; /* that is: nobody on control */
    for (int i = 0; i < 3; i++)
        assert_int_equal(get_mode(device, &fault), -ETIMEDOUT);
    assert_int_equal(strspn(fake->endpoints, "c"), strlen(fake->endpoints));
    hosted_close(device);
}

static void who_was_ctrl_is_looked_for_anew(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *device = fake_device(fake, NULL);
    struct hosted_fault fault;

    fake->dialect = FAKE_CTRL;
    assert_int_equal(get_mode(device, &fault), 0);
    fake->dialect = FAKE_CLASSIC;
    assert_int_equal(get_mode(device, &fault), -ETIMEDOUT);
    assert_int_equal(get_mode(device, &fault), 0);
    assert_string_equal(fake->endpoints, "ccrrc");
    hosted_close(device);
}

/* Numbers of requests: of another process, and none at all. */
static void numbers_start_anywhere_and_count(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *first = fake_device(fake, NULL);
    struct hosted_device *second = fake_device(fake, NULL);

    assert_true(first->client.uid != second->client.uid);
    hosted_close(first);
    hosted_close(second);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(classic_is_asked_first),
        CASE(ctrl_is_asked_after_silence),
        CASE(the_silence_is_not_shortened_by_a_timeout),
        CASE(mcu_is_asked_last_and_not_served),
        CASE(a_frame_of_ctrl_spares_the_wait),
        CASE(what_lies_in_the_queue_decides_nothing),
        CASE(a_frame_behind_noise_decides_nothing),
        CASE(a_torn_frame_hides_no_answer),
        CASE(late_answers_of_classic_firmware_end_the_search),
        CASE(a_named_dialect_is_believed),
        CASE(who_was_classic_stays_classic_in_silence),
        CASE(who_was_ctrl_is_looked_for_anew),
        CASE(numbers_start_anywhere_and_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
