/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_esp32.h"
#include "hosted/session.h"

struct setup {
    struct fake_esp32 *fake;
    struct hosted_device *device;
    struct hosted_session *session;
    struct hosted_fault fault;
};

static int start(void **state)
{
    struct setup *setup = calloc(1, sizeof(*setup));

    setup->fake = fake_new();
    setup->device = fake_device(setup->fake, NULL);
    *state = setup;
    return 0;
}

static int stop(void **state)
{
    struct setup *setup = *state;

    hosted_session_close(setup->session);
    hosted_close(setup->device);
    fake_free(setup->fake);
    free(setup);
    return 0;
}

static int open_session(struct setup *setup)
{
    return hosted_session_open(setup->device, 0, &setup->session, &setup->fault);
}

static int write_some(struct setup *setup, size_t len)
{
    static uint8_t data[20000];

    return hosted_session_write(setup->session, data, len, &setup->fault);
}

static void assert_says(const struct setup *setup, const char *words)
{
    if (strstr(setup->fault.text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, setup->fault.text);
}

static void use_identity(struct setup *setup)
{
    uint8_t buf[FAKE_MESSAGE_MAX];

    fake_answer(setup->fake, FAKE_GET_MODE, 0, buf, fake_reply_identity(buf, 0, 0x100000));
}

static void writes_are_cut_into_chunks(void **state)
{
    struct setup *setup = *state;
    static const uint8_t data[9001] = {1, 2, 3, [8999] = 8, 9};

    assert_int_equal(open_session(setup), 0);
    assert_int_equal(hosted_session_write(setup->session, data, sizeof(data), &setup->fault), 0);
    assert_int_equal(hosted_session_confirmed(setup->session), sizeof(data));
    assert_int_equal(fake_count(setup->fake, FAKE_WRITE), 3);
    assert_int_equal(setup->fake->image_len, sizeof(data));
    assert_memory_equal(setup->fake->image, data, sizeof(data));
    assert_int_equal(write_some(setup, 0), 0);
    assert_int_equal(fake_count(setup->fake, FAKE_WRITE), 3); /* nothing for nothing */
    assert_int_equal(hosted_session_finish(setup->session, &setup->fault), 0);

    /* The second question: behind its answer no answer to a write can be left. */
    static const uint8_t expected[] = {FAKE_GET_MODE, FAKE_BEGIN,    FAKE_WRITE, FAKE_WRITE,
                                       FAKE_WRITE,    FAKE_GET_MODE, FAKE_END};

    assert_int_equal(setup->fake->requests, sizeof(expected));
    assert_memory_equal(setup->fake->numbers, expected, sizeof(expected));
}

/* An earlier answer came twice and stood for that of the last write; its own says no. */
static void a_late_refusal_is_none_the_less_one(void **state)
{
    struct setup *setup = *state;
    uint8_t buf[2 * FAKE_MESSAGE_MAX];
    size_t len = fake_reply_code(buf, FAKE_WRITE, -1);

    len += fake_reply_code(buf + len, FAKE_GET_MODE, 0);
    fake_answer(setup->fake, FAKE_GET_MODE, 2, buf, len);
    assert_int_equal(open_session(setup), 0);
    assert_int_equal(write_some(setup, 4000), 0);
    assert_int_equal(hosted_session_finish(setup->session, &setup->fault), -EREMOTEIO);
    assert_int_equal(setup->fault.status, HOSTED_REFUSED);
    assert_int_equal(fake_count(setup->fake, FAKE_END), 0);
}

static void a_silent_device_is_not_told_to_begin(void **state)
{
    struct setup *setup = *state;

    fake_answer(setup->fake, FAKE_GET_MODE, 0, NULL, 0);
    assert_int_equal(open_session(setup), -ETIMEDOUT);
    assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), 0);
    assert_null(setup->session);
}

static void a_refused_begin_leaves_all_as_it_was(void **state)
{
    struct setup *setup = *state;

    use_identity(setup);
    fake_result(setup->fake, FAKE_BEGIN, 0, -1);
    assert_int_equal(open_session(setup), -EREMOTEIO);
    assert_int_equal(setup->fault.status, HOSTED_REFUSED);
    assert_says(setup, "the ESP32 refused begin (code -1); no update was begun: if one has just "
                       "ended, wait for the ESP32 to restart");
    assert_null(setup->session);
}

/* 15 s and 40 ms per KiB: of what the caller says, else the device, else 1792 KiB. */
static void begin_waits_for_the_erase_of_the_slot(void **state)
{
    struct setup *setup = *state;
    struct fake_esp32 *fake = setup->fake;

    fake_answer(fake, FAKE_BEGIN, 0, NULL, 0);
    assert_int_equal(open_session(setup), -ETIMEDOUT);
    assert_in_range(fake->longest_wait_ms, 85000, 86000);
    assert_says(setup, "no answer to begin for 86 s; the old firmware is still in place");

    fake->longest_wait_ms = 0;
    assert_int_equal(hosted_session_open(setup->device, 0x300000, &setup->session, &setup->fault),
                     -ETIMEDOUT);
    assert_in_range(fake->longest_wait_ms, 136000, 137000);

    fake->longest_wait_ms = 0;
    assert_int_equal(hosted_session_open(setup->device, 4096, &setup->session, &setup->fault),
                     -ETIMEDOUT);
    assert_in_range(fake->longest_wait_ms, 29000, 30000);

    fake->longest_wait_ms = 0;
    use_identity(setup);
    assert_int_equal(open_session(setup), -ETIMEDOUT);
    assert_in_range(fake->longest_wait_ms, 54000, 55000);
}

static void a_callers_timeout_holds_for_begin_too(void **state)
{
    struct setup *setup = *state;

    setup->device->timeout_s = 2;
    fake_answer(setup->fake, FAKE_BEGIN, 0, NULL, 0);
    assert_int_equal(open_session(setup), -ETIMEDOUT);
    assert_in_range(setup->fake->longest_wait_ms, 1000, 2000);
}

/* Whatever ends a write, nothing is sent behind it. */
static void nothing_follows_a_failed_write(void **state)
{
    struct setup *setup = *state;
    struct fake_esp32 *fake = setup->fake;
    static const int errors[] = {-ETIMEDOUT, -ENODEV, -ECANCELED, -EREMOTEIO};

    use_identity(setup);
    for (unsigned i = 0; i < 4; i++) {
        const unsigned third = 3 * (i + 1);

        if (errors[i] == -EREMOTEIO)
            fake_result(fake, FAKE_WRITE, third, -1);
        else
            fake_failure(fake, FAKE_WRITE, third, errors[i]);
        assert_int_equal(open_session(setup), 0);
        assert_int_equal(write_some(setup, 20000), errors[i]);
        assert_int_equal(setup->fault.offset, 8000);
        assert_says(setup, "write at 8,000");
        assert_says(setup, "2.3.1 is still in place");

        const unsigned sent = fake->requests;

        assert_int_equal(write_some(setup, 1), -EPROTO);
        assert_int_equal(hosted_session_finish(setup->session, &setup->fault), -EPROTO);
        assert_says(setup, "no end is possible after a failed write");
        assert_int_equal(setup->fault.offset, 8000);
        assert_int_equal(hosted_session_confirmed(setup->session), 8000);
        assert_int_equal(fake->requests, sent);
        hosted_session_close(setup->session);
        setup->session = NULL;
    }
    assert_int_equal(fake_count(fake, FAKE_END), 0);
}

static void a_refused_end_leaves_the_old_firmware(void **state)
{
    struct setup *setup = *state;

    use_identity(setup);
    fake_result(setup->fake, FAKE_END, 0, -1);
    assert_int_equal(open_session(setup), 0);
    assert_int_equal(write_some(setup, 10), 0);
    assert_int_equal(hosted_session_finish(setup->session, &setup->fault), -EREMOTEIO);
    assert_says(setup, "refused end (code -1); 2.3.1 is still in place");
    assert_int_equal(hosted_session_finish(setup->session, &setup->fault), -EPROTO);
    assert_int_equal(fake_count(setup->fake, FAKE_END), 1);
}

static void after_a_silent_end_nobody_can_tell(void **state)
{
    struct setup *setup = *state;

    use_identity(setup);
    fake_answer(setup->fake, FAKE_END, 0, NULL, 0);
    assert_int_equal(open_session(setup), 0);
    assert_int_equal(write_some(setup, 10), 0);
    assert_int_equal(hosted_session_finish(setup->session, &setup->fault), -ETIMEDOUT);
    assert_int_equal(setup->fault.status, HOSTED_NO_ANSWER);
    assert_says(setup, "may have selected the new firmware");
    assert_null(strstr(setup->fault.text, "still in place"));
}

/* Write 3 is answered after the host has given up; the next update must not take it for its own. */
static void a_late_reply_does_not_count(void **state)
{
    struct setup *setup = *state;
    uint8_t late[FAKE_MESSAGE_MAX];
    const size_t len = fake_reply_code(late, FAKE_WRITE, 0);

    fake_answer(setup->fake, FAKE_WRITE, 1, NULL, 0);
    assert_int_equal(open_session(setup), 0);
    assert_int_equal(write_some(setup, 10), -ETIMEDOUT);
    hosted_session_close(setup->session);

    fake_stale(setup->fake, late, len);
    fake_result(setup->fake, FAKE_WRITE, 2, -1);
    assert_int_equal(open_session(setup), 0);
    assert_int_equal(write_some(setup, 10), -EREMOTEIO);
}

static void a_late_begin_comes_before_the_answer_to_the_question(void **state)
{
    struct setup *setup = *state;
    uint8_t buf[FAKE_MESSAGE_MAX];

    /* The ESP32 answers in order: first the old begin, then the question who is there. */
    fake_answer(setup->fake, FAKE_GET_MODE, 1, buf, fake_reply_code(buf, FAKE_BEGIN, 0));
    fake_answer(setup->fake, FAKE_GET_MODE, 1, buf, fake_reply_code(buf, FAKE_GET_MODE, 0));
    fake_result(setup->fake, FAKE_BEGIN, 1, -1);
    assert_int_equal(open_session(setup), -EREMOTEIO);
}

static void what_the_device_said_ends_with_its_restart(void **state)
{
    struct setup *setup = *state;

    use_identity(setup);
    assert_int_equal(open_session(setup), 0);
    assert_int_equal(write_some(setup, 10), 0);
    assert_true(hosted_identity(setup->device)->known);
    assert_int_equal(hosted_session_finish(setup->session, &setup->fault), 0);
    assert_false(hosted_identity(setup->device)->known);
    assert_int_equal(write_some(setup, 10), -EPROTO);
    assert_says(setup, "after the end of the update");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(writes_are_cut_into_chunks),
        CASE(a_silent_device_is_not_told_to_begin),
        CASE(a_refused_begin_leaves_all_as_it_was),
        CASE(begin_waits_for_the_erase_of_the_slot),
        CASE(a_callers_timeout_holds_for_begin_too),
        CASE(nothing_follows_a_failed_write),
        CASE(a_refused_end_leaves_the_old_firmware),
        CASE(after_a_silent_end_nobody_can_tell),
        CASE(a_late_refusal_is_none_the_less_one),
        CASE(a_late_reply_does_not_count),
        CASE(a_late_begin_comes_before_the_answer_to_the_question),
        CASE(what_the_device_said_ends_with_its_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
