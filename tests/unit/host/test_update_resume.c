/* SPDX-License-Identifier: Apache-2.0 */
/* What the slot holds already is not sent; whatever it says, the whole image arrives or none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "extended_esp32.h"
#include "hosted/update.h"
#include "memory_source.h"
#include "test_image.h"

#define WHAT(name) HOSTED_EXTENSION__REQUEST__WHAT_##name
#define CODE(name) HOSTED_EXTENSION__CODE__##name
#define BLOCK      65536
#define SECTOR     4096
#define SIZE       150000 /* two blocks, four sectors and a short one */
#define LAST       (SIZE % SECTOR)

struct setup {
    struct extended_esp32 *fake;
    struct hosted_device *device;
    uint8_t *image;
    struct memory_source source;
    struct hosted_update_result result;
    struct hosted_fault fault;
};

static int start(void **state)
{
    struct setup *setup = calloc(1, sizeof(*setup));

    setup->fake = extended_new();
    setup->device = extended_device(setup->fake);
    setup->image = test_image(0, SIZE, true);
    setup->source = memory_source(setup->image, SIZE);
    *state = setup;
    return 0;
}

static int stop(void **state)
{
    struct setup *setup = *state;

    hosted_close(setup->device);
    extended_free(setup->fake);
    free(setup->image);
    free(setup);
    return 0;
}

/* As a pipe gives it: its length is known only at its end. */
static void use_stream(struct setup *setup)
{
    setup->source.source.whole = false;
    setup->source.source.size = HOSTED_SIZE_UNKNOWN;
    setup->source.piece = 1500;
}

static int update(struct setup *setup)
{
    struct hosted_update_options options = hosted_update_defaults;

    options.reboot_timeout_s = 0;
    return hosted_update(setup->device, &setup->source.source, &options, &setup->result,
                         &setup->fault);
}

/* The whole image is there, and so many bytes of it had to be sent. */
static void assert_sent(struct setup *setup, uint64_t sent)
{
    const unsigned count = setup->fake->seen[WHAT(WRITE)];
    uint64_t came = 0;

    if (update(setup) < 0)
        fail_msg("%s", setup->fault.text);
    assert_memory_equal(setup->fake->slot, setup->image, SIZE);
    for (unsigned i = count; i < setup->fake->seen[WHAT(WRITE)]; i++)
        came += setup->fake->writes[i].len;
    assert_int_equal(came, sent);
    assert_int_equal(setup->result.sent_bytes, sent);
    assert_int_equal(setup->result.kept_bytes, SIZE - sent);
    assert_int_equal(setup->fake->seen[WHAT(END)], 1);
}

static void put_image(struct setup *setup)
{
    memcpy(setup->fake->slot, setup->image, SIZE);
}

static void none_is_equal(void **state)
{
    assert_sent(*state, SIZE);
}

static void all_are_equal(void **state)
{
    struct setup *setup = *state;
    const struct extended_digests *asked = setup->fake->digests;

    put_image(setup);
    assert_sent(setup, 0);
    /* Few while none is known to be there, so that the first bytes soon go out. */
    assert_int_equal(setup->fake->seen[WHAT(DIGESTS)], 2);
    assert_int_equal(asked->offset, 0);
    assert_int_equal(asked->block, SECTOR);
    assert_int_equal(asked->count, 4);
    assert_int_equal(asked->end, SIZE);
    assert_int_equal(asked[1].offset, 4 * SECTOR);
    assert_int_equal(asked[1].count, 33);
    assert_int_equal(asked[1].end, SIZE);
}

/* What the slot has behind the image is not of interest. */
static void the_last_block_is_short(void **state)
{
    struct setup *setup = *state;

    put_image(setup);
    memset(setup->fake->slot + SIZE, 0x5a, 2 * BLOCK);
    assert_sent(setup, 0);
}

static void of_the_last_block_a_sector_differs(void **state)
{
    struct setup *setup = *state;

    put_image(setup);
    setup->fake->slot[2 * BLOCK + SECTOR] ^= 1;
    assert_sent(setup, SECTOR);
}

static void the_last_byte_differs(void **state)
{
    struct setup *setup = *state;

    put_image(setup);
    setup->fake->slot[SIZE - 1] ^= 1;
    assert_sent(setup, LAST);
}

static void a_stream_s_last_block_is_short_too(void **state)
{
    struct setup *setup = *state;

    put_image(setup);
    memset(setup->fake->slot + SIZE, 0x5a, 2 * BLOCK);
    use_stream(setup);
    assert_sent(setup, 0);
    /* Its last sector is asked for once more as it is known then. */
    assert_int_equal(setup->fake->seen[WHAT(DIGESTS)], 3);
    assert_int_equal(setup->fake->digests[0].end, 0);
    assert_int_equal(setup->fake->digests[1].end, 0);
    assert_int_equal(setup->fake->digests[2].offset, SIZE - LAST);
    assert_int_equal(setup->fake->digests[2].count, 1);
    assert_int_equal(setup->fake->digests[2].end, SIZE);
}

static void sectors_that_differ_are_runs(void **state)
{
    struct setup *setup = *state;
    static const unsigned sectors[] = {0, 1, 5, 15, 16, 20};
    uint64_t ends[8];
    unsigned runs = 0;

    put_image(setup);
    for (size_t i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++)
        setup->fake->slot[sectors[i] * SECTOR + 17] ^= 1;
    assert_sent(setup, 6 * SECTOR);
    for (unsigned i = 0; i < setup->fake->seen[WHAT(WRITE)]; i++) {
        const struct extended_write *write = &setup->fake->writes[i];

        assert_true(write->offset + write->len <= write->run_end);
        if (runs == 0 || ends[runs - 1] != write->run_end)
            ends[runs++] = write->run_end;
    }
    /* A block is a run of its own: 15 and 16 are two. */
    assert_int_equal(runs, 5);
    assert_int_equal(ends[0], 2 * SECTOR);
    assert_int_equal(ends[1], 6 * SECTOR);
    assert_int_equal(ends[2], 16 * SECTOR);
    assert_int_equal(ends[3], 17 * SECTOR);
    assert_int_equal(ends[4], 21 * SECTOR);
}

static void put_with_differences(struct setup *setup, unsigned count)
{
    put_image(setup);
    for (unsigned i = 0; i < count; i++)
        setup->fake->slot[BLOCK + 2 * i * SECTOR] ^= 1;
}

/* Its erase takes less than that of so many sectors. */
static void a_block_with_six_that_differ_is_sent_whole(void **state)
{
    struct setup *setup = *state;

    put_with_differences(setup, 5);
    assert_sent(setup, 5 * SECTOR);
    stop(state);
    start(state);
    setup = *state;
    put_with_differences(setup, 6);
    assert_sent(setup, BLOCK);
    assert_int_equal(setup->fake->writes[0].offset, BLOCK);
    assert_int_equal(setup->fake->writes[0].run_end, 2 * BLOCK);
}

#define LARGE (171 * SECTOR)

static void assert_asked(struct setup *setup, const unsigned (*questions)[2], unsigned count)
{
    if (update(setup) < 0)
        fail_msg("%s", setup->fault.text);
    assert_memory_equal(setup->fake->slot, setup->image, LARGE);
    assert_int_equal(setup->fake->seen[WHAT(DIGESTS)], count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(setup->fake->digests[i].offset, questions[i][0] * SECTOR);
        assert_int_equal(setup->fake->digests[i].count, questions[i][1]);
    }
}

/* Each digest is read for nothing where another image lies. */
static void behind_what_is_there_few_are_asked_about(void **state)
{
    static const unsigned questions[][2] = {{0, 4}, {4, 64}, {68, 64}, {132, 4}};
    struct setup *setup = *state;

    free(setup->image);
    setup->image = test_image(0, LARGE, true);
    setup->source = memory_source(setup->image, LARGE);
    memcpy(setup->fake->slot, setup->image, 73 * SECTOR);
    assert_asked(setup, questions, 4);
}

static void of_another_image_four_are_asked_about(void **state)
{
    static const unsigned questions[][2] = {{0, 4}};
    struct setup *setup = *state;

    free(setup->image);
    setup->image = test_image(0, LARGE, true);
    setup->source = memory_source(setup->image, LARGE);
    assert_asked(setup, questions, 1);
}

/* Nothing behind the image is to stay, so that one erase does for five sectors. */
static void of_a_short_last_block_all_is_erased_at_once(void **state)
{
    struct setup *setup = *state;
    const struct extended_write *last;

    memcpy(setup->fake->slot, setup->image, 2 * BLOCK);
    assert_sent(setup, SIZE - 2 * BLOCK);
    last = &setup->fake->writes[setup->fake->seen[WHAT(WRITE)] - 1];
    assert_int_equal(last->run_end, 3 * BLOCK);
    stop(state);
    start(state);
    setup = *state;
    memcpy(setup->fake->slot, setup->image, 2 * BLOCK + 2 * SECTOR);
    assert_sent(setup, SIZE - 2 * BLOCK - 2 * SECTOR);
    last = &setup->fake->writes[setup->fake->seen[WHAT(WRITE)] - 1];
    assert_int_equal(last->run_end, SIZE);
}

/* Firmware that has no digests, or refuses them */

static void who_has_none_is_not_asked(void **state)
{
    struct setup *setup = *state;

    setup->fake->features &= ~(uint32_t)HOSTED_CAN_DIGESTS;
    put_image(setup);
    assert_sent(setup, SIZE);
    assert_int_equal(setup->fake->seen[WHAT(DIGESTS)], 0);
}

static int refuse(struct extended_esp32 *fake, const HostedExtension__Request *request,
                  HostedExtension__Reply *reply)
{
    (void)fake;
    if (request->what_case == WHAT(DIGESTS)) {
        reply->code = CODE(NOT_UNDERSTOOD);
        reply->has_digests = false;
    }
    return 1;
}

static int refuse_the_second(struct extended_esp32 *fake, const HostedExtension__Request *request,
                             HostedExtension__Reply *reply)
{
    return fake->seen[WHAT(DIGESTS)] == 2 ? refuse(fake, request, reply) : 1;
}

static void refused_digests_are_asked_for_once(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = refuse;
    put_image(setup);
    assert_sent(setup, SIZE);
    assert_int_equal(setup->fake->seen[WHAT(DIGESTS)], 1);
    assert_non_null(strstr(setup->fake->log, "refused digests: it does not understand that (code "
                                             "1); all is sent\n"));
}

/* And the four of the same block that are there go with them. */
static void refused_sectors_are_sent(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = refuse_the_second;
    put_image(setup);
    assert_sent(setup, SIZE);
    assert_int_equal(setup->fake->seen[WHAT(DIGESTS)], 2);
}

/* Digests of a wrong number or length */

static size_t s_bytes;

static int cut_digests(struct extended_esp32 *fake, const HostedExtension__Request *request,
                       HostedExtension__Reply *reply)
{
    (void)fake;
    if (request->what_case == WHAT(DIGESTS) && reply->digests.len > s_bytes)
        reply->digests.len = s_bytes;
    return 1;
}

static void what_is_not_told_is_asked_for_again(void **state)
{
    static const size_t lengths[] = {32, 33, 63};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct setup *setup = *state;

        setup->fake->on = cut_digests;
        s_bytes = lengths[i];
        put_image(setup);
        assert_sent(setup, 0);
        assert_int_equal(setup->fake->seen[WHAT(DIGESTS)], 37);
        stop(state);
        start(state);
    }
}

static void half_a_digest_is_none(void **state)
{
    static const size_t lengths[] = {0, 1, 31};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct setup *setup = *state;

        setup->fake->on = cut_digests;
        s_bytes = lengths[i];
        put_image(setup);
        assert_sent(setup, SIZE);
        assert_int_equal(setup->fake->seen[WHAT(DIGESTS)], 1);
        stop(state);
        start(state);
    }
}

static int give_too_many(struct extended_esp32 *fake, const HostedExtension__Request *request,
                         HostedExtension__Reply *reply)
{
    static uint8_t bytes[90 * 32];

    (void)fake;
    if (request->what_case == WHAT(DIGESTS)) {
        memcpy(bytes, reply->digests.data, reply->digests.len);
        reply->digests.data = bytes;
        reply->digests.len = sizeof(bytes);
    }
    return 1;
}

static void what_was_not_asked_for_is_left(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = give_too_many;
    put_image(setup);
    setup->fake->slot[BLOCK] ^= 1;
    assert_sent(setup, SECTOR);
}

static int give_others(struct extended_esp32 *fake, const HostedExtension__Request *request,
                       HostedExtension__Reply *reply)
{
    (void)fake;
    if (request->what_case == WHAT(DIGESTS))
        for (size_t i = 0; i < reply->digests.len; i++)
            reply->digests.data[i] ^= 0xff;
    return 1;
}

static void wrong_digests_cost_time_alone(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = give_others;
    put_image(setup);
    assert_sent(setup, SIZE);
}

/* A sector that it says to have and has not: so `end` must be. */
static int lie(struct extended_esp32 *fake, const HostedExtension__Request *request,
               HostedExtension__Reply *reply)
{
    (void)reply;
    if (request->what_case == WHAT(DIGESTS) && fake->seen[WHAT(DIGESTS)] == 1)
        fake->slot[17] ^= 1;
    return 1;
}

static void a_lie_is_found_out_at_the_end(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = lie;
    put_image(setup);
    assert_int_equal(update(setup), -EREMOTEIO);
    assert_int_equal(setup->fault.device_code, CODE(WRONG_DIGEST));
    assert_non_null(strstr(setup->fault.text, "1.0.0 is still in place"));
}

/* The link */

static int lose_the_first(struct extended_esp32 *fake, const HostedExtension__Request *request,
                          HostedExtension__Reply *reply)
{
    (void)reply;
    return request->what_case == WHAT(DIGESTS) && fake->seen[WHAT(DIGESTS)] == 1 ? 0 : 1;
}

static void lost_digests_are_asked_for_again(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = lose_the_first;
    put_image(setup);
    assert_sent(setup, 0);
    assert_int_equal(setup->fake->seen[WHAT(DIGESTS)], 3);
}

static int lose_all_digests(struct extended_esp32 *fake, const HostedExtension__Request *request,
                            HostedExtension__Reply *reply)
{
    (void)fake, (void)reply;
    return request->what_case == WHAT(DIGESTS) ? 0 : 1;
}

static void silence_is_a_failure(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = lose_all_digests;
    assert_int_equal(update(setup), -ETIMEDOUT);
    assert_non_null(strstr(setup->fault.text, "; 1.0.0 is still in place"));
    assert_int_equal(setup->fake->seen[WHAT(END)], 0);
}

/* Each answer: a doubled one is none to the next question. */
static int double_digests(struct extended_esp32 *fake, const HostedExtension__Request *request,
                          HostedExtension__Reply *reply)
{
    (void)fake, (void)reply;
    return request->what_case == WHAT(DIGESTS) ? 2 : 1;
}

static void doubled_digests_are_none_of_others(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = double_digests;
    put_image(setup);
    setup->fake->slot[BLOCK + 17] ^= 1;
    setup->fake->slot[2 * BLOCK + 17] ^= 1;
    assert_sent(setup, 2 * SECTOR);
}

static int forget_the_update(struct extended_esp32 *fake, const HostedExtension__Request *request,
                             HostedExtension__Reply *reply)
{
    if (request->what_case == WHAT(WRITE) && fake->seen[WHAT(WRITE)] == 20) {
        reply->code = CODE(NO_SESSION);
        fake->open = false;
        reply->has_next = false;
        memset(fake->slot + fake->writes[19].offset, 0xff, 1); /* as if it had not come */
    }
    return 1;
}

static void a_session_that_was_lost_goes_on(void **state)
{
    struct setup *setup = *state;

    setup->fake->on = forget_the_update;
    if (update(setup) < 0)
        fail_msg("%s", setup->fault.text);
    assert_memory_equal(setup->fake->slot, setup->image, SIZE);
    assert_int_equal(setup->fake->seen[WHAT(BEGIN)], 2);
    assert_int_equal(setup->result.sent_bytes + setup->result.kept_bytes, SIZE);
    assert_non_null(strstr(setup->fake->log, "; beginning again at 65536\n"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(none_is_equal),
        CASE(all_are_equal),
        CASE(the_last_block_is_short),
        CASE(of_the_last_block_a_sector_differs),
        CASE(the_last_byte_differs),
        CASE(a_stream_s_last_block_is_short_too),
        CASE(sectors_that_differ_are_runs),
        CASE(a_block_with_six_that_differ_is_sent_whole),
        CASE(behind_what_is_there_few_are_asked_about),
        CASE(of_another_image_four_are_asked_about),
        CASE(of_a_short_last_block_all_is_erased_at_once),
        CASE(who_has_none_is_not_asked),
        CASE(refused_digests_are_asked_for_once),
        CASE(refused_sectors_are_sent),
        CASE(what_is_not_told_is_asked_for_again),
        CASE(half_a_digest_is_none),
        CASE(what_was_not_asked_for_is_left),
        CASE(wrong_digests_cost_time_alone),
        CASE(a_lie_is_found_out_at_the_end),
        CASE(lost_digests_are_asked_for_again),
        CASE(silence_is_a_failure),
        CASE(doubled_digests_are_none_of_others),
        CASE(a_session_that_was_lost_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
