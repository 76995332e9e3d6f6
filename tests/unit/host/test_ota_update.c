/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_esp32.h"
#include "hosted/update.h"
#include "memory_source.h"
#include "test_image.h"

#define SIZE 40000

struct setup {
    struct fake_esp32 *fake;
    struct hosted_device *device;
    uint8_t *image;
    struct hosted_fault fault;
};

static int start(void **state)
{
    struct setup *setup = calloc(1, sizeof(*setup));

    setup->fake = fake_new();
    setup->device = fake_device(setup->fake, NULL);
    setup->image = test_image(0, SIZE, true);
    *state = setup;
    return 0;
}

static int stop(void **state)
{
    struct setup *setup = *state;

    hosted_close(setup->device);
    fake_free(setup->fake);
    free(setup->image);
    free(setup);
    return 0;
}

static int update(struct setup *setup, struct memory_source *source,
                  const struct hosted_update_options *options)
{
    return hosted_update(setup->device, &source->source, options, NULL, &setup->fault);
}

/* As a pipe or a server gives it: in pieces, once, perhaps without a length. */
static struct memory_source stream(const void *bytes, size_t len, size_t piece)
{
    struct memory_source source = memory_source(bytes, len);

    source.source.whole = false;
    source.source.size = HOSTED_SIZE_UNKNOWN;
    source.piece = piece;
    return source;
}

static void assert_says(const struct setup *setup, const char *words)
{
    if (strstr(setup->fault.text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, setup->fault.text);
}

static void assert_sent(const struct setup *setup, const void *bytes, size_t len)
{
    assert_int_equal(setup->fake->image_len, len);
    assert_memory_equal(setup->fake->image, bytes, len);
    assert_int_equal(fake_count(setup->fake, FAKE_WRITE), (len + 3999) / 4000);
    assert_int_equal(fake_count(setup->fake, FAKE_END), 1);
    setup->fake->image_len = 0;
    setup->fake->requests = 0;
}

static void use_identity(struct setup *setup, uint8_t chip, uint32_t slot)
{
    uint8_t buf[FAKE_MESSAGE_MAX];

    fake_answer(setup->fake, FAKE_GET_MODE, 0, buf, fake_reply_identity(buf, chip, slot));
}

static void every_size_arrives_as_it_is(void **state)
{
    struct setup *setup = *state;
    static const size_t sizes[] = {352, 3984, 4000, 4016, 40000, 65536, 131072, 1048576};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *image = test_image(0, sizes[i], i % 2 == 0);
        struct memory_source source = memory_source(image, sizes[i]);

        assert_int_equal(update(setup, &source, NULL), 0);
        assert_sent(setup, image, sizes[i]);
        free(image);
    }
}

static void a_stream_arrives_however_it_is_cut(void **state)
{
    struct setup *setup = *state;
    static const size_t pieces[] = {1, 7, 1500, 3999, 4000, 4001, 16384, 1 << 20};

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct memory_source source = stream(setup->image, SIZE, pieces[i]);

        assert_int_equal(update(setup, &source, NULL), 0);
        assert_sent(setup, setup->image, SIZE);
    }
}

/* Somebody appends to the file while it is read. */
static void a_file_may_have_grown(void **state)
{
    struct setup *setup = *state;
    const size_t size = 1048576;
    uint8_t *image = test_image(0, size, true);
    struct memory_source source = memory_source(image, size);

    source.source.size = 1000;
    source.piece = 30000;
    assert_int_equal(update(setup, &source, NULL), 0);
    assert_sent(setup, image, size);
    free(image);
}

static void what_is_behind_the_image_is_sent_too(void **state)
{
    struct setup *setup = *state;
    uint8_t file[SIZE + 1];

    memcpy(file, setup->image, SIZE);
    file[SIZE] = 0xa5;

    struct memory_source whole = memory_source(file, sizeof(file));
    struct memory_source piecewise = stream(file, sizeof(file), 1000);

    assert_int_equal(update(setup, &whole, NULL), 0);
    assert_sent(setup, file, sizeof(file));
    assert_int_equal(update(setup, &piecewise, NULL), 0);
    assert_sent(setup, file, sizeof(file));
}

/* Each byte of the image is damaged in turn (well, many of them). */
static void a_damaged_file_is_refused_before_anybody_hears_of_it(void **state)
{
    struct setup *setup = *state;

    for (size_t at = 0; at < SIZE; at += at < 400 ? 1 : 997) {
        /* Flash mode, entry point and other fields are covered by the digest alone. */
        setup->image[at] ^= 0x40;

        struct memory_source source = memory_source(setup->image, SIZE);

        assert_int_equal(update(setup, &source, NULL), -EBADMSG);
        assert_int_equal(setup->fault.status, HOSTED_IMAGE);
        assert_says(setup, "; nothing was erased");
        setup->image[at] ^= 0x40;
    }
    assert_int_equal(setup->fake->requests, 0);
}

static void a_cut_file_is_refused(void **state)
{
    struct setup *setup = *state;

    for (size_t len = 0; len < SIZE; len += len < 40 ? 1 : 1999) {
        struct memory_source source = memory_source(setup->image, len);

        assert_int_equal(update(setup, &source, NULL), -EBADMSG);
        assert_int_equal(setup->fault.status, HOSTED_IMAGE);
    }
    assert_int_equal(setup->fake->requests, 0);
}

static void a_bad_head_of_a_stream_is_seen_before_begin(void **state)
{
    struct setup *setup = *state;
    static const char page[] = "<html>404 not found</html>";
    struct memory_source source = stream(page, sizeof(page), 3);

    assert_int_equal(update(setup, &source, NULL), -EBADMSG);
    assert_int_equal(setup->fake->requests, 0);
    assert_int_equal(source.at, 3); /* the first bytes said it */

    /* It ends before its head does: so it is known whole. */
    source = stream(setup->image, 200, 50);
    assert_int_equal(update(setup, &source, NULL), -EBADMSG);
    assert_int_equal(setup->fake->requests, 0);
}

static void a_stream_that_turns_out_bad_gets_no_end(void **state)
{
    struct setup *setup = *state;
    struct memory_source cut = stream(setup->image, SIZE - 1, 5000);

    use_identity(setup, 0, 0x100000);
    assert_int_equal(update(setup, &cut, NULL), -EBADMSG);
    assert_int_equal(setup->fault.status, HOSTED_IMAGE);
    assert_says(setup, "cut off");
    assert_says(setup, "; 2.3.1 is still in place");

    setup->image[SIZE - 1] ^= 1;

    struct memory_source wrong_digest = stream(setup->image, SIZE, 5000);

    assert_int_equal(update(setup, &wrong_digest, NULL), -EBADMSG);
    assert_says(setup, "digest");
    assert_int_equal(fake_count(setup->fake, FAKE_END), 0);
}

static void a_source_that_breaks_off_gets_no_end(void **state)
{
    struct setup *setup = *state;
    struct memory_source source = stream(setup->image, SIZE, 4000);

    source.fails_at = 20000;
    assert_int_equal(update(setup, &source, NULL), -EIO);
    assert_int_equal(setup->fault.status, HOSTED_LOCAL);
    assert_int_equal(setup->fault.offset, 20000);
    assert_says(setup, "broke off; the old firmware is still in place");
    assert_int_equal(fake_count(setup->fake, FAKE_END), 0);

    source = memory_source(setup->image, SIZE);
    source.fails_at = 20000;
    source.piece = 4000;
    assert_int_equal(update(setup, &source, NULL), -EIO);
    assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), 1); /* the first time */
}

static void the_devices_word_on_chip_and_slot_counts(void **state)
{
    struct setup *setup = *state;
    struct memory_source source = memory_source(setup->image, SIZE);

    use_identity(setup, 5, 0x100000);
    assert_int_equal(update(setup, &source, NULL), -EXDEV);
    assert_int_equal(setup->fault.status, HOSTED_IMAGE);
    assert_says(setup, "memory: the image is for ESP32, not for ESP32-C3; nothing was erased");
    assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), 0);
}

static void a_slot_is_filled_to_its_last_byte(void **state)
{
    struct setup *setup = *state;
    uint8_t file[SIZE + 1] = {0};

    memcpy(file, setup->image, SIZE);
    use_identity(setup, 0, SIZE);

    struct memory_source fits = memory_source(file, SIZE);
    struct memory_source too_long = memory_source(file, SIZE + 1);
    struct hosted_update_options options = hosted_update_defaults;

    options.reboot_timeout_s = 0;
    assert_int_equal(update(setup, &fits, &options), 0);
    assert_sent(setup, file, SIZE);
    assert_int_equal(update(setup, &too_long, NULL), -EFBIG);
    assert_says(setup, "40,001 bytes are too large for the slot of 40,000 bytes");
    assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), 0);
}

static void a_stream_never_overruns_the_slot(void **state)
{
    struct setup *setup = *state;
    struct memory_source source = stream(setup->image, SIZE, 1000);

    use_identity(setup, 0, 20000);
    assert_int_equal(update(setup, &source, NULL), -EFBIG);
    assert_true(setup->fake->image_len <= 20000);
    assert_int_equal(fake_count(setup->fake, FAKE_END), 0);

    /* With a length it is known before. */
    source = stream(setup->image, SIZE, 1000);
    source.source.size = SIZE;
    setup->fake->requests = 0;
    assert_int_equal(update(setup, &source, NULL), -EFBIG);
    assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), 0);
}

static void options_stand_in_for_the_devices_word(void **state)
{
    struct setup *setup = *state;
    struct hosted_update_options options = hosted_update_defaults;
    struct memory_source source = memory_source(setup->image, SIZE);

    options.chip = 5;
    assert_int_equal(update(setup, &source, &options), -EXDEV);
    options = hosted_update_defaults;
    options.slot_bytes = SIZE - 1;
    source = memory_source(setup->image, SIZE);
    assert_int_equal(update(setup, &source, &options), -EFBIG);
    assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), 0);
}

static void options_do_not_overrule_the_devices_chip(void **state)
{
    struct setup *setup = *state;
    struct hosted_update_options options = hosted_update_defaults;
    struct memory_source source = memory_source(setup->image, SIZE);

    use_identity(setup, 5, SIZE);
    options.chip = 0;
    assert_int_equal(update(setup, &source, &options), -EXDEV);
    assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), 0);
}

static void options_do_not_overrule_the_devices_slot(void **state)
{
    struct setup *setup = *state;
    struct hosted_update_options options = hosted_update_defaults;
    struct memory_source source = memory_source(setup->image, SIZE);

    use_identity(setup, 0, 4096);
    options.slot_bytes = SIZE;
    assert_int_equal(update(setup, &source, &options), -EFBIG);
    assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), 0);
}

static void an_image_for_no_slot_at_all_is_not_kept_in_memory(void **state)
{
    struct setup *setup = *state;
    const size_t size = ((size_t)16 << 20) + 65536 + 16;
    uint8_t *image = test_image(9, size, true); /* this chip has no limit of segments */
    struct memory_source source = memory_source(image, size);

    assert_int_equal(update(setup, &source, NULL), -EFBIG);
    assert_int_equal(setup->fault.status, HOSTED_IMAGE);
    assert_int_equal(setup->fake->requests, 0);
    free(image);
}

/* Progress */

struct seen {
    unsigned calls[HOSTED_STAGE_REBOOT + 1];
    enum hosted_stage last;
    uint64_t done, total;
    struct hosted_image image;
    enum hosted_stage stop_in;
    unsigned stop_at; /* call of that stage, from 1 */
};

static int watch(void *ctx, enum hosted_stage stage, const struct hosted_image *image,
                 uint64_t done, uint64_t total)
{
    struct seen *seen = ctx;

    assert_true(stage >= seen->last);
    if (seen->calls[stage]++ == 0)
        assert_int_equal(done, 0);
    assert_string_equal(image->version, "2.0.0");
    assert_string_equal(image->project, "test");
    seen->last = stage;
    seen->done = done;
    seen->total = total;
    seen->image = *image;
    return stage == seen->stop_in && seen->calls[stage] == seen->stop_at;
}

static void progress_follows_the_update(void **state)
{
    struct setup *setup = *state;
    struct seen seen = {0};
    struct hosted_update_options options = hosted_update_defaults;
    struct memory_source source = memory_source(setup->image, SIZE);

    options.progress = watch;
    options.progress_ctx = &seen;
    options.reboot_timeout_s = 0;
    assert_int_equal(update(setup, &source, &options), 0);
    assert_int_equal(seen.calls[HOSTED_STAGE_BEGIN], 1);
    assert_int_equal(seen.calls[HOSTED_STAGE_WRITE], 11);
    assert_int_equal(seen.calls[HOSTED_STAGE_END], 1);
    assert_int_equal(seen.calls[HOSTED_STAGE_REBOOT], 0);
    assert_int_equal(seen.total, SIZE);
    assert_int_equal(seen.image.image_bytes, SIZE);
    assert_int_equal(seen.image.file_bytes, SIZE);
    assert_true(seen.image.digest_appended);

    /* Of a stream without a length nobody knows the total. */
    seen = (struct seen){0};
    source = stream(setup->image, SIZE, 1500);
    assert_int_equal(update(setup, &source, &options), 0);
    assert_int_equal(seen.image.image_bytes, SIZE); /* at its end */
}

static void progress_can_stop_it(void **state)
{
    struct setup *setup = *state;
    static const struct {
        enum hosted_stage stage;
        unsigned call, begins, writes;
        int result;
    } cases[] = {
        {HOSTED_STAGE_CHECK, 1, 0, 0, -ECANCELED}, {HOSTED_STAGE_BEGIN, 1, 0, 0, -ECANCELED},
        {HOSTED_STAGE_WRITE, 1, 1, 0, -ECANCELED}, {HOSTED_STAGE_WRITE, 3, 1, 2, -ECANCELED},
        {HOSTED_STAGE_END, 1, 1, 10, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct seen seen = {.stop_in = cases[i].stage, .stop_at = cases[i].call};
        struct hosted_update_options options = hosted_update_defaults;
        struct memory_source source = memory_source(setup->image, SIZE);

        options.progress = watch;
        options.progress_ctx = &seen;
        setup->fake->requests = 0;
        assert_int_equal(update(setup, &source, &options), cases[i].result);
        assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), cases[i].begins);
        assert_int_equal(fake_count(setup->fake, FAKE_WRITE), cases[i].writes);
        assert_int_equal(fake_count(setup->fake, FAKE_END), cases[i].result == 0);
        if (cases[i].result < 0)
            assert_int_equal(setup->fault.status, HOSTED_LOCAL);
    }
}

/* Verify */

static void verify_needs_no_device(void **state)
{
    struct setup *setup = *state;
    struct memory_source source = memory_source(setup->image, SIZE);
    struct hosted_image image;

    assert_int_equal(hosted_verify(&source.source, NULL, &image, &setup->fault), 0);
    assert_int_equal(image.image_bytes, SIZE);
    assert_int_equal(image.chip_id, 0);
    assert_string_equal(image.version, "2.0.0");

    source = stream(setup->image, SIZE, 333);
    assert_int_equal(hosted_verify(&source.source, NULL, &image, &setup->fault), 0);

    setup->image[5000] ^= 1;
    source = memory_source(setup->image, SIZE);
    assert_int_equal(hosted_verify(&source.source, NULL, &image, &setup->fault), -EBADMSG);
    assert_null(strstr(setup->fault.text, "erased"));
    setup->image[5000] ^= 1;

    struct hosted_update_options options = {.chip = 13};

    source = memory_source(setup->image, SIZE);
    assert_int_equal(hosted_verify(&source.source, &options, &image, &setup->fault), -EXDEV);
    assert_says(setup, "ESP32-C6");
}

static void a_checksum_alone_is_enough(void **state)
{
    struct setup *setup = *state;
    uint8_t *image = test_image(5, 4000, false);
    struct memory_source source = memory_source(image, 4000);
    struct hosted_image info;

    assert_int_equal(hosted_verify(&source.source, NULL, &info, &setup->fault), 0);
    assert_false(info.digest_appended);
    assert_int_equal(info.chip_id, 5);
    image[3000] ^= 4;
    source = memory_source(image, 4000);
    assert_int_equal(hosted_verify(&source.source, NULL, &info, NULL), -EBADMSG);
    free(image);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(every_size_arrives_as_it_is),
        CASE(a_stream_arrives_however_it_is_cut),
        CASE(a_file_may_have_grown),
        CASE(what_is_behind_the_image_is_sent_too),
        CASE(a_damaged_file_is_refused_before_anybody_hears_of_it),
        CASE(a_cut_file_is_refused),
        CASE(a_bad_head_of_a_stream_is_seen_before_begin),
        CASE(a_stream_that_turns_out_bad_gets_no_end),
        CASE(a_source_that_breaks_off_gets_no_end),
        CASE(the_devices_word_on_chip_and_slot_counts),
        CASE(a_slot_is_filled_to_its_last_byte),
        CASE(a_stream_never_overruns_the_slot),
        CASE(options_stand_in_for_the_devices_word),
        CASE(options_do_not_overrule_the_devices_chip),
        CASE(options_do_not_overrule_the_devices_slot),
        CASE(an_image_for_no_slot_at_all_is_not_kept_in_memory),
        CASE(progress_follows_the_update),
        CASE(progress_can_stop_it),
        CASE(verify_needs_no_device),
        CASE(a_checksum_alone_is_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
