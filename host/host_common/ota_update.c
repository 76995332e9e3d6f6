/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole update, in constant memory. What is all there is read twice: once to be checked wholly
 * before anybody hears of it, and once to be sent, when it must be the same. A stream is checked on
 * its way to the ESP32.
 */
#include "hosted/update.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device_internal.h"
#include "fault.h"
#include "reboot.h"
#include "session_internal.h"
#include "update_internal.h"

/* Flash chips of ESP32 modules have up to 32 MB, and there are two slots on them. */
#define LARGEST_IMAGE_BYTES ((uint64_t)16 * 1024 * 1024)

/* How often an image on a server may be exchanged while it is fetched. */
#define ATTEMPTS 3

const struct hosted_update_options hosted_update_defaults = {
    .chip = -1,
    .reboot_timeout_s = 60,
};

int update_report(const struct update *update, enum hosted_stage stage, uint64_t done)
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

/* Reading and checking */

static int load_key(struct update *update)
{
    const char *path = update->options->public_key;

    if (path == NULL || update->key.key != NULL)
        return 0;
    return image_signature_key_load(&update->key, path,
                                    update->device != NULL ? update->device->client.cancel : NULL,
                                    update->fault);
}

static int start_reading(struct update *update)
{
    const struct hosted_update_options *options = update->options;
    const int err = load_key(update);

    image_check_free(&update->check);
    update->held = 0;
    update->at_end = false;
    if (!update->read_before)
        update->image = (struct hosted_image){.file_bytes = update->source->size};
    if (err < 0)
        return err;
    return image_check_init(&update->check, update->source->name, options->sha256,
                            options->public_key != NULL ? &update->key : NULL, update->fault);
}

static int reading_ended(struct update *update)
{
    const int err = image_check_finish(&update->check, update->fault);

    update->at_end = true;
    if (!update->read_before)
        update->image.file_bytes = update->check.fed_bytes;
    return err;
}

/* Reads on behind what is held and checks what came. */
static int read_more(struct update *update)
{
    struct hosted_source *source = update->source;
    uint8_t *at = update->buf + update->held;
    const ssize_t got =
        source->ops->read(source, at, UPDATE_BLOCK_BYTES - update->held, update->fault);
    int err;

    if (got < 0)
        return (int)got;
    if (update->check.fed_bytes + (uint64_t)got > LARGEST_IMAGE_BYTES)
        return fault_set(update->fault, HOSTED_IMAGE, -EFBIG, "%s: larger than any slot",
                         source->name);
    update->held += (size_t)got;
    err = got == 0 ? reading_ended(update)
                   : image_check_feed(&update->check, at, (size_t)got, update->fault);
    if (update->check.reader.head_known && !update->read_before) {
        update->info = update->check.reader.info;
        image_check_describe(&update->check, &update->image);
    }
    return err;
}

/* Until the head of the image is known, which is where a bad one is found out if not at its end. */
static int read_head(struct update *update)
{
    int err = start_reading(update);

    while (err == 0 && !update->at_end && !update->check.reader.head_known)
        err = read_more(update);
    return err < 0 ? err : update_report(update, HOSTED_STAGE_CHECK, 0);
}

static int read_whole(struct update *update)
{
    int err = read_head(update);

    while (err == 0 && !update->at_end) {
        update->held = 0; /* nobody sends it */
        err = read_more(update);
        if (err == 0)
            err = update_report(update, HOSTED_STAGE_CHECK, update->check.fed_bytes);
    }
    return err;
}

static int read_again(struct update *update)
{
    struct hosted_source *source = update->source;
    const int err = source->ops->rewind(source, update->fault);

    update->read_before = true;
    return err < 0 ? err : start_reading(update);
}

/* Sending */

/* Everything that can be known before the ESP32 is told to prepare its slot. */
static int prepare(struct update *update)
{
    const bool whole = update->source->whole;
    int err = whole ? read_whole(update) : read_head(update);

    if (err == 0)
        err = device_identify(update->device, update->fault);
    if (err == 0)
        err = update_judge(update);
    return err == 0 && whole ? read_again(update) : err;
}

static int begin(struct update *update)
{
    const struct fw_image_info *info = &update->info;
    const uint64_t bytes = update->image.file_bytes;
    const struct session_image image = {
        .chip_id = update->image.chip_id,
        .project = info->project,
        .version = info->version,
        .secure_version = info->secure_version,
        .bytes = bytes != HOSTED_SIZE_UNKNOWN ? (int64_t)bytes : -1,
        .sha256 = update->read_before ? update->image.sha256 : NULL,
    };

    update->begun = update->device->identity;
    update->digests = 0;
    update->digests_found = 0;
    update->end_told = false;
    return session_open_identified(update->device, update->options->slot_bytes,
                                   update->options->clear_session, &image, &update->session,
                                   update->fault);
}

/*
 * The ESP32 ends an update that was silent for a minute, as a source may be. What it had is in its
 * slot all the same, and there the next session goes on.
 */
static int begin_again(struct update *update, uint64_t base)
{
    int err;

    device_say(update->device, "%s; beginning again at %llu", update->fault->text,
               (unsigned long long)base);
    hosted_session_close(update->session);
    update->session = NULL;
    err = device_identify(update->device, update->fault);
    if (err == 0 && !extended_can(update->device, HOSTED_CAN_SESSION | HOSTED_CAN_DIGESTS))
        err = fault_set(update->fault, HOSTED_NO_ANSWER, -ECONNRESET,
                        "%s: another firmware runs than at the begin", update->device->path);
    if (err == 0)
        err = begin(update);
    if (err == 0)
        session_skip(update->session, base);
    return err;
}

/* The buffer that is read into next is the one of the block before: that must have arrived. */
static int try_block(struct update *update, const struct update_block *block)
{
    const int err = update_send_block(update, block);

    return err < 0 ? err
                   : update_wait(update, update->at_end ? block->base + block->len : block->base);
}

/* From what did not arrive for sure: the last of the block before may be lost with the session. */
static int send_again(struct update *update, const struct update_block *block)
{
    const bool both =
        update->before.bytes != NULL && hosted_session_confirmed(update->session) < block->base;
    const struct update_block *first = both ? &update->before : block;
    int err;

    update->sent_bytes = first->sent_bytes;
    update->kept_bytes = first->kept_bytes;
    err = begin_again(update, first->base);
    update->told = false;
    if (err == 0 && both)
        err = update_send_block(update, first);
    return err < 0 ? err : try_block(update, block);
}

/* What is held. */
static int send_block(struct update *update)
{
    const struct update_block block = {
        .base = session_position(update->session),
        .bytes = update->buf,
        .len = update->held,
        .sent_bytes = update->sent_bytes,
        .kept_bytes = update->kept_bytes,
    };
    int err = try_block(update, &block);

    if (err == -EREMOTEIO && update->fault->device_code == HOSTED_EXTENSION__CODE__NO_SESSION)
        err = send_again(update, &block);
    update->buf = update->buf == update->bufs ? update->bufs + UPDATE_BLOCK_BYTES : update->bufs;
    update->before = block;
    return err;
}

/* Sends what is held: whole chunks only while more may come, so that no chunk is short but the
 * last. */
static int send_held(struct update *update)
{
    const bool whole = update->held == UPDATE_BLOCK_BYTES || update->at_end;
    size_t sent = 0;
    int err = 0;

    if (update->session->extended) {
        err = whole ? send_block(update) : 0;
        update->held = whole ? 0 : update->held;
        return err;
    }
    while (err == 0 && sent < update->held) {
        size_t len = update->held - sent;

        if (len < HOSTED_CHUNK_BYTES && !update->at_end)
            break;
        if (len > HOSTED_CHUNK_BYTES)
            len = HOSTED_CHUNK_BYTES;
        err = hosted_session_write(update->session, update->buf + sent, len, update->fault);
        update->told = err < 0;
        if (err == 0)
            err = update_report(update, HOSTED_STAGE_WRITE,
                                hosted_session_confirmed(update->session));
        sent += len;
    }
    update->sent_bytes += sent;
    update->held -= sent;
    memmove(update->buf, update->buf + sent, update->held);
    return err;
}

/* The first reading found it valid: what is wrong with it now was done to it since. */
static int say_changed(const struct update *update)
{
    return fault_set(update->fault, HOSTED_LOCAL, -EBUSY,
                     "%s: somebody changed it while it was sent", update->source->name);
}

/* Whoever exchanges a file while it is sent could have another image boot than the checked one. */
static int check_unchanged(const struct update *update)
{
    struct hosted_image now = {0};

    image_check_describe(&update->check, &now);
    if (!update->read_before || memcmp(now.sha256, update->image.sha256, sizeof(now.sha256)) == 0)
        return 0;
    return say_changed(update);
}

static int transfer(struct update *update)
{
    int err = update_report(update, HOSTED_STAGE_WRITE, 0);

    while (err == 0) {
        err = update_check_fit(update);
        if (err == 0)
            err = send_held(update);
        if (err < 0 || update->at_end)
            break;
        err = read_more(update);
    }
    if (err < 0 && update->read_before && update->fault->status == HOSTED_IMAGE)
        return say_changed(update);
    if (err == 0)
        err = check_unchanged(update);
    return err < 0 ? err : update_check_marker(update);
}

static void say_unchanged(const struct update *update, int err)
{
    struct hosted_fault *fault = update->fault;

    fault->error = err;
    if (update->session != NULL)
        fault->offset = hosted_session_confirmed(update->session);
    if (!update->started)
        fault_add(fault, "; nothing was erased");
    else if (!update->told)
        device_say_unchanged(update->device, fault);
}

/* From the first byte of the image to its last. */
static int attempt(struct update *update)
{
    int err;

    hosted_session_close(update->session);
    update->session = NULL;
    update->begun = (struct hosted_identity){0};
    update->told = false;
    err = prepare(update);
    if (err == 0)
        err = update_report(update, HOSTED_STAGE_BEGIN, 0);
    if (err == 0) {
        update->started = true;
        update->sent_bytes = update->kept_bytes = 0;
        update->before = (struct update_block){0};
        update->digests_refused = false;
        err = begin(update);
        update->told = err < 0;
    }
    return err < 0 ? err : transfer(update);
}

#define TRIAL_S         120
#define TRIAL_MAX_S     86400 /* longer ones the ESP32 refuses */
#define TRIAL_RESERVE_S 30    /* from the new firmware's answer to its confirmation, at most */

/* Longer than the new firmware is waited for: who would be confirmed must not be gone. */
static unsigned trial_s(const struct update *update)
{
    const struct hosted_update_options *options = update->options;
    const unsigned least = options->reboot_timeout_s + TRIAL_RESERVE_S;

    if (!update_has_trial(update) || !update->image.extension || options->reboot_timeout_s == 0)
        return 0; /* it cannot be confirmed, or nobody waits for that: its first answer does */
    if (options->trial_s > 0)
        return options->trial_s;
    if (least > TRIAL_MAX_S)
        return TRIAL_MAX_S;
    return TRIAL_S > least ? TRIAL_S : least;
}

/* Of a firmware that has answered: so its timer runs, if it is on trial. */
static void say_not_confirmed(const struct update *update, int err)
{
    struct hosted_fault *fault = update->fault;
    const char *reserve = update->device->identity.can_roll_back == 0
                              ? ", unless the power fails: the boot loader knows no rollback"
                              : "";

    if (err != -ECANCELED)
        fault->status = HOSTED_NOT_UP;
    if (err != -EREMOTEIO)
        fault_add(fault,
                  "; the new firmware has answered, whether it is confirmed is not known: unless "
                  "it is, it goes back by itself%s",
                  reserve);
    else if (fault->device_code == HOSTED_EXTENSION__CODE__WRONG_VERSION)
        fault_add(fault, "; the new firmware has answered, and was rolled back then");
    else
        fault_add(fault, "; the new firmware runs, but is not confirmed: it goes back by itself%s",
                  reserve);
}

/*
 * The right version runs; now it may stay. One whose record of the trial was lost, with the power
 * or because the two firmwares do not keep it in the same place, was confirmed by its first answer:
 * that shows in the second one.
 */
static int confirm(struct update *update, struct hosted_update_result *ret)
{
    struct hosted_device *device = update->device;
    int err = device_meet(device, update->fault);
    const bool on_trial = device->identity.on_trial;

    if (err == 0 && !extended_can(device, HOSTED_CAN_TRIAL))
        err = fault_set(update->fault, HOSTED_REFUSED, -ENOTSUP,
                        "%s: the new firmware has no trial", device->path);
    if (err == 0)
        err = extended_confirm(device, update->info.version, update->fault);
    if (err < 0) {
        say_not_confirmed(update, err);
        return err;
    }
    ret->confirmed = true;
    ret->trial_missed = !on_trial;
    ret->unguarded = on_trial && device->identity.can_roll_back == 0;
    return 0;
}

/* By what was asked for and by what the ESP32 could do; whether the image can is not asked where
 * somebody has asked for a trial. */
static bool is_trial_expected(const struct update *update)
{
    return update->options->trial_s > 0 || (update_has_trial(update) && update->image.extension);
}

static int finish(struct update *update, struct hosted_update_result *ret)
{
    const struct session_end end = {
        .sha256 = update->check.file_sha256,
        .trial_s = trial_s(update),
        .no_trial =
            update->options->no_trial && update_identity(update)->features & HOSTED_CAN_TRIAL,
    };
    struct reboot_before before;
    int err;

    update_report(update, HOSTED_STAGE_END, 0);
    reboot_remember(update->device, &before);
    before.identity = *update_identity(update);
    before.trial_s = end.trial_s;
    err = session_finish(update->session, &end, update->fault);
    /* It has restarted, perhaps because of it: who is there now is better than a guess. */
    if (err == -ECONNRESET && update->session->extended && update->options->reboot_timeout_s > 0)
        err = 0;
    if (err < 0 || update->options->reboot_timeout_s == 0)
        return err;
    update_report(update, HOSTED_STAGE_REBOOT, 0);
    err = reboot_wait(update->device, &before, &update->image, update->options, clock_ms(), ret,
                      update->fault);
    if (err == 0 && end.trial_s > 0)
        err = confirm(update, ret);
    else if (err == 0)
        ret->trial_missed = is_trial_expected(update);
    return err;
}

/* Who asks for a trial must not take one for given that nobody would confirm. */
static int check_trial(const struct update *update)
{
    const struct hosted_update_options *options = update->options;

    if (options->trial_s == 0 || (!options->no_trial && options->reboot_timeout_s > 0))
        return 0;
    return fault_set(
        update->fault, HOSTED_USAGE, -EINVAL,
        "%s: a trial of %u s needs a host that waits for the new firmware and confirms "
        "it; nothing was erased",
        update->source->name, options->trial_s);
}

static int run(struct update *update, struct hosted_update_result *ret)
{
    int err = check_trial(update);

    if (err < 0)
        return err;
    err = attempt(update);

    /* The server has another image now: what was sent of the old one is of no use. */
    for (int tries = 1; err == -ESTALE && tries < ATTEMPTS; tries++) {
        device_say(update->device, "%s; starting again with the new one", update->fault->text);
        err = attempt(update);
    }
    if (err < 0) {
        say_unchanged(update, err);
        return err;
    }
    return finish(update, ret);
}

/* The public functions */

static struct update *update_new(struct hosted_device *device, struct hosted_source *source,
                                 const struct hosted_update_options *options,
                                 struct hosted_fault *fault)
{
    struct update *update = calloc(1, sizeof(*update));
    uint8_t *bufs = malloc(2 * UPDATE_BLOCK_BYTES);

    if (update == NULL || bufs == NULL) {
        fault_errno(fault, HOSTED_LOCAL, ENOMEM, source->name);
        free(update);
        free(bufs);
        return NULL;
    }
    update->device = device;
    update->source = source;
    update->options = options != NULL ? options : &hosted_update_defaults;
    update->fault = fault;
    update->buf = update->bufs = bufs;
    return update;
}

static void update_free(struct update *update)
{
    hosted_session_close(update->session);
    image_check_free(&update->check);
    image_signature_key_free(&update->key);
    free(update->bufs);
    free(update);
}

int hosted_update(struct hosted_device *device, struct hosted_source *source,
                  const struct hosted_update_options *options, struct hosted_update_result *ret,
                  struct hosted_fault *fault)
{
    struct hosted_fault unread;
    struct update *update = update_new(device, source, options, fault != NULL ? fault : &unread);
    struct hosted_update_result result = {0};

    if (update == NULL)
        return -ENOMEM;

    const int err = run(update, &result);

    result.sent_bytes = update->sent_bytes;
    result.kept_bytes = update->kept_bytes;
    if (err == 0 && ret != NULL)
        *ret = result;
    update_free(update);
    return err;
}

/* An image that cannot be read to its end may still be judged by its head. */
static int check_all(struct update *update)
{
    int err = update_object(update, read_whole(update));

    if (err == 0 && update->check.reader.head_known)
        err = update_report(update, HOSTED_STAGE_CHECK, update->check.fed_bytes);
    if (err < 0 || update->device == NULL)
        return err < 0 ? err : update_object(update, update_check_fit(update));

    /* An update would go on in silence, but here a question without an answer is a reason. */
    err = device_meet(update->device, update->fault);
    if (err < 0)
        return update_object(update, err);
    return update->check.reader.head_known ? update_judge(update) : 0;
}

int hosted_update_check(struct hosted_device *device, struct hosted_source *source,
                        const struct hosted_update_options *options,
                        void (*objection)(void *ctx, const struct hosted_fault *fault), void *ctx,
                        struct hosted_image *ret, struct hosted_fault *fault)
{
    struct hosted_fault unread;
    struct update *update = update_new(device, source, options, fault != NULL ? fault : &unread);
    int err;

    if (update == NULL)
        return -ENOMEM;
    update->objection = objection;
    update->objection_ctx = ctx;
    err = check_all(update);
    if (err == 0 && update->first_error < 0) {
        err = update->first_error;
        *update->fault = update->first_fault;
    }
    if (err == 0)
        *ret = update->image;
    update_free(update);
    return err;
}

int hosted_verify(struct hosted_source *source, const struct hosted_update_options *options,
                  struct hosted_image *ret, struct hosted_fault *fault)
{
    return hosted_update_check(NULL, source, options, NULL, NULL, ret, fault);
}
