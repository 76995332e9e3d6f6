/* SPDX-License-Identifier: Apache-2.0 */
/* A session with the extension: what the ESP32 says it wants counts, and what it says must end. */
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
#define LEN        (5 * CHUNK + 100)

struct setup {
    struct extended_esp32 *fake;
    struct hosted_device *device;
    struct hosted_session *session;
    struct hosted_fault fault;
    uint8_t data[LEN];
};

static int start(void **state)
{
    struct setup *setup = calloc(1, sizeof(*setup));

    setup->fake = extended_new();
    setup->device = extended_device(setup->fake);
    for (size_t i = 0; i < LEN; i++)
        setup->data[i] = (uint8_t)(i * 7 + i / 251);
    *state = setup;
    return hosted_session_open(setup->device, 0, &setup->session, &setup->fault);
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

static int write_all(struct setup *setup)
{
    return hosted_session_write(setup->session, setup->data, LEN, &setup->fault);
}

static void assert_says(const struct setup *setup, const char *words)
{
    if (strstr(setup->fault.text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, setup->fault.text);
}

static void assert_arrived(const struct setup *setup)
{
    assert_int_equal(hosted_session_confirmed(setup->session), LEN);
    assert_memory_equal(setup->fake->slot, setup->data, LEN);
}

/* The ESP32 must hear of it exactly if it has the update still open. */
static void assert_aborted(struct setup *setup, bool aborted)
{
    hosted_session_close(setup->session);
    setup->session = NULL;
    assert_int_equal(setup->fake->seen[WHAT(ABORT)], aborted);
}

static bool is_nth_write(const struct extended_esp32 *fake, const HostedExtension__Request *request,
                         unsigned nth)
{
    return request->what_case == WHAT(WRITE) && fake->seen[WHAT(WRITE)] == nth;
}

static void writes_say_where_they_belong(void **state)
{
    struct setup *setup = *state;
    const struct extended_write *writes = setup->fake->writes;

    assert_int_equal(write_all(setup), 0);
    assert_arrived(setup);
    assert_int_equal(setup->fake->seen[WHAT(WRITE)], 6);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(writes[i].offset, i * CHUNK);
        assert_int_equal(writes[i].run_end, LEN);
        assert_int_equal(writes[i].len, i < 5 ? CHUNK : 100);
    }
    assert_int_equal(hosted_session_finish(setup->session, &setup->fault), 0);
    assert_aborted(setup, false);
}

static int lose_third_write(struct extended_esp32 *fake, const HostedExtension__Request *request,
                            HostedExtension__Reply *reply)
{
    (void)reply;
    return is_nth_write(fake, request, 3) ? 0 : 1;
}

/* Behind the answer to a plain question none to the first try can be left. */
static void a_lost_reply_is_asked_for_again(void **state)
{
    struct setup *setup = *state;
    const unsigned questions = setup->fake->questions;

    setup->fake->on = lose_third_write;
    assert_int_equal(write_all(setup), 0);
    assert_arrived(setup);
    assert_int_equal(setup->fake->seen[WHAT(WRITE)], 7);
    assert_int_equal(setup->fake->writes[3].offset, setup->fake->writes[2].offset);
    assert_int_equal(setup->fake->questions, questions + 1);
    assert_non_null(strstr(setup->fake->log, "no answer to write: asked again\n"));
}

static int double_second_write(struct extended_esp32 *fake, const HostedExtension__Request *request,
                               HostedExtension__Reply *reply)
{
    (void)reply;
    return is_nth_write(fake, request, 2) ? 2 : 1;
}

/* Its `next` shows of which write it is. */
static void a_doubled_reply_stands_for_no_other(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = double_second_write;
    assert_int_equal(write_all(setup), 0);
    assert_arrived(setup);
}

static int forget_the_third(struct extended_esp32 *fake, const HostedExtension__Request *request,
                            HostedExtension__Reply *reply)
{
    if (is_nth_write(fake, request, 3))
        fake->next = reply->next = CHUNK;
    return 1;
}

static void what_it_wants_again_is_sent_again(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = forget_the_third;
    assert_int_equal(write_all(setup), 0);
    assert_arrived(setup);
    assert_int_equal(setup->fake->writes[3].offset, CHUNK);
    assert_int_equal(setup->fake->seen[WHAT(WRITE)], 8);
}

static int refuse_third_place(struct extended_esp32 *fake, const HostedExtension__Request *request,
                              HostedExtension__Reply *reply)
{
    if (is_nth_write(fake, request, 3)) {
        reply->code = CODE(WRONG_OFFSET);
        fake->next = reply->next = 2 * CHUNK;
    }
    return 1;
}

static void a_wrong_place_is_put_right(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = refuse_third_place;
    assert_int_equal(write_all(setup), 0);
    assert_arrived(setup);
    assert_int_equal(setup->fake->writes[3].offset, 2 * CHUNK);
}

/* None of which was sent. */
static int have_all_but_the_last(struct extended_esp32 *fake,
                                 const HostedExtension__Request *request,
                                 HostedExtension__Reply *reply)
{
    if (is_nth_write(fake, request, 1))
        fake->next = reply->next = 5 * CHUNK;
    return 1;
}

/* Two steps ahead and back to the start of the run, for ever. */
static int go_in_circles(struct extended_esp32 *fake, const HostedExtension__Request *request,
                         HostedExtension__Reply *reply)
{
    if (request->what_case == WHAT(WRITE))
        fake->next = reply->next = request->write->offset < 2 * CHUNK ? fake->next : 0;
    return 1;
}

static int want_the_same(struct extended_esp32 *fake, const HostedExtension__Request *request,
                         HostedExtension__Reply *reply)
{
    (void)fake;
    if (request->what_case == WHAT(WRITE))
        reply->next = 0;
    return 1;
}

static int want_what_is_not_there(struct extended_esp32 *fake,
                                  const HostedExtension__Request *request,
                                  HostedExtension__Reply *reply)
{
    (void)fake;
    if (request->what_case == WHAT(WRITE))
        reply->next = LEN + 1;
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
        have_all_but_the_last,     go_in_circles, want_the_same, want_what_is_not_there,
        want_the_end_of_the_world,
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct setup *setup = *state;

        setup->fake->on = kinds[i];
        assert_int_equal(write_all(setup), -EPROTO);
        assert_says(setup, "the ESP32 does not say what it wants; 1.0.0 is still in place");
        assert_int_equal(setup->fault.status, HOSTED_NO_ANSWER);
        assert_in_range(setup->fake->seen[WHAT(WRITE)], 3, 12);
        assert_int_equal(write_all(setup), -EPROTO);
        assert_says(setup, "no write is possible after a failed write");
        assert_aborted(setup, true);
        stop(state);
        start(state);
    }
}

static int want_what_lies_before(struct extended_esp32 *fake,
                                 const HostedExtension__Request *request,
                                 HostedExtension__Reply *reply)
{
    (void)fake;
    if (request->what_case == WHAT(WRITE) && request->write->offset >= LEN) {
        reply->code = CODE(WRONG_OFFSET);
        reply->next = 0;
    }
    return 1;
}

/* The run before is not there any more. */
static void what_cannot_be_sent_again_is_a_refusal(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = want_what_lies_before;
    assert_int_equal(write_all(setup), 0);
    assert_int_equal(write_all(setup), -EREMOTEIO);
    assert_says(setup, "refused write at 20,100: wrong offset (code 11); 1.0.0 is still in place");
    assert_int_equal(setup->fault.offset, LEN);
    assert_aborted(setup, true);
}

static int break_the_flash(struct extended_esp32 *fake, const HostedExtension__Request *request,
                           HostedExtension__Reply *reply)
{
    if (is_nth_write(fake, request, 2)) {
        reply->code = CODE(PROGRAM_FAILED);
        reply->has_address = reply->has_esp_err = true;
        reply->address = 0x111000;
        reply->esp_err = 0x107;
        fake->open = false;
        reply->has_next = false;
    }
    return 1;
}

static void bad_flash_is_told_with_its_place(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = break_the_flash;
    assert_int_equal(write_all(setup), -EREMOTEIO);
    assert_says(setup, "the flash could not be programmed at 0x111000 (code 14, ESP-IDF 0x107)");
    assert_int_equal(setup->fault.device_code, CODE(PROGRAM_FAILED));
    assert_int_equal(setup->fault.offset, CHUNK);
    assert_aborted(setup, false);
}

static int answer_plainly(struct extended_esp32 *fake, const HostedExtension__Request *request,
                          HostedExtension__Reply *reply)
{
    (void)reply;
    return is_nth_write(fake, request, 2) ? EXTENDED_PLAIN : 1;
}

static void an_answer_without_content_is_none(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = answer_plainly;
    assert_int_equal(write_all(setup), -EPROTO);
    assert_says(setup, "the answer to write at 4,000 has no content; 1.0.0 is still in place");
    assert_aborted(setup, true);
}

static int fall_silent(struct extended_esp32 *fake, const HostedExtension__Request *request,
                       HostedExtension__Reply *reply)
{
    (void)reply;
    return request->what_case == WHAT(WRITE) && fake->seen[WHAT(WRITE)] >= 3 ? 0 : 1;
}

static void silence_ends_it(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = fall_silent;
    assert_int_equal(write_all(setup), -ETIMEDOUT);
    assert_says(setup, "no answer to write at 8,000 for 30 s; 1.0.0 is still in place");
    assert_int_equal(setup->fake->seen[WHAT(WRITE)], 2 + 6); /* each waits for 5 s */
    assert_aborted(setup, false);
}

/* The digests */

static size_t s_digest_bytes;

static int give_so_many_bytes(struct extended_esp32 *fake, const HostedExtension__Request *request,
                              HostedExtension__Reply *reply)
{
    static uint8_t bytes[70 * 32];

    (void)fake;
    if (request->what_case == WHAT(DIGESTS)) {
        reply->digests.data = bytes;
        reply->digests.len = s_digest_bytes;
    }
    return 1;
}

static void only_whole_digests_count(void **state)
{
    static const size_t lengths[][2] = {{0, 0}, {31, 0}, {32, 1}, {63, 1}, {64, 2}, {70 * 32, 64}};
    struct setup *setup = *state;

    setup->fake->on = give_so_many_bytes;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct extension_reply reply;

        s_digest_bytes = lengths[i][0];
        assert_int_equal(
            session_digests(setup->session, 65536, 65536, 3, 200000, &reply, &setup->fault), 0);
        assert_int_equal(reply.digest_count, lengths[i][1]);
    }
    assert_int_equal(setup->fake->digests[0].offset, 65536);
    assert_int_equal(setup->fake->digests[0].count, 3);
    assert_int_equal(setup->fake->digests[0].end, 200000);
}

static int cannot_read(struct extended_esp32 *fake, const HostedExtension__Request *request,
                       HostedExtension__Reply *reply)
{
    (void)fake;
    if (request->what_case == WHAT(DIGESTS)) {
        reply->code = CODE(READ_FAILED);
        reply->has_digests = false;
    }
    return 1;
}

static void refused_digests_are_told(void **state)
{
    struct setup *setup = *state;
    struct extension_reply reply;

    setup->fake->on = cannot_read;
    assert_int_equal(session_digests(setup->session, 0, 4096, 1, 0, &reply, &setup->fault),
                     -EREMOTEIO);
    assert_says(setup, "the ESP32 refused digests: the flash could not be read (code 16)");
    assert_int_equal(reply.code, CODE(READ_FAILED));
    assert_int_equal(write_all(setup), 0);
}

/* The end */

static void silence_before_the_end_is_mended(void **state)
{
    struct setup *setup = *state;

    assert_int_equal(write_all(setup), 0);
    setup->fake->open = false;
    assert_int_equal(hosted_session_finish(setup->session, &setup->fault), 0);
    assert_int_equal(setup->fake->seen[WHAT(BEGIN)], 2);
    assert_int_equal(setup->fake->seen[WHAT(END)], 2);
}

static int never_know_it(struct extended_esp32 *fake, const HostedExtension__Request *request,
                         HostedExtension__Reply *reply)
{
    (void)fake;
    if (request->what_case == WHAT(END))
        reply->code = CODE(NO_SESSION);
    return 1;
}

static void it_is_mended_once(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = never_know_it;
    assert_int_equal(write_all(setup), 0);
    assert_int_equal(hosted_session_finish(setup->session, &setup->fault), -EREMOTEIO);
    assert_says(setup, "the ESP32 refused end: no update is open (code 10); 1.0.0 is still");
    assert_int_equal(setup->fake->seen[WHAT(END)], 2);
}

static int lose_the_first_end(struct extended_esp32 *fake, const HostedExtension__Request *request,
                              HostedExtension__Reply *reply)
{
    (void)reply;
    return request->what_case == WHAT(END) && fake->seen[WHAT(END)] == 1 ? 0 : 1;
}

/* It has restarted since, or ended it: to begin anew would be wrong. */
static void a_lost_answer_to_the_end_is_not_taken_for_silence(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = lose_the_first_end;
    assert_int_equal(write_all(setup), 0);
    assert_int_equal(hosted_session_finish(setup->session, &setup->fault), -ECONNRESET);
    assert_says(setup, "; it may have selected the new firmware all the same");
    assert_int_equal(setup->fake->seen[WHAT(BEGIN)], 1);
    assert_int_equal(setup->fake->seen[WHAT(END)], 2);
}

static void an_update_that_is_given_up_is_aborted(void **state)
{
    struct setup *setup = *state;

    assert_int_equal(hosted_session_write(setup->session, setup->data, CHUNK, &setup->fault), 0);
    assert_aborted(setup, true);
    assert_false(setup->fake->open);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(writes_say_where_they_belong),
        CASE(a_lost_reply_is_asked_for_again),
        CASE(a_doubled_reply_stands_for_no_other),
        CASE(what_it_wants_again_is_sent_again),
        CASE(a_wrong_place_is_put_right),
        CASE(nonsense_comes_to_an_end),
        CASE(what_cannot_be_sent_again_is_a_refusal),
        CASE(bad_flash_is_told_with_its_place),
        CASE(an_answer_without_content_is_none),
        CASE(silence_ends_it),
        CASE(only_whole_digests_count),
        CASE(refused_digests_are_told),
        CASE(silence_before_the_end_is_mended),
        CASE(it_is_mended_once),
        CASE(a_lost_answer_to_the_end_is_not_taken_for_silence),
        CASE(an_update_that_is_given_up_is_aborted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
