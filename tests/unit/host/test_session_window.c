/* SPDX-License-Identifier: Apache-2.0 */
/* Several writes on their way: whatever becomes of them or of their answers, the image arrives, and
 * so many are out as the ESP32 keeps. Each case in both dialects: answers of classic have no
 * number. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "extended_esp32.h"
#include "session_internal.h"

#define WHAT(name) HOSTED_EXTENSION__REQUEST__WHAT_##name
#define CODE(name) HOSTED_EXTENSION__CODE__##name
#define CHUNK      HOSTED_CHUNK_BYTES
#define SECTOR     4096
#define LEN        (12 * CHUNK + 100)
#define WRITES     13
#define WINDOW     3

struct setup {
    struct extended_esp32 *fake;
    struct hosted_device *device;
    struct hosted_session *session;
    struct hosted_fault fault;
    uint8_t data[64 * 1024];
};

static bool s_ctrl;

static int start_with(void **state, uint32_t window)
{
    struct setup *setup = calloc(1, sizeof(*setup));

    setup->fake = extended_new();
    setup->fake->ctrl = s_ctrl;
    setup->fake->features |= HOSTED_CAN_WINDOW;
    setup->fake->window = window;
    setup->device = extended_device(setup->fake);
    for (size_t i = 0; i < sizeof(setup->data); i++)
        setup->data[i] = (uint8_t)(i * 7 + i / 251);
    *state = setup;
    return hosted_session_open(setup->device, 0, &setup->session, &setup->fault);
}

static int start(void **state)
{
    return start_with(state, WINDOW);
}

static int stop(void **state)
{
    struct setup *setup = *state;

    hosted_session_close(setup->session);
    hosted_close(setup->device);
    extended_free(setup->fake);
    free(setup);
    return 0;
}

static struct setup *start_anew(void **state)
{
    stop(state);
    assert_int_equal(start(state), 0);
    return *state;
}

static int write_all(struct setup *setup)
{
    return hosted_session_write(setup->session, setup->data, LEN, &setup->fault);
}

static void assert_arrives(struct setup *setup)
{
    if (write_all(setup) < 0)
        fail_msg("%s", setup->fault.text);
    assert_int_equal(hosted_session_confirmed(setup->session), LEN);
    assert_memory_equal(setup->fake->slot, setup->data, LEN);
}

static bool is_nth_write(const struct extended_esp32 *fake, const HostedExtension__Request *request,
                         unsigned nth)
{
    return request->what_case == WHAT(WRITE) && fake->sent[WHAT(WRITE)] == nth;
}

static void so_many_are_out_as_it_keeps(void **state)
{
    static const struct {
        uint32_t granted;
        unsigned out;
    } cases[] = {{0, 1}, {1, 1}, {2, 2}, {3, 3}, {8, 8}, {9, 8}, {UINT32_MAX, 8}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct setup *setup;

        stop(state);
        assert_int_equal(start_with(state, cases[i].granted), 0);
        setup = *state;
        assert_arrives(setup);
        assert_int_equal(setup->fake->most_out, cases[i].out);
        assert_int_equal(setup->fake->seen[WHAT(WRITE)], WRITES);
    }
}

/* A number in the identity alone is none. */
static void without_the_feature_one_is_out(void **state)
{
    struct setup *setup = *state;

    hosted_session_close(setup->session);
    setup->fake->features &= ~(uint32_t)HOSTED_CAN_WINDOW;
    assert_int_equal(hosted_session_open(setup->device, 0, &setup->session, &setup->fault), 0);
    assert_arrives(setup);
    assert_int_equal(setup->fake->most_out, 1);
}

static unsigned s_nth;

static bool lose_request(struct extended_esp32 *fake, const HostedExtension__Request *request)
{
    return !is_nth_write(fake, request, s_nth);
}

static void a_lost_write_is_sent_again(void **state)
{
    for (s_nth = 1; s_nth <= WRITES; s_nth++) {
        struct setup *setup = start_anew(state);

        setup->fake->arrives = lose_request;
        assert_arrives(setup);
        assert_in_range(setup->fake->seen[WHAT(WRITE)], WRITES, WRITES + WINDOW);
        /* Those behind it are refused at once; of the last nobody hears for a while. */
        if (s_nth < WRITES)
            assert_null(strstr(setup->fake->log, "asked again"));
    }
}

static int lose_answer(struct extended_esp32 *fake, const HostedExtension__Request *request,
                       HostedExtension__Reply *reply)
{
    (void)reply;
    return is_nth_write(fake, request, s_nth) ? 0 : 1;
}

static void the_next_answer_stands_for_a_lost_one(void **state)
{
    for (s_nth = 1; s_nth <= WRITES; s_nth++) {
        struct setup *setup = start_anew(state);

        setup->fake->on = lose_answer;
        assert_arrives(setup);
        assert_int_equal(setup->fake->seen[WHAT(WRITE)], s_nth < WRITES ? WRITES : WRITES + 1);
    }
}

static int double_answer(struct extended_esp32 *fake, const HostedExtension__Request *request,
                         HostedExtension__Reply *reply)
{
    (void)reply;
    return is_nth_write(fake, request, s_nth) ? 2 : 1;
}

static void a_doubled_answer_does_no_harm(void **state)
{
    for (s_nth = 1; s_nth <= WRITES; s_nth++) {
        struct setup *setup = start_anew(state);

        setup->fake->on = double_answer;
        assert_arrives(setup);
        assert_in_range(setup->fake->seen[WHAT(WRITE)], WRITES, WRITES + WINDOW);
    }
}

/* Nothing arrives for a while, and then all does. */
static bool lose_three(struct extended_esp32 *fake, const HostedExtension__Request *request)
{
    const unsigned nth = fake->sent[WHAT(WRITE)];

    return request->what_case != WHAT(WRITE) || nth < s_nth || nth >= s_nth + WINDOW;
}

static void a_window_that_is_lost_is_sent_again(void **state)
{
    struct setup *setup = *state;

    s_nth = 5;
    setup->fake->arrives = lose_three;
    assert_arrives(setup);
    assert_non_null(strstr(setup->fake->log, "no answer to write: asked again\n"));
    assert_int_equal(setup->fake->sent[WHAT(WRITE)], WRITES + WINDOW);
}

static int break_the_flash(struct extended_esp32 *fake, const HostedExtension__Request *request,
                           HostedExtension__Reply *reply)
{
    if (is_nth_write(fake, request, s_nth)) {
        reply->code = CODE(PROGRAM_FAILED);
        reply->has_address = true;
        reply->address = 0x111000;
        fake->open = false;
        reply->has_next = false;
    }
    return 1;
}

/* Also those that were out behind it are refused: that no update is open is not the reason. */
static void a_refusal_ends_it_with_its_words(void **state)
{
    struct setup *setup = *state;

    s_nth = 4;
    setup->fake->on = break_the_flash;
    assert_int_equal(write_all(setup), -EREMOTEIO);
    assert_string_equal(setup->fault.text,
                        "/dev/fake: the ESP32 refused write at 12,000: the flash could not be "
                        "programmed at 0x111000 (code 14); 1.0.0 is still in place");
    assert_int_equal(setup->fault.offset, 3 * CHUNK);
    assert_in_range(setup->fake->seen[WHAT(WRITE)], 4, 3 + WINDOW);
}

static bool lose_second(struct extended_esp32 *fake, const HostedExtension__Request *request)
{
    return !is_nth_write(fake, request, 2);
}

/* The second was lost: the third is refused for its place, and only then comes what counts. */
static void a_refusal_behind_a_lost_write_is_not_lost(void **state)
{
    struct setup *setup = *state;

    s_nth = 4;
    setup->fake->arrives = lose_second;
    setup->fake->on = break_the_flash;
    assert_int_equal(write_all(setup), -EREMOTEIO);
    assert_int_equal(setup->fault.device_code, CODE(PROGRAM_FAILED));
}

/* As a link would have it whose other end knows nothing of the extension. */
static int double_third_and_refuse_fourth(struct extended_esp32 *fake,
                                          const HostedExtension__Request *request,
                                          HostedExtension__Reply *reply)
{
    if (is_nth_write(fake, request, 3))
        return 2;
    if (!is_nth_write(fake, request, 4))
        return 1;
    fake->next = request->write->offset; /* it does not have this one */
    reply->code = CODE(NOT_UNDERSTOOD);
    return EXTENDED_PLAIN;
}

static void a_refusal_without_content_is_none_the_less(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = double_third_and_refuse_fourth;
    assert_int_equal(write_all(setup), -EREMOTEIO);
    assert_string_equal(
        setup->fault.text,
        "/dev/fake: the ESP32 refused write at 12,000 (code -1); 1.0.0 is still in place");
}

static bool lose_two(struct extended_esp32 *fake, const HostedExtension__Request *request)
{
    return !is_nth_write(fake, request, 3) && !is_nth_write(fake, request, 4);
}

static int pump_all(struct setup *setup)
{
    int err = 0;

    while (err == 0 && setup->session->confirmed < session_position(setup->session))
        err = session_pump(setup->session, &setup->fault);
    return err;
}

/*
 * Runs of one sector are two writes. Were both lost, the ESP32 would take the first write of the
 * next run for one behind a gap.
 */
static void what_was_lost_is_not_taken_for_a_gap(void **state)
{
    struct setup *setup = *state;

    setup->fake->arrives = lose_two;
    for (unsigned i = 0; i < 4; i++) {
        session_put(setup->session, setup->data + 2 * i * SECTOR, SECTOR, 0);
        session_skip(setup->session, SECTOR);
    }
    assert_int_equal(pump_all(setup), 0);
    assert_int_equal(hosted_session_confirmed(setup->session), 8 * SECTOR);
    for (unsigned i = 0; i < 4; i++)
        assert_memory_equal(setup->fake->slot + 2 * i * SECTOR, setup->data + 2 * i * SECTOR,
                            SECTOR);
}

/* The same of runs that follow each other, as the last sector of a block and the next block do. */
static void nor_at_the_start_of_a_sector(void **state)
{
    struct setup *setup = *state;

    setup->fake->arrives = lose_two;
    for (unsigned i = 0; i < 4; i++)
        session_put(setup->session, setup->data + i * SECTOR, SECTOR, 0);
    assert_int_equal(pump_all(setup), 0);
    assert_memory_equal(setup->fake->slot, setup->data, 4 * SECTOR);
}

/* What lies behind the last write that is out counts once that is confirmed. */
static void what_is_left_out_is_confirmed_behind_what_is_sent(void **state)
{
    struct setup *setup = *state;

    session_put(setup->session, setup->data, SECTOR, 0);
    session_skip(setup->session, 2 * SECTOR);
    while (!session_is_sent(setup->session))
        assert_int_equal(session_pump(setup->session, &setup->fault), 0);
    assert_int_equal(hosted_session_confirmed(setup->session), 0);
    assert_int_equal(pump_all(setup), 0);
    assert_int_equal(hosted_session_confirmed(setup->session), 3 * SECTOR);
    session_skip(setup->session, SECTOR);
    assert_int_equal(hosted_session_confirmed(setup->session), 4 * SECTOR);
}

static bool is_one_of(unsigned nth, const unsigned *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == nth)
            return true;
    return false;
}

static const unsigned s_lost[] = {2, 9, 12}, s_unanswered[] = {5, 6, 7};

static bool lose_some(struct extended_esp32 *fake, const HostedExtension__Request *request)
{
    return request->what_case != WHAT(WRITE) || !is_one_of(fake->sent[WHAT(WRITE)], s_lost, 3);
}

static int answer_some(struct extended_esp32 *fake, const HostedExtension__Request *request,
                       HostedExtension__Reply *reply)
{
    (void)reply;
    return request->what_case != WHAT(WRITE) || !is_one_of(fake->sent[WHAT(WRITE)], s_unanswered, 3)
               ? 1
               : 0;
}

/* A write is lost, then three answers, and what they said is only heard after a silence: the next
 * two that are lost are not the second and third without progress. */
static void what_was_taken_in_silence_is_progress(void **state)
{
    struct setup *setup = *state;

    setup->fake->arrives = lose_some;
    setup->fake->on = answer_some;
    assert_arrives(setup);
    assert_non_null(strstr(setup->fake->log, "asked again"));
}

static int go_in_circles(struct extended_esp32 *fake, const HostedExtension__Request *request,
                         HostedExtension__Reply *reply)
{
    if (request->what_case == WHAT(WRITE))
        fake->next = reply->next = request->write->offset < 4 * CHUNK ? fake->next : 0;
    return 1;
}

/* Each write is taken in part. */
static int creep(struct extended_esp32 *fake, const HostedExtension__Request *request,
                 HostedExtension__Reply *reply)
{
    if (request->what_case == WHAT(WRITE))
        fake->next = reply->next = request->write->offset + 1;
    return 1;
}

/* It was handed over, but not sent. */
static int want_what_was_not_sent(struct extended_esp32 *fake,
                                  const HostedExtension__Request *request,
                                  HostedExtension__Reply *reply)
{
    (void)fake;
    if (request->what_case == WHAT(WRITE))
        reply->next = LEN;
    return 1;
}

static int want_the_end_of_the_world(struct extended_esp32 *fake,
                                     const HostedExtension__Request *request,
                                     HostedExtension__Reply *reply)
{
    (void)fake;
    if (request->what_case == WHAT(WRITE))
        reply->next = UINT32_MAX;
    return 1;
}

static void nonsense_comes_to_an_end(void **state)
{
    static int (*const kinds[])(struct extended_esp32 *fake,
                                const HostedExtension__Request *request,
                                HostedExtension__Reply *reply) = {
        go_in_circles,
        creep,
        want_what_was_not_sent,
        want_the_end_of_the_world,
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct setup *setup = start_anew(state);

        setup->fake->on = kinds[i];
        assert_int_equal(write_all(setup), -EPROTO);
        assert_non_null(strstr(setup->fault.text, "does not say what it wants"));
        assert_in_range(setup->fake->seen[WHAT(WRITE)], 3, 12 * WINDOW);
    }
}

static int fall_silent(struct extended_esp32 *fake, const HostedExtension__Request *request,
                       HostedExtension__Reply *reply)
{
    (void)reply;
    return request->what_case == WHAT(WRITE) && fake->seen[WHAT(WRITE)] >= 3 ? 0 : 1;
}

/* Whether it still lives one write shows as well as three. */
static void silence_ends_it(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = fall_silent;
    assert_int_equal(write_all(setup), -ETIMEDOUT);
    assert_non_null(strstr(setup->fault.text, "no answer to write at 8,000 for 30 s"));
    assert_int_equal(setup->fake->seen[WHAT(WRITE)], 2 + WINDOW + 5);
}

/* Who gives up leaves no answer behind that could stand for another. */
static void what_was_out_disturbs_no_later_session(void **state)
{
    struct setup *setup = *state;

    session_put(setup->session, setup->data, LEN, 0);
    for (unsigned i = 0; i < WINDOW; i++)
        assert_int_equal(session_pump(setup->session, &setup->fault), 0);
    hosted_session_close(setup->session);
    setup->session = NULL;
    assert_false(setup->fake->open);
    memset(setup->fake->slot, 0xff, LEN);
    assert_int_equal(hosted_session_open(setup->device, 0, &setup->session, &setup->fault), 0);
    assert_arrives(setup);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(so_many_are_out_as_it_keeps),
        CASE(without_the_feature_one_is_out),
        CASE(a_lost_write_is_sent_again),
        CASE(the_next_answer_stands_for_a_lost_one),
        CASE(a_doubled_answer_does_no_harm),
        CASE(a_window_that_is_lost_is_sent_again),
        CASE(a_refusal_ends_it_with_its_words),
        CASE(a_refusal_behind_a_lost_write_is_not_lost),
        CASE(a_refusal_without_content_is_none_the_less),
        CASE(what_was_lost_is_not_taken_for_a_gap),
        CASE(nor_at_the_start_of_a_sector),
        CASE(what_is_left_out_is_confirmed_behind_what_is_sent),
        CASE(what_was_taken_in_silence_is_progress),
        CASE(nonsense_comes_to_an_end),
        CASE(silence_ends_it),
        CASE(what_was_out_disturbs_no_later_session),
    };
    int failed = 0;

    for (int ctrl = 0; ctrl < 2; ctrl++) {
        s_ctrl = ctrl != 0;
        failed += cmocka_run_group_tests_name(s_ctrl ? "ctrl" : "classic", tests, NULL, NULL);
    }
    return failed;
}
