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

/* Between the reading that checks and the one that sends. */
static void a_file_that_is_exchanged_gets_no_end(void **state)
{
    struct setup *setup = *state;
    uint8_t *other = test_image(0, SIZE, true);
    struct memory_source source = memory_source(setup->image, SIZE);

    use_identity(setup, 0, 0x100000);
    other[30000] ^= 1;
    test_image_seal(other, SIZE); /* valid, but not what was checked */
    source.later = other;
    assert_int_equal(update(setup, &source, NULL), -EBUSY);
    assert_int_equal(setup->fault.status, HOSTED_LOCAL);
    assert_says(setup, "changed it while it was sent; 2.3.1 is still in place");
    assert_int_equal(fake_count(setup->fake, FAKE_END), 0);

    other[30000] ^= 2; /* damaged, and the file that was checked was not */
    source = memory_source(setup->image, SIZE);
    source.later = other;
    assert_int_equal(update(setup, &source, NULL), -EBUSY);
    assert_int_equal(setup->fault.status, HOSTED_LOCAL);
    assert_says(setup, "changed it while it was sent; 2.3.1 is still in place");
    assert_int_equal(fake_count(setup->fake, FAKE_END), 0);
    free(other);
}

/* A server's image that is exchanged at byte `at` of it, `times` times; the last one stays. */
struct exchanged {
    struct memory_source memory;
    size_t at;
    unsigned times;
};

static ssize_t exchanged_read(struct hosted_source *source, void *buf, size_t len,
                              struct hosted_fault *fault)
{
    struct exchanged *exchanged = (struct exchanged *)source;
    struct memory_source *memory = &exchanged->memory;

    if (exchanged->times > 0 && memory->at >= exchanged->at) {
        exchanged->times--;
        memory->at = 0;
        memory->bytes = memory->later;
        if (fault != NULL) {
            *fault = (struct hosted_fault){.status = HOSTED_LOCAL, .error = -ESTALE};
            strcpy(fault->text, "memory: the image on the server has changed");
        }
        return -ESTALE;
    }
    if (len > 4000)
        len = 4000;
    if (len > memory->len - memory->at)
        len = memory->len - memory->at;
    memcpy(buf, memory->bytes + memory->at, len);
    memory->at += len;
    return (ssize_t)len;
}

static void exchanged_close(struct hosted_source *source)
{
    (void)source;
}

static const struct hosted_source_ops exchanged_ops = {
    .read = exchanged_read,
    .close = exchanged_close,
};

static void an_image_that_is_exchanged_on_its_server_is_sent_anew(void **state)
{
    struct setup *setup = *state;
    static const size_t places[] = {4000, 20000, SIZE};
    uint8_t *other = test_image(0, SIZE, true);

    other[30000] ^= 1;
    test_image_seal(other, SIZE);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct exchanged source = {
            .memory = stream(setup->image, SIZE, 0), .at = places[i], .times = 1};

        source.memory.source.ops = &exchanged_ops;
        source.memory.later = other;
        assert_int_equal(update(setup, &source.memory, NULL), 0);
        assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), 2);
        assert_int_equal(fake_count(setup->fake, FAKE_END), 1);
        /* The fake keeps what all writes carried: the second begin's are the last ones. */
        assert_true(setup->fake->image_len >= SIZE);
        assert_memory_equal(setup->fake->image + setup->fake->image_len - SIZE, other, SIZE);
        setup->fake->image_len = 0;
        setup->fake->requests = 0;
    }
    free(other);
}

static void an_image_that_is_exchanged_for_ever_is_given_up(void **state)
{
    struct setup *setup = *state;
    struct exchanged source = {.memory = stream(setup->image, SIZE, 0), .at = 20000, .times = 9};

    source.memory.source.ops = &exchanged_ops;
    source.memory.later = setup->image;
    assert_int_equal(update(setup, &source.memory, NULL), -ESTALE);
    assert_int_equal(setup->fault.status, HOSTED_LOCAL);
    assert_says(setup, "has changed; the old firmware is still in place");
    assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), 3);
    assert_int_equal(fake_count(setup->fake, FAKE_END), 0);
}

/* Versions */

static void set_version(struct setup *setup, const char *project, const char *version)
{
    memset(setup->image + 32 + 16, 0, 64);
    strcpy((char *)setup->image + 32 + 16, version);
    strcpy((char *)setup->image + 32 + 48, project);
    test_image_seal(setup->image, SIZE);
}

static void a_version_counts_as_the_policy_says(void **state)
{
    struct setup *setup = *state;
    static const char ours[] = "network_adapter";
    static const struct {
        const char *project, *version; /* of the image; 2.3.1 runs */
        int any, other, not_older, newer;
    } cases[] = {
        {ours, "2.3.1", 0, -EALREADY, -EALREADY, -EALREADY},
        {ours, "2.3.2", 0, 0, 0, 0},
        {ours, "2.10.0", 0, 0, 0, 0},
        {ours, "2.3.0", 0, 0, -EPERM, -EALREADY},
        {ours, "v2.3.1", 0, 0, 0, -EALREADY}, /* equal, and yet not the same */
        {ours, "a1b2c3d", 0, 0, 0, -EINVAL},
        {"another", "2.3.1", 0, 0, 0, -EINVAL},
    };

    use_identity(setup, 0, 0x100000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int results[] = {cases[i].any, cases[i].other, cases[i].not_older, cases[i].newer};

        set_version(setup, cases[i].project, cases[i].version);
        for (int policy = HOSTED_VERSION_ANY; policy <= HOSTED_VERSION_NEWER; policy++) {
            struct hosted_update_options options = hosted_update_defaults;
            struct memory_source source = memory_source(setup->image, SIZE);
            const int expected = results[policy];

            options.version_policy = (enum hosted_version_policy)policy;
            options.reboot_timeout_s = 0;
            setup->fake->requests = 0;
            if (update(setup, &source, &options) != expected)
                fail_msg("%s, policy %d: %s", cases[i].version, policy, setup->fault.text);
            assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), expected == 0);
            if (expected == 0)
                continue;
            assert_int_equal(setup->fault.status,
                             expected == -EALREADY ? HOSTED_NOTHING : HOSTED_IMAGE);
            assert_says(setup, "; nothing was erased");
        }
    }
}

static void of_stock_firmware_a_version_is_not_known(void **state)
{
    struct setup *setup = *state;
    struct hosted_update_options options = hosted_update_defaults;
    struct memory_source source = memory_source(setup->image, SIZE);

    options.reboot_timeout_s = 0;
    options.version_policy = HOSTED_VERSION_NEWER;
    assert_int_equal(update(setup, &source, &options), -EINVAL);
    assert_says(setup, "2.0.0 is newer than what the ESP32 runs (it does not say)");
    source = memory_source(setup->image, SIZE);
    options.version_policy = HOSTED_VERSION_NOT_OLDER;
    assert_int_equal(update(setup, &source, &options), 0);
}

static void a_release_of_stock_firmware_can_be_compared(void **state)
{
    struct setup *setup = *state;
    struct hosted_update_options options = hosted_update_defaults;

    hosted_close(setup->device);
    setup->fake->dialect = FAKE_CTRL;
    strcpy(setup->fake->release, "FG-1.0.0.0.2");
    setup->device =
        fake_device(setup->fake, &(const struct hosted_options){.dialect = HOSTED_DIALECT_CTRL});
    options.version_policy = HOSTED_VERSION_NOT_OLDER;
    set_version(setup, "network_adapter", "FG-1.0.0.0.1");

    struct memory_source source = memory_source(setup->image, SIZE);

    assert_int_equal(update(setup, &source, &options), -EPERM);
    assert_says(setup, "FG-1.0.0.0.1 is older than FG-1.0.0.0.2");
    set_version(setup, "network_adapter", "FG-1.0.0.0.2");
    options.version_policy = HOSTED_VERSION_NEWER;
    source = memory_source(setup->image, SIZE);
    assert_int_equal(update(setup, &source, &options), -EALREADY);
    assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), 0);

    /* Every build of a release is named like it: this may be another one. */
    options.version_policy = HOSTED_VERSION_NOT_OLDER;
    options.reboot_timeout_s = 0;
    source = memory_source(setup->image, SIZE);
    assert_int_equal(update(setup, &source, &options), 0);
}

/* Dry runs */

struct objections {
    unsigned count;
    char texts[4096];
};

static void object(void *ctx, const struct hosted_fault *fault)
{
    struct objections *objections = ctx;

    objections->count++;
    strcat(objections->texts, fault->text);
    strcat(objections->texts, "\n");
}

static int check(struct setup *setup, struct memory_source *source,
                 const struct hosted_update_options *options, struct objections *ret)
{
    struct hosted_image image = {0};

    *ret = (struct objections){0};

    const int err = hosted_update_check(setup->device, &source->source, options, object, ret,
                                        &image, &setup->fault);

    assert_int_equal(fake_count(setup->fake, FAKE_BEGIN), 0);
    if (err == 0)
        assert_int_equal(image.file_bytes, source->len);
    return err;
}

static void a_dry_run_tells_every_reason(void **state)
{
    struct setup *setup = *state;
    struct hosted_update_options options = hosted_update_defaults;
    struct memory_source source = memory_source(setup->image, SIZE);
    struct objections objections;

    use_identity(setup, 0, 0x100000);
    assert_int_equal(check(setup, &source, &options, &objections), 0);
    assert_int_equal(objections.count, 0);

    set_version(setup, "network_adapter", "2.3.0");
    setup->image[SIZE - 1] ^= 1;
    options.slot_bytes = 4096;
    options.version_policy = HOSTED_VERSION_NOT_OLDER;
    source = memory_source(setup->image, SIZE);
    assert_int_equal(check(setup, &source, &options, &objections), -EBADMSG);
    assert_int_equal(objections.count, 3);
    assert_non_null(strstr(objections.texts, "digest is wrong"));
    assert_non_null(strstr(objections.texts, "too large for the slot of 4,096 bytes"));
    assert_non_null(strstr(objections.texts, "2.3.0 is older than 2.3.1"));
    assert_null(strstr(objections.texts, "--")); /* the caller need not have such an option */
    assert_int_equal(setup->fault.status, HOSTED_IMAGE);
    assert_says(setup, "digest is wrong"); /* the first */
}

static void a_dry_run_goes_on_without_the_device(void **state)
{
    struct setup *setup = *state;
    struct hosted_update_options options = hosted_update_defaults;
    struct memory_source source = memory_source(setup->image, SIZE);
    struct objections objections;

    setup->image[SIZE - 1] ^= 1;
    fake_failure(setup->fake, FAKE_GET_MODE, 0, -ENODEV);
    assert_int_equal(check(setup, &source, &options, &objections), -EBADMSG);
    assert_int_equal(objections.count, 2);
    assert_non_null(strstr(objections.texts, "has gone"));
}

/* An update would go on: firmware that is silent on this may take it. */
static void silence_speaks_against_an_update_in_a_dry_run(void **state)
{
    struct setup *setup = *state;
    struct memory_source source = memory_source(setup->image, SIZE);
    struct objections objections;

    setup->device->dialect = HOSTED_DIALECT_CLASSIC;
    setup->device->client.dialect = &dialect_classic;
    fake_answer(setup->fake, FAKE_GET_MODE, 0, NULL, 0);
    assert_int_equal(check(setup, &source, NULL, &objections), -ETIMEDOUT);
    assert_int_equal(objections.count, 1);
    assert_int_equal(setup->fault.status, HOSTED_NO_ANSWER);
    assert_says(setup, "no answer to get_mode for 3 s, asked 2 times");
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
        CASE(a_file_that_is_exchanged_gets_no_end),
        CASE(an_image_that_is_exchanged_on_its_server_is_sent_anew),
        CASE(an_image_that_is_exchanged_for_ever_is_given_up),
        CASE(a_version_counts_as_the_policy_says),
        CASE(of_stock_firmware_a_version_is_not_known),
        CASE(a_release_of_stock_firmware_can_be_compared),
        CASE(a_dry_run_tells_every_reason),
        CASE(a_dry_run_goes_on_without_the_device),
        CASE(silence_speaks_against_an_update_in_a_dry_run),
        CASE(progress_follows_the_update),
        CASE(progress_can_stop_it),
        CASE(verify_needs_no_device),
        CASE(a_checksum_alone_is_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
