/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole update. What is all there is read and checked wholly first, and sent from memory: a file
 * that somebody changes meanwhile does no harm. A stream is checked on its way to the ESP32.
 */
#include "hosted/update.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device_internal.h"
#include "fault.h"
#include "image_check.h"
#include "reboot.h"
#include "release.h"
#include "session_internal.h"

/* One read: few system calls. Also what is held of a stream, on a host that may be small. */
#define PIECE_BYTES ((size_t)64 * 1024)

/* Flash chips of ESP32 modules have up to 32 MB, and there are two slots on them. */
#define LARGEST_IMAGE_BYTES ((size_t)16 * 1024 * 1024)

const struct hosted_update_options hosted_update_defaults = {
    .chip = -1,
    .reboot_timeout_s = 60,
};

struct update {
    struct hosted_device *device; /* NULL: hosted_verify() */
    struct hosted_source *source;
    const struct hosted_update_options *options;
    struct hosted_fault *fault;
    struct hosted_session *session;
    struct image_check check;
    struct hosted_image image;
    uint8_t *buf;
    size_t room; /* of `buf` */
    size_t held; /* bytes in `buf`: checked, not sent */
    bool at_end;
    bool started; /* begin was sent, or may have been */
};

static int report(const struct update *update, enum hosted_stage stage, uint64_t done)
{
    const struct hosted_update_options *options = update->options;
    const uint64_t total =
        update->image.file_bytes != HOSTED_SIZE_UNKNOWN ? update->image.file_bytes : 0;

    if (options->progress == NULL ||
        options->progress(options->progress_ctx, stage, &update->image, done, total) == 0 ||
        stage == HOSTED_STAGE_END || stage == HOSTED_STAGE_REBOOT)
        return 0;
    return fault_set(update->fault, HOSTED_LOCAL, -ECANCELED, "%s: the update was interrupted",
                     update->source->name);
}

/* Room for one more piece behind what is held. */
static int make_room(struct update *update)
{
    const uint64_t size = update->source->size;
    size_t room = update->held + PIECE_BYTES;

    if (update->held > LARGEST_IMAGE_BYTES)
        return fault_set(update->fault, HOSTED_IMAGE, -EFBIG, "%s: larger than any slot",
                         update->source->name);
    if (update->room >= room)
        return 0;
    /* One allocation where the size is known (and true), and not many where it is not. */
    if (update->source->whole && update->held == 0 && size < LARGEST_IMAGE_BYTES)
        room += (size_t)size;
    else
        room *= 2;

    uint8_t *buf = realloc(update->buf, room);

    if (buf == NULL)
        return fault_errno(update->fault, HOSTED_LOCAL, ENOMEM, update->source->name);
    update->buf = buf;
    update->room = room;
    return 0;
}

/* Reads on behind what is held and checks what came. */
static int read_more(struct update *update)
{
    struct hosted_source *source = update->source;
    int err = make_room(update);

    if (err < 0)
        return err;

    uint8_t *at = update->buf + update->held;
    const ssize_t got = source->ops->read(source, at, PIECE_BYTES, update->fault);

    if (got < 0)
        return (int)got;
    if (got == 0) {
        update->at_end = true;
        update->image.file_bytes = update->check.fed_bytes;
        err = image_check_finish(&update->check, update->fault);
    } else {
        update->held += (size_t)got;
        err = image_check_feed(&update->check, at, (size_t)got, update->fault);
    }
    if (update->check.reader.head_known)
        image_check_describe(&update->check, &update->image);
    return err;
}

/* Until the head of the image is known, which is where a bad one is found out if not at its end. */
static int read_head(struct update *update)
{
    int err = image_check_init(&update->check, update->source->name, update->options, update->fault);

    while (err == 0 && !update->at_end && !update->check.reader.head_known)
        err = read_more(update);
    return err < 0 ? err : report(update, HOSTED_STAGE_CHECK, 0);
}

static int read_whole(struct update *update)
{
    int err = read_head(update);

    while (err == 0 && !update->at_end) {
        err = read_more(update);
        if (err == 0)
            err = report(update, HOSTED_STAGE_CHECK, update->check.fed_bytes);
    }
    return err;
}

/* The smaller one of those that are known. */
static uint32_t smallest_slot(uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

/* Of a stream without a length what has come is all that is known. What the caller says narrows
 * what the device says of itself, and never widens it. */
static int check_fit(const struct update *update)
{
    struct hosted_image image = update->image;
    const struct hosted_update_options *options = update->options;
    const struct hosted_identity *identity =
        update->device != NULL ? &update->device->identity : &(struct hosted_identity){0};
    const uint32_t slot = smallest_slot(options->slot_bytes, identity->slot_bytes);
    int err = 0;

    if (image.file_bytes == HOSTED_SIZE_UNKNOWN || image.file_bytes < update->check.fed_bytes)
        image.file_bytes = update->check.fed_bytes;
    if (identity->known)
        err = image_fits(&image, update->source->name, identity->chip_id, slot, update->fault);
    if (err == 0)
        err = image_fits(&image, update->source->name, options->chip, slot, update->fault);
    return err;
}

/* Only where the answer is of use: old firmware does not answer, and that takes its time. */
static int ask_release(struct update *update)
{
    struct hosted_device *device = update->device;
    char version[HOSTED_TEXT_BYTES];
    struct release release;

    if (device->identity.known ||
        (!device->link->kernel_driver && !release_parse(update->image.version, &release)))
        return 0;
    return hosted_get_version(device, version, update->fault);
}

/* Upstream's kernel driver makes a control device only for firmware of its own release; firmware of
 * the classic dialect is older than that. */
static int check_release(const struct update *update)
{
    const struct hosted_device *device = update->device;
    const char *runs = device->release;
    struct release before, after;

    if (update->options->allow_release_change || !device->link->kernel_driver ||
        hosted_dialect(device) != HOSTED_DIALECT_CTRL)
        return 0;
    if (release_parse(runs, &before) && release_parse(update->image.version, &after) &&
        release_equal(&before, &after))
        return 0;
    return fault_set(
        update->fault, HOSTED_IMAGE, -EXDEV,
        "%s: this is release %s and the ESP32 runs %s: the kernel driver would refuse it at its "
        "start, and no way would be left to update it again; install the driver of that release "
        "with it and use --allow-release-change",
        update->source->name, update->image.version,
        *runs != '\0' ? runs : "one that it does not tell");
}

/* Everything that can be known before the ESP32 is told to prepare its slot. */
static int prepare(struct update *update)
{
    int err = update->source->whole ? read_whole(update) : read_head(update);

    if (err == 0)
        err = device_identify(update->device, update->fault);
    if (err == 0)
        err = check_fit(update);
    if (err == 0)
        err = ask_release(update);
    return err < 0 ? err : check_release(update);
}

/* Sends what is held: whole chunks only while more may come, so that no chunk is short but the
 * last. */
static int send_held(struct update *update)
{
    size_t sent = 0;
    int err = 0;

    while (err == 0 && sent < update->held) {
        size_t len = update->held - sent;

        if (len < HOSTED_CHUNK_BYTES && !update->at_end)
            break;
        if (len > HOSTED_CHUNK_BYTES)
            len = HOSTED_CHUNK_BYTES;
        err = hosted_session_write(update->session, update->buf + sent, len, update->fault);
        if (err == 0)
            err = report(update, HOSTED_STAGE_WRITE, hosted_session_confirmed(update->session));
        sent += len;
    }
    update->held -= sent;
    memmove(update->buf, update->buf + sent, update->held);
    return err;
}

static int transfer(struct update *update)
{
    int err = report(update, HOSTED_STAGE_WRITE, 0);

    while (err == 0) {
        err = check_fit(update);
        if (err == 0)
            err = send_held(update);
        if (err < 0 || update->at_end)
            break;
        err = read_more(update);
    }
    return err;
}

static void say_unchanged(const struct update *update, int err)
{
    struct hosted_fault *fault = update->fault;

    if (fault == NULL)
        return;
    fault->error = err;
    if (update->session == NULL) {
        if (!update->started) /* else begin has said what holds */
            fault_add(fault, "; nothing was erased");
        return;
    }
    fault->offset = hosted_session_confirmed(update->session);
    if (strstr(fault->text, "still in place") == NULL)
        device_say_unchanged(update->device, fault);
}

static int finish(struct update *update, struct hosted_update_result *ret)
{
    struct reboot_before before;
    int err;

    report(update, HOSTED_STAGE_END, 0);
    reboot_remember(update->device, &before);
    err = hosted_session_finish(update->session, update->fault);
    if (err < 0 || update->options->reboot_timeout_s == 0)
        return err;
    report(update, HOSTED_STAGE_REBOOT, 0);
    return reboot_wait(update->device, &before, &update->image, update->options, clock_ms(), ret,
                       update->fault);
}

static int run(struct update *update, struct hosted_update_result *ret)
{
    int err = prepare(update);

    if (err == 0)
        err = report(update, HOSTED_STAGE_BEGIN, 0);
    update->started = err == 0;
    if (err == 0)
        err = session_open_identified(update->device, update->options->slot_bytes, &update->session,
                                      update->fault);
    if (err == 0)
        err = transfer(update);
    if (err < 0) {
        say_unchanged(update, err);
        return err;
    }
    return finish(update, ret);
}

static struct update *update_new(struct hosted_device *device, struct hosted_source *source,
                                 const struct hosted_update_options *options,
                                 struct hosted_fault *fault)
{
    struct update *update = calloc(1, sizeof(*update));

    if (update == NULL) {
        fault_errno(fault, HOSTED_LOCAL, ENOMEM, source->name);
        return NULL;
    }
    update->device = device;
    update->source = source;
    update->options = options != NULL ? options : &hosted_update_defaults;
    update->fault = fault;
    update->image.file_bytes = source->size;
    return update;
}

static void update_free(struct update *update)
{
    hosted_session_close(update->session);
    image_check_free(&update->check);
    free(update->buf);
    free(update);
}

int hosted_update(struct hosted_device *device, struct hosted_source *source,
                  const struct hosted_update_options *options, struct hosted_update_result *ret,
                  struct hosted_fault *fault)
{
    struct update *update = update_new(device, source, options, fault);
    struct hosted_update_result result = {0};

    if (update == NULL)
        return -ENOMEM;

    const int err = run(update, &result);

    if (err == 0 && ret != NULL)
        *ret = result;
    update_free(update);
    return err;
}

int hosted_verify(struct hosted_source *source, const struct hosted_update_options *options,
                  struct hosted_image *ret, struct hosted_fault *fault)
{
    struct update *update = update_new(NULL, source, options, fault);

    if (update == NULL)
        return -ENOMEM;

    int err = read_head(update);

    while (err == 0 && !update->at_end) {
        update->held = 0; /* nobody sends it */
        err = read_more(update);
    }

    if (err == 0)
        err = check_fit(update);
    if (err == 0)
        *ret = update->image;
    update_free(update);
    return err;
}
