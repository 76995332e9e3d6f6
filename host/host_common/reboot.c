/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After `end` the old firmware answers on for 5 s; then the link is dead for a while, perhaps the
 * control device too; then the new firmware answers, perhaps in another dialect, or the old one
 * again because the new one did not start. So who answers is not believed to be new before there
 * is a sign of the restart, and the dialects are found out as carefully as ever: a new firmware on
 * probation that dies of a question would be rolled back for it.
 */
#include "reboot.h"

#include <errno.h>
#include <string.h>

#include "fault.h"
#include "release.h"

/* The firmware restarts 5 s after its answer to `end`: what is asked this late, is asked after. */
#define RESTARTED_MS 6000

/* That it is the old firmware which runs on is said only after some more, in case it was slow. */
#define CAME_BACK_MS 8000

#define POLL_MS  500
#define SLICE_MS 200 /* between two attempts to open the device */

/* How much silence on `control` allows a question on `ctrlResp`, of which a classic firmware that
 * is still starting would die. Firmware that changes its dialect without a word is rare. */
#define CTRL_AFTER_CTRL_MS    10000
#define CTRL_AFTER_CLASSIC_MS 30000
#define CTRL_AGAIN_MS         5000

/* The restart comes so long after `end`: from there on the caller's patience counts. */
#define RESTART_DELAY_MS 5000

struct reboot {
    struct hosted_device *device;
    const struct reboot_before *before;
    const struct hosted_image *image;
    const struct hosted_update_options *options;
    struct hosted_fault *fault;
    int64_t ended_ms;
    int64_t deadline_ms;
    int64_t silence_left_ms; /* on `control`, before the endpoint of ctrl may be tried */
    int64_t asked_ms;
    bool relinked; /* the reconnect hook has been called, or there is none */
    bool shared;   /* another process had the device while this one had not */
};

void reboot_remember(const struct hosted_device *device, struct reboot_before *ret)
{
    ret->dialect = hosted_dialect(device);
    ret->identity = device->identity;
    strcpy(ret->release, device->release);
    ret->trial_s = 0;
}

/* Who answered */

static bool says_other_than_before(const struct reboot *r, const struct hosted_identity *now)
{
    const struct hosted_identity *before = &r->before->identity;

    return now->known != before->known || strcmp(now->running_slot, before->running_slot) != 0 ||
           strcmp(now->version, before->version) != 0;
}

static bool has_restarted(const struct reboot *r, const struct hosted_identity *now)
{
    return r->device->client.restarted || says_other_than_before(r, now) ||
           r->asked_ms - r->ended_ms >= RESTARTED_MS;
}

enum verdict {
    IMAGES,
    NOT_THE_IMAGES,
    CANNOT_TELL,
};

/* Our firmware tells its version, and from which slot it runs. */
static enum verdict judge_identity(const struct reboot *r, const struct hosted_identity *now)
{
    if (r->image != NULL && strcmp(now->version, r->image->version) != 0)
        return NOT_THE_IMAGES;
    if (r->before->identity.known &&
        strcmp(now->running_slot, r->before->identity.running_slot) == 0)
        return NOT_THE_IMAGES; /* the same version, but from the old slot */
    return IMAGES;
}

/* Stock firmware tells the release at most, and an image may say it in its descriptor. */
static enum verdict judge_release(const struct reboot *r, const char *release_now)
{
    struct release image, before, now;

    if (r->image == NULL || !release_parse(r->image->version, &image) ||
        !release_parse(release_now, &now))
        return CANNOT_TELL;
    if (release_parse(r->before->release, &before) && release_equal(&before, &image))
        return CANNOT_TELL; /* the same before and after */
    return release_equal(&now, &image) ? IMAGES : NOT_THE_IMAGES;
}

static int not_the_images(const struct reboot *r, const char *version)
{
    const char *runs = *version != '\0' ? version : "another firmware";

    if (r->image == NULL)
        return fault_set(r->fault, HOSTED_NOT_UP, -EHOSTDOWN,
                         "%s: the ESP32 still runs %s: it did not go back", r->device->path, runs);
    return fault_set(r->fault, HOSTED_NOT_UP, -EHOSTDOWN, "%s: the ESP32 runs %s instead of %s: %s",
                     r->device->path, runs, r->image->version,
                     r->shared ? "another process had the device meanwhile"
                     : r->before->trial_s > 0
                         ? "the new firmware was rolled back"
                         : "the new firmware did not start, or was rolled back");
}

/* 0, -EHOSTDOWN, or -EAGAIN while it is too early to say that. */
static int judge(struct reboot *r, const struct hosted_identity *now,
                 struct hosted_update_result *ret)
{
    struct hosted_device *device = r->device;
    char release[HOSTED_TEXT_BYTES] = "";
    enum verdict verdict;
    const int err = now->known ? 0 : hosted_get_version(device, release, r->fault);

    if (err < 0)
        return err;
    verdict = now->known ? judge_identity(r, now) : judge_release(r, release);
    if (verdict == NOT_THE_IMAGES) {
        if (!device->client.restarted && clock_ms() - r->ended_ms < CAME_BACK_MS)
            return -EAGAIN;
        return not_the_images(r, device_version(device));
    }
    *ret = (struct hosted_update_result){.answered = true, .verified = verdict == IMAGES};
    strcpy(ret->version, device_version(device));
    return 0;
}

/* Asking */

static int64_t silence_wanted_ms(const struct reboot_before *before)
{
    return before->dialect == HOSTED_DIALECT_CTRL ? CTRL_AFTER_CTRL_MS : CTRL_AFTER_CLASSIC_MS;
}

/* Which endpoint may be asked now. */
static const struct dialect *choose_dialect(const struct reboot *r)
{
    const struct ctrl_client *client = &r->device->client;

    if (r->device->dialect != HOSTED_DIALECT_AUTO)
        return dialect_find(r->device->dialect);
    /* A heartbeat may still be the old firmware's; what is heard after the restart is not. */
    if (client->heard == &dialect_ctrl &&
        (client->restarted || clock_ms() - r->ended_ms >= RESTARTED_MS))
        return &dialect_ctrl;
    return r->silence_left_ms <= 0 ? &dialect_ctrl : &dialect_classic;
}

static int ask(struct reboot *r, struct ctrl_reply *ret)
{
    static const struct ctrl_request get_mode = {.command = CTRL_GET_MODE};
    struct ctrl_client *client = &r->device->client;
    const struct dialect *dialect = choose_dialect(r);
    int err;

    client->dialect = dialect;
    client->curious = r->device->dialect == HOSTED_DIALECT_AUTO;
    if (dialect == &dialect_ctrl)
        device_take_mark(r->device);
    client->heard = NULL; /* it has been heeded */
    r->asked_ms = clock_ms();
    err = ctrl_client_call(client, &get_mode, POLL_MS, ret);
    client->curious = false;
    /* What counts is silence that was waited for, not time: this process may have been stopped, or
     * the link away. */
    if (err == -ETIMEDOUT && dialect == &dialect_classic)
        r->silence_left_ms -= POLL_MS;
    if (err == -ETIMEDOUT && dialect == &dialect_ctrl)
        r->silence_left_ms = CTRL_AGAIN_MS;
    return err;
}

/* The rest of a round in which too early an answer came. */
static int idle(struct reboot *r)
{
    const int64_t until_ms = r->asked_ms + POLL_MS;
    int err = 0;

    while (err == 0)
        err = ctrl_client_listen(&r->device->client, until_ms);
    return err == -ETIMEDOUT || err == -EPROTOTYPE ? -EAGAIN : err;
}

/* One question. 0 or -EHOSTDOWN: it is decided; -EAGAIN: not yet; else the link has failed. */
static int poll_firmware(struct reboot *r, struct hosted_update_result *ret)
{
    struct ctrl_reply reply;
    int err = ask(r, &reply);

    if (err == -ETIMEDOUT || err == -EPROTO)
        return -EAGAIN;
    if (err == -EPROTOTYPE) /* at once in another dialect, if that is allowed; else in its time */
        return choose_dialect(r) != r->device->client.dialect ? -EAGAIN : idle(r);
    if (err < 0)
        return err;

    struct hosted_device *device = r->device;
    const struct hosted_identity now = reply.mode.identity;

    ctrl_reply_free(&reply);
    if (!has_restarted(r, &now))
        return idle(r);
    device->answered = true;
    device_take_identity(device, &reply);
    err = judge(r, &now, ret);
    return err == -EAGAIN ? idle(r) : err;
}

/* The link */

/* Once, when the ESP32 has certainly restarted. 0 or -EAGAIN. */
static int call_hook(struct reboot *r)
{
    struct hosted_device *device = r->device;
    struct hosted_fault fault = {0};

    if (r->relinked)
        return 0;
    if (clock_ms() - r->ended_ms < RESTARTED_MS)
        return -EAGAIN;
    const int64_t begun_ms = clock_ms();

    r->relinked = true;
    device_unlink(device);
    if (r->options->reconnect(r->options->reconnect_ctx, device->path, &fault) < 0)
        device_say(device, "%s", fault.text);
    r->deadline_ms += clock_ms() - begun_ms; /* its time is not the firmware's */
    return 0;
}

/* Who has it may be another update: then what answers in the end need not be ours. */
static int relink(struct reboot *r, struct hosted_fault *ret_why)
{
    if (device_relink(r->device, ret_why) == 0)
        return 0;
    if (ret_why->status == HOSTED_BUSY && !r->shared) {
        device_say(r->device, "%s; waiting for it", ret_why->text);
        r->shared = true;
    }
    return -EAGAIN;
}

/* 0 while there is a link; else -EAGAIN, a moment later, or -ECANCELED. */
static int keep_linked(struct reboot *r, struct hosted_fault *ret_why)
{
    const struct hosted_cancel *cancel = r->device->client.cancel;
    const struct link *link = r->device->link;
    int err = call_hook(r);

    if (err == 0)
        err = relink(r, ret_why);
    if (err == 0 && r->device->link != link)
        r->silence_left_ms = silence_wanted_ms(r->before); /* it may be starting only now */
    if (err < 0 && clock_wait(cancel, clock_ms() + SLICE_MS) == -ECANCELED)
        return -ECANCELED;
    return err;
}

const char *reboot_reserve(int can_roll_back)
{
    if (can_roll_back == 1)
        return "";
    return can_roll_back == 0 ? ", if it starts: the boot loader knows no rollback"
                              : ", if it starts, or the boot loader knows rollback";
}

static void say_what_becomes(const struct reboot *r)
{
    if (r->before->trial_s > 0)
        fault_add(
            r->fault,
            "; unless it is confirmed, it goes back to %s by itself, within %u s of its start%s",
            r->before->identity.version, r->before->trial_s,
            reboot_reserve(r->before->identity.can_roll_back));
}

static int no_answer(const struct reboot *r, const struct hosted_fault *why)
{
    const int err = why->error != 0 ? why->error : -ETIMEDOUT;

    fault_set(r->fault, HOSTED_NO_ANSWER, err,
              "%s: the ESP32 has selected %s firmware and restarted, and does not "
              "answer for %u s%s%s",
              r->device->path, r->image != NULL ? "the new" : "the old",
              r->options->reboot_timeout_s, why->error != 0 ? ": " : "",
              why->error != 0 ? why->text : "");
    say_what_becomes(r);
    return err;
}

static int interrupted(const struct reboot *r)
{
    fault_set(r->fault, HOSTED_LOCAL, -ECANCELED,
              "%s: interrupted; the ESP32 has selected %s firmware and restarts, "
              "whether it comes up was not checked",
              r->device->path, r->image != NULL ? "the new" : "the old");
    say_what_becomes(r);
    return -ECANCELED;
}

static bool is_stopped(const struct reboot *r)
{
    const uint64_t total = r->options->reboot_timeout_s;
    const uint64_t left = (uint64_t)(r->deadline_ms - clock_ms()) / 1000;

    return r->options->progress != NULL &&
           r->options->progress(r->options->progress_ctx, HOSTED_STAGE_REBOOT, r->image,
                                left < total ? total - left : 0, total) != 0;
}

static int wait_for_firmware(struct reboot *r, struct hosted_update_result *ret)
{
    struct hosted_fault why = {0};

    while (clock_ms() < r->deadline_ms) {
        int err;

        if (is_stopped(r))
            return interrupted(r);
        err = keep_linked(r, &why);
        if (err == 0) {
            why.error = 0;
            err = poll_firmware(r, ret);
        }
        if (err == 0 || err == -EHOSTDOWN)
            return err;
        if (err == -ECANCELED)
            return interrupted(r);
        if (err != -EAGAIN) {
            device_say(r->device, "the control device has gone; waiting for it");
            device_unlink(r->device);
        }
    }
    return no_answer(r, &why);
}

int reboot_wait(struct hosted_device *device, const struct reboot_before *before,
                const struct hosted_image *image, const struct hosted_update_options *options,
                int64_t ended_ms, struct hosted_update_result *ret, struct hosted_fault *fault)
{
    struct reboot r = {
        .device = device,
        .before = before,
        .image = image,
        .options = options,
        .fault = fault,
        .ended_ms = ended_ms,
        .deadline_ms = ended_ms + RESTART_DELAY_MS + (int64_t)options->reboot_timeout_s * 1000,
        .silence_left_ms = silence_wanted_ms(before),
        .relinked = options->reconnect == NULL,
    };
    int err;

    device->client.heard = NULL;
    err = wait_for_firmware(&r, ret);
    if (err < 0)
        device_forget(device);
    else
        device_keep(device);
    return err;
}
