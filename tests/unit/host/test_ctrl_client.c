/* SPDX-License-Identifier: Apache-2.0 */
#include "ctrl_client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_esp32.h"

#define TIMEOUT_MS 1000

static const struct ctrl_request begin = {.command = CTRL_OTA_BEGIN};
static const struct ctrl_request end = {.command = CTRL_OTA_END};
static const struct ctrl_request get_mac = {.command = CTRL_GET_MAC, .mode = 1};
static const struct ctrl_request write_one = {
    .command = CTRL_OTA_WRITE,
    .write = {.data = "\xe9", .len = 1},
};

struct setup {
    struct fake_esp32 *fake;
    struct ctrl_client client;
};

static int start(void **state)
{
    struct setup *setup = calloc(1, sizeof(*setup));

    setup->fake = fake_new();
    ctrl_client_init(&setup->client, &setup->fake->link, &dialect_classic);
    setup->client.log = fake_log;
    setup->client.log_ctx = setup->fake;
    *state = setup;
    return 0;
}

static int stop(void **state)
{
    struct setup *setup = *state;

    fake_free(setup->fake);
    free(setup);
    return 0;
}

static int call(struct setup *setup, const struct ctrl_request *request, struct ctrl_reply *reply)
{
    return ctrl_client_call(&setup->client, request, TIMEOUT_MS, reply);
}

static bool logged(const struct setup *setup, const char *words)
{
    return strstr(setup->fake->log, words) != NULL;
}

static void the_reply_is_found_however_it_is_cut(void **state)
{
    struct setup *setup = *state;

    for (size_t piece = 1; piece <= 40; piece++) {
        struct ctrl_reply reply = {0};

        setup->fake->piece = piece;
        assert_int_equal(call(setup, &get_mac, &reply), 0);
        assert_int_equal(reply.outcome, CTRL_OK);
        assert_string_equal(reply.mac, "24:0a:c4:11:22:33");
    }
    assert_string_equal(setup->fake->log, "");
}

static void every_prefix_of_a_reply_is_no_reply(void **state)
{
    struct setup *setup = *state;
    uint8_t buf[FAKE_MESSAGE_MAX];
    const size_t len = fake_reply_code(buf, FAKE_BEGIN, 0);
    struct ctrl_reply reply = {.code = 77};

    for (size_t cut = 0; cut < len; cut++) {
        fake_answer(setup->fake, FAKE_BEGIN, (unsigned)cut + 1, buf, cut);
        assert_int_equal(call(setup, &begin, &reply), -ETIMEDOUT);
        assert_int_equal(reply.code, 77);
    }
    /* What was left of them does not spoil the next one. */
    assert_int_equal(call(setup, &begin, &reply), 0);
}

static void the_second_half_has_no_time_of_its_own(void **state)
{
    struct setup *setup = *state;
    uint8_t buf[FAKE_MESSAGE_MAX];
    struct ctrl_reply reply;

    fake_answer(setup->fake, FAKE_BEGIN, 1, buf, fake_reply_code(buf, FAKE_BEGIN, 0) - 2);
    assert_int_equal(call(setup, &begin, &reply), -ETIMEDOUT);
    assert_true(setup->fake->longest_wait_ms <= TIMEOUT_MS);
}

static void a_reply_to_another_request_is_dropped(void **state)
{
    struct setup *setup = *state;
    uint8_t buf[FAKE_MESSAGE_MAX];
    struct ctrl_reply reply;

    /* Success of another command; as the only answer, and in front of a refusal. */
    fake_answer(setup->fake, FAKE_END, 0, buf, fake_reply_code(buf, FAKE_WRITE, 0));
    assert_int_equal(call(setup, &end, &reply), -ETIMEDOUT);
    assert_true(logged(setup, "dropped a message: a reply to write while waiting for one to end"));

    fake_result(setup->fake, FAKE_END, 2, -1);
    assert_int_equal(call(setup, &end, &reply), 0);
    assert_int_equal(reply.outcome, CTRL_REFUSED);
    assert_int_equal(reply.code, -1);
}

static void a_scan_that_nobody_waits_for_is_freed(void **state)
{
    struct setup *setup = *state;
    static const uint8_t two[] = {0x08, 2, 0x12, 3, 0x0a, 1, 'a', 0x12, 3, 0x0a, 1, 'b', 0x18, 0};
    uint8_t buf[FAKE_MESSAGE_MAX];
    struct ctrl_reply reply;

    fake_answer(setup->fake, FAKE_BEGIN, 1, buf, fake_reply(buf, FAKE_SCAN, two, sizeof(two)));
    fake_result(setup->fake, FAKE_BEGIN, 1, 0);
    assert_int_equal(call(setup, &begin, &reply), 0); /* the leak checker does the rest */
}

static void what_is_no_reply_is_dropped(void **state)
{
    struct setup *setup = *state;
    struct {
        const char *what;
        uint8_t bytes[64];
        size_t len;
    } cases[] = {
        {"a request", {1, 7, 0, 'c', 'o', 'n', 't', 'r', 'o', 'l', 2, 2, 0, 8, 28}, 15},
        {"an unknown number", {1, 7, 0, 'c', 'o', 'n', 't', 'r', 'o', 'l', 2, 2, 0, 8, 99}, 15},
        {"another endpoint", {1, 8, 0, 'c', 't', 'r', 'l', 'R', 'e', 's', 'p', 2, 2, 0, 8, 29}, 16},
        {"no protobuf",
         {1, 7, 0, 'c', 'o', 'n', 't', 'r', 'o', 'l', 2, 3, 0, 0xff, 0xff, 0xff},
         16},
        {"garbage", "\0\1\2\3 garbage \1\7\1", 18},
        {"a head of a message", {1, 7, 0, 'c', 'o', 'n'}, 6},
        {"half a message", {1, 7, 0, 'c', 'o', 'n', 't', 'r', 'o', 'l', 2, 7, 0, 8}, 14},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ctrl_reply reply = {.outcome = CTRL_REFUSED};

        print_message("%s\n", cases[i].what);
        fake_answer(setup->fake, FAKE_BEGIN, (unsigned)i + 1, cases[i].bytes, cases[i].len);
        fake_result(setup->fake, FAKE_BEGIN, (unsigned)i + 1, 0);
        assert_int_equal(call(setup, &begin, &reply), 0);
        assert_int_equal(reply.outcome, CTRL_OK);
    }
}

static void a_reply_without_content_is_a_failure(void **state)
{
    struct setup *setup = *state;
    uint8_t buf[FAKE_MESSAGE_MAX];
    struct ctrl_reply reply;

    fake_answer(setup->fake, FAKE_BEGIN, 1, buf, fake_reply(buf, FAKE_BEGIN, NULL, 0));
    assert_int_equal(call(setup, &begin, &reply), -EPROTO);

    /* The submessage is another command's: this has no content either. */
    size_t len = fake_reply_code(buf, FAKE_GET_MODE, 0);

    buf[14] = FAKE_BEGIN + 1;
    fake_answer(setup->fake, FAKE_BEGIN, 2, buf, len);
    assert_int_equal(call(setup, &begin, &reply), -EPROTO);

    /* Of another command it is just dropped. */
    len = fake_reply(buf, FAKE_WRITE, NULL, 0);
    fake_answer(setup->fake, FAKE_BEGIN, 3, buf, len);
    fake_result(setup->fake, FAKE_BEGIN, 3, 0);
    assert_int_equal(call(setup, &begin, &reply), 0);
}

static void the_canonical_form_leaves_zeros_out(void **state)
{
    struct setup *setup = *state;
    uint8_t buf[FAKE_MESSAGE_MAX];
    struct ctrl_reply reply;

    fake_answer(setup->fake, FAKE_BEGIN, 1, buf, fake_reply(buf, FAKE_BEGIN, "", 0));
    assert_int_equal(call(setup, &begin, &reply), 0);
    assert_int_equal(reply.outcome, CTRL_OK);
}

static void what_came_before_the_request_does_not_count(void **state)
{
    struct setup *setup = *state;
    uint8_t buf[FAKE_MESSAGE_MAX];
    struct ctrl_reply reply;

    fake_stale(setup->fake, buf, fake_reply_code(buf, FAKE_BEGIN, 0));
    fake_result(setup->fake, FAKE_BEGIN, 1, -1);
    assert_int_equal(call(setup, &begin, &reply), 0);
    assert_int_equal(reply.outcome, CTRL_REFUSED);
    assert_true(logged(setup, "a reply to begin that nobody waits for"));
}

static void a_doubled_reply_answers_one_request(void **state)
{
    struct setup *setup = *state;
    uint8_t buf[2 * FAKE_MESSAGE_MAX];
    const size_t len = fake_reply_code(buf, FAKE_WRITE, 0);
    struct ctrl_reply reply;

    /* In one read with the first ... */
    memcpy(buf + len, buf, len);
    fake_answer(setup->fake, FAKE_WRITE, 1, buf, 2 * len);
    fake_result(setup->fake, FAKE_WRITE, 2, -1);
    assert_int_equal(call(setup, &write_one, &reply), 0);
    assert_int_equal(call(setup, &write_one, &reply), 0);
    assert_int_equal(reply.outcome, CTRL_REFUSED);

    /* ... or later, which costs a look before every further write. */
    fake_answer(setup->fake, FAKE_WRITE, 3, buf, len);
    fake_answer(setup->fake, FAKE_WRITE, 3, buf, len);
    fake_result(setup->fake, FAKE_WRITE, 4, -1);
    assert_int_equal(call(setup, &write_one, &reply), 0);
    assert_int_equal(call(setup, &write_one, &reply), 0);
    assert_int_equal(reply.outcome, CTRL_REFUSED);
}

static void failures_of_the_link_are_handed_on(void **state)
{
    struct setup *setup = *state;
    static const int errors[] = {-ENODEV, -ECANCELED, -EIO};
    struct ctrl_reply reply;

    for (unsigned i = 0; i < 3; i++) {
        fake_failure(setup->fake, FAKE_BEGIN, i + 1, errors[i]);
        assert_int_equal(call(setup, &begin, &reply), errors[i]);
    }
}

static void a_cancel_stops_everything_but_a_sent_end(void **state)
{
    struct setup *setup = *state;
    struct ctrl_reply reply;

    assert_int_equal(hosted_cancel_new(&setup->client.cancel), 0);
    assert_int_equal(call(setup, &begin, &reply), 0);
    assert_true(setup->fake->last_wait_had_cancel);
    assert_int_equal(call(setup, &end, &reply), 0);
    assert_false(setup->fake->last_wait_had_cancel);

    hosted_cancel_request(setup->client.cancel);
    assert_int_equal(call(setup, &end, &reply), -ECANCELED);
    assert_int_equal(fake_count(setup->fake, FAKE_END), 1); /* not sent */
    hosted_cancel_free(setup->client.cancel);
}

static void a_request_above_the_drivers_limit_is_not_sent(void **state)
{
    struct setup *setup = *state;
    static const uint8_t data[5000];
    struct ctrl_request request = {.command = CTRL_OTA_WRITE, .write = {.data = data}};
    struct ctrl_reply reply;

    request.write.len = 4074;
    assert_int_equal(call(setup, &request, &reply), 0);
    assert_int_equal(setup->fake->last_len, 4096);
    request.write.len = 4075;
    assert_int_equal(call(setup, &request, &reply), -EMSGSIZE);
    assert_int_equal(fake_count(setup->fake, FAKE_WRITE), 1);
}

static void endless_garbage_ends_with_the_deadline(void **state)
{
    struct setup *setup = *state;
    uint8_t ones[10000];
    struct ctrl_reply reply;

    memset(ones, 1, sizeof(ones));
    fake_answer(setup->fake, FAKE_BEGIN, 1, ones, sizeof(ones));
    assert_int_equal(call(setup, &begin, &reply), -ETIMEDOUT);

    /* A head that promises the longest message there is, and garbage as its content. */
    memcpy(ones, "\1\7\0control\2\xf3\x0f", 13);
    fake_answer(setup->fake, FAKE_BEGIN, 2, ones, sizeof(ones));
    assert_int_equal(call(setup, &begin, &reply), -ETIMEDOUT);
    assert_int_equal(call(setup, &begin, &reply), 0);
}

/* Each look at the link finds more. */
static void a_drain_heeds_its_deadline_and_a_cancel(void **state)
{
    struct setup *setup = *state;
    uint8_t ones[100];

    memset(ones, 1, sizeof(ones));
    for (int i = 0; i < 3; i++)
        fake_stale(setup->fake, ones, sizeof(ones));
    assert_int_equal(ctrl_client_drain(&setup->client, clock_ms()), -ETIMEDOUT);
    assert_non_null(setup->fake->queue);

    assert_int_equal(hosted_cancel_new(&setup->client.cancel), 0);
    hosted_cancel_request(setup->client.cancel);
    assert_int_equal(ctrl_client_drain(&setup->client, clock_ms() + 60000), -ECANCELED);
    assert_non_null(setup->fake->queue);
    hosted_cancel_free(setup->client.cancel);
    setup->client.cancel = NULL;
    assert_int_equal(ctrl_client_drain(&setup->client, clock_ms() + 60000), 0);
    assert_null(setup->fake->queue);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(the_reply_is_found_however_it_is_cut),
        CASE(every_prefix_of_a_reply_is_no_reply),
        CASE(the_second_half_has_no_time_of_its_own),
        CASE(a_reply_to_another_request_is_dropped),
        CASE(a_scan_that_nobody_waits_for_is_freed),
        CASE(what_is_no_reply_is_dropped),
        CASE(a_reply_without_content_is_a_failure),
        CASE(the_canonical_form_leaves_zeros_out),
        CASE(what_came_before_the_request_does_not_count),
        CASE(a_doubled_reply_answers_one_request),
        CASE(failures_of_the_link_are_handed_on),
        CASE(a_cancel_stops_everything_but_a_sent_end),
        CASE(a_request_above_the_drivers_limit_is_not_sent),
        CASE(endless_garbage_ends_with_the_deadline),
        CASE(a_drain_heeds_its_deadline_and_a_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
