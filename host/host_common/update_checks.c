/* SPDX-License-Identifier: Apache-2.0 */
/* What can speak against an update before the ESP32 is told to prepare its slot. */
#include <errno.h>
#include <string.h>

#include "bluetooth.h"
#include "device_internal.h"
#include "fault.h"
#include "release.h"
#include "update_internal.h"
#include "version.h"

int update_object(struct update *update, int err)
{
    if (err >= 0 || err == -ECANCELED || update->objection == NULL)
        return err;
    update->fault->error = err;
    update->objection(update->objection_ctx, update->fault);
    if (update->first_error == 0) {
        update->first_error = err;
        update->first_fault = *update->fault;
    }
    return 0;
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
int update_check_fit(struct update *update)
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
static int check_release(struct update *update)
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
    fault_set(update->fault, HOSTED_IMAGE, -EXDEV,
              "%s: this is release %s and the ESP32 runs %s: the kernel driver would refuse it at "
              "its start, and no way would be left to update it again, unless the driver of that "
              "release is installed with it",
              update->source->name, update->image.version,
              *runs != '\0' ? runs : "one that it does not tell");
    return fault_hint(update->fault, HOSTED_HINT_ALLOW_RELEASE_CHANGE, -EXDEV);
}

/* The version that runs, where it is one of the same firmware as the image; else NULL. */
static const char *comparable_version(const struct update *update)
{
    const struct hosted_identity *identity = &update->device->identity;
    struct release release;

    if (identity->known)
        return strcmp(identity->project, update->image.project) == 0 ? identity->version : NULL;
    return release_parse(update->image.version, &release) && *update->device->release != '\0'
               ? update->device->release
               : NULL;
}

static int check_version(struct update *update)
{
    const enum hosted_version_policy policy = update->options->version_policy;
    const char *runs = comparable_version(update), *new = update->image.version;
    const char *name = update->source->name;
    int order = 0;

    if (policy == HOSTED_VERSION_ANY)
        return 0;
    /* Of upstream's firmware every build of a release has the same name: that proves nothing. */
    if (runs == update->device->identity.version && strcmp(runs, new) == 0)
        return fault_set(update->fault, HOSTED_NOTHING, -EALREADY, "%s: the ESP32 runs %s already",
                         name, runs);
    if (policy == HOSTED_VERSION_OTHER)
        return 0;
    if (runs == NULL || version_compare(new, runs, &order) < 0) {
        if (policy != HOSTED_VERSION_NEWER)
            return 0;
        return fault_set(update->fault, HOSTED_IMAGE, -EINVAL,
                         "%s: whether %s is newer than what the ESP32 runs (%s) cannot be told",
                         name, new, runs != NULL ? runs : "it does not say");
    }
    if (order > 0)
        return 0;
    if (policy == HOSTED_VERSION_NEWER)
        return fault_set(update->fault, HOSTED_NOTHING, -EALREADY,
                         "%s: %s is not newer than %s, which the ESP32 runs", name, new, runs);
    if (order == 0)
        return 0;
    fault_set(update->fault, HOSTED_IMAGE, -EPERM, "%s: %s is older than %s, which the ESP32 runs",
              name, new, runs);
    return fault_hint(update->fault, HOSTED_HINT_ALLOW_DOWNGRADE, -EPERM);
}

/* Bluetooth shares the bus with the update: the specification has it stopped first. */
static int check_bluetooth(struct update *update)
{
    if (update->options->allow_bluetooth || !update->device->link->kernel_driver)
        return 0;
    return bluetooth_check(update->device->path, update->fault);
}

const struct hosted_identity *update_identity(const struct update *update)
{
    return update->begun.known ? &update->begun : &update->device->identity;
}

bool update_has_trial(const struct update *update)
{
    const struct hosted_identity *identity = update_identity(update);

    return !update->options->no_trial && identity->known && identity->features & HOSTED_CAN_TRIAL;
}

/* A firmware that knows nothing of a trial is rolled back however well it runs: by the boot loader
 * at its next start. */
int update_check_marker(struct update *update)
{
    if (update->image.extension || !update_has_trial(update) ||
        update_identity(update)->can_roll_back == 0)
        return 0;
    fault_set(
        update->fault, HOSTED_IMAGE, -EPERM,
        "%s: it has no marker of ota_device: it would not confirm itself, and the ESP32 would "
        "go back to %s at its next start",
        update->source->name, update_identity(update)->version);
    return fault_hint(update->fault, HOSTED_HINT_NO_TRIAL, -EPERM);
}

/* Of a stream the end is seen later. */
static int check_marker(struct update *update)
{
    const bool whole = update->source->whole || update->at_end;

    return whole ? update_check_marker(update) : 0;
}

static bool is_same_build(const struct update *update, const struct hosted_slot *slot)
{
    return slot->has_image && strcmp(slot->project, update->image.project) == 0 &&
           strcmp(slot->version, update->image.version) == 0 &&
           memcmp(slot->elf_sha256, update->info.elf_sha256, sizeof(slot->elf_sha256)) == 0;
}

/* A slot, that of the next update or another, still holds it as what the ESP32 has gone back from.
 */
static int check_rolled_back(struct update *update)
{
    struct hosted_slots slots;
    int err;

    if (update->options->allow_rolled_back || !extended_can(update->device, HOSTED_CAN_SESSION))
        return 0;
    err = extended_status(update->device, &slots, update->fault);
    for (size_t i = 0; err == 0 && i < slots.count; i++) {
        const struct hosted_slot *slot = &slots.slots[i];

        if ((slot->state != HOSTED_SLOT_INVALID && slot->state != HOSTED_SLOT_ABORTED) ||
            !is_same_build(update, slot))
            continue;
        fault_set(update->fault, HOSTED_IMAGE, -EPERM,
                  "%s: this image was rolled back: the ESP32 has tried %s before and gone back to "
                  "%s",
                  update->source->name, slot->version, update->device->identity.version);
        return fault_hint(update->fault, HOSTED_HINT_ALLOW_ROLLED_BACK, -EPERM);
    }
    return err;
}

int update_judge(struct update *update)
{
    static int (*const checks[])(struct update *update) = {
        update_check_fit, ask_release,       check_release, check_version,
        check_bluetooth,  check_rolled_back, check_marker,
    };
    int err = 0;

    for (size_t i = 0; err == 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
        err = update_object(update, checks[i](update));
    return err;
}
