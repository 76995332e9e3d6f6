/* SPDX-License-Identifier: Apache-2.0 */
#include "info.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fw_image.h"
#include "json.h"
#include "names.h"
#include "text.h"

struct info {
    const char *path;
    enum hosted_dialect dialect;
    struct hosted_identity identity;
    char release[HOSTED_TEXT_BYTES];
    enum hosted_mode mode;
    char mac[HOSTED_MAC_CHARS + 1];
    bool connected;
    struct hosted_ap ap;
    bool has_slots;
    struct hosted_slots slots;
};

/* What a firmware does not answer, or refuses, is not known: no reason to say nothing at all. */
static bool is_fatal(int err, const struct hosted_fault *fault)
{
    return err < 0 && fault->status != HOSTED_REFUSED;
}

static int ask(struct hosted_device *device, struct info *info, struct hosted_fault *fault)
{
    int err = hosted_get_mode(device, &info->mode, &info->identity, fault);

    if (err == 0)
        err = hosted_get_version(device, info->release, fault);
    if (err < 0)
        return err;
    info->dialect = hosted_dialect(device);
    err = hosted_get_mac(device, HOSTED_MODE_STATION, info->mac, fault);
    if (is_fatal(err, fault))
        return err;
    err = hosted_get_ap(device, &info->ap, fault);
    info->connected = err == 0;
    if (is_fatal(err, fault))
        return err;
    err = hosted_get_status(device, &info->slots, fault);
    info->has_slots = err == 0;
    return is_fatal(err, fault) ? err : 0;
}

/* Text */

static void print_firmware(const struct info *info)
{
    const struct hosted_identity *identity = &info->identity;

    if (identity->known)
        printf("firmware   %s %s\n", identity->project, identity->version);
    else
        printf("firmware   %s\n", info->release[0] != '\0' ? info->release : "unknown");
}

static void print_extension(const struct hosted_identity *identity)
{
    static const char *const roll_back[] = {"not known yet whether it can", "cannot", "can"};
    char number[TEXT_NUMBER_BYTES];

    if (identity->known)
        printf("extension  yes: runs from %s, the next slot has %s bytes; boot loader: %s roll "
               "back\n",
               identity->running_slot, text_number(number, identity->slot_bytes),
               roll_back[identity->can_roll_back + 1]);
    else
        printf("extension  none (stock firmware)\n");
}

static const char *state_name(const struct hosted_slot *slot)
{
    static const char *const names[] = {
        [HOSTED_SLOT_NONE] = "no record",
        [HOSTED_SLOT_NEW] = "new",
        [HOSTED_SLOT_PENDING] = "on trial",
        [HOSTED_SLOT_VALID] = "valid",
        [HOSTED_SLOT_INVALID] = "rolled back",
        [HOSTED_SLOT_ABORTED] = "rolled back by the boot loader",
        [HOSTED_SLOT_UNDEFINED] = "without rollback",
    };
    const size_t state = (size_t)slot->state;

    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static void print_slot(const struct hosted_slot *slot)
{
    char number[TEXT_NUMBER_BYTES];

    printf("slot       %s: %s %s, %s, %s bytes%s%s%s\n", slot->label,
           slot->has_image ? slot->project : "no image", slot->has_image ? slot->version : "there",
           state_name(slot), text_number(number, slot->bytes), slot->running ? ", runs" : "",
           slot->boots_next ? ", boots next" : "", slot->update_next ? ", updated next" : "");
}

static void print_slots(const struct info *info)
{
    char number[TEXT_NUMBER_BYTES];

    if (!info->has_slots)
        return;
    for (size_t i = 0; i < info->slots.count; i++)
        print_slot(&info->slots.slots[i]);
    if (info->slots.session_next >= 0)
        printf("update     one is open, at %s bytes\n",
               text_number(number, (uint64_t)info->slots.session_next));
    if (info->slots.trial_left_s >= 0)
        printf("trial      goes back in %d s unless it is confirmed\n", info->slots.trial_left_s);
    else if (info->identity.on_trial)
        printf("trial      not confirmed yet\n");
}

static void print_ap(const struct info *info)
{
    char ssid[4 * HOSTED_SSID_BYTES + 1], bssid[4 * HOSTED_MAC_CHARS + 1];
    const struct hosted_ap *ap = &info->ap;

    if (!info->connected)
        printf("network    not connected\n");
    else
        printf("network    '%s' (%s), channel %d, %d dBm, %s\n",
               text_printable(ssid, sizeof(ssid), ap->ssid, ap->ssid_len),
               text_printable(bssid, sizeof(bssid), ap->bssid, strlen(ap->bssid)), ap->channel,
               ap->rssi, cli_encryption_name(ap->encryption));
}

static const char *chip_name(const struct hosted_identity *identity)
{
    const char *name = identity->known ? fw_chip_name(identity->chip_id) : NULL;

    return name != NULL ? name : "unknown";
}

static void print_text(const struct info *info)
{
    printf("device     %s\n", info->path);
    printf("dialect    %s\n", hosted_dialect_name(info->dialect));
    print_firmware(info);
    printf("chip       %s\n", chip_name(&info->identity));
    printf("mac        %s\n", info->mac[0] != '\0' ? info->mac : "unknown");
    printf("mode       %s\n", cli_mode_name(info->mode));
    print_ap(info);
    print_extension(&info->identity);
    print_slots(info);
}

/* JSON */

static void add_network(cJSON *object, const struct info *info)
{
    if (info->connected)
        json_add_ap(cJSON_AddObjectToObject(object, "network"), &info->ap);
    else
        cJSON_AddNullToObject(object, "network");
}

static void add_extension(cJSON *object, const struct hosted_identity *identity)
{
    if (!identity->known) {
        cJSON_AddNullToObject(object, "extension");
        return;
    }

    cJSON *extension = cJSON_AddObjectToObject(object, "extension");

    json_add_text(extension, "running_slot", identity->running_slot);
    cJSON_AddNumberToObject(extension, "slot_bytes", identity->slot_bytes);
    cJSON_AddNumberToObject(extension, "features", identity->features);
    if (identity->can_roll_back < 0)
        cJSON_AddNullToObject(extension, "can_roll_back");
    else
        cJSON_AddBoolToObject(extension, "can_roll_back", identity->can_roll_back);
    cJSON_AddBoolToObject(extension, "on_trial", identity->on_trial);
}

static cJSON *new_slot(const struct hosted_slot *slot)
{
    char elf[2 * sizeof(slot->elf_sha256) + 1];
    cJSON *object = cJSON_CreateObject();

    json_add_text(object, "label", slot->label);
    cJSON_AddNumberToObject(object, "bytes", slot->bytes);
    cJSON_AddBoolToObject(object, "running", slot->running);
    cJSON_AddBoolToObject(object, "boots_next", slot->boots_next);
    cJSON_AddBoolToObject(object, "update_next", slot->update_next);
    cJSON_AddStringToObject(object, "state", state_name(slot));
    json_add_text(object, "project", slot->project);
    json_add_text(object, "version", slot->version);
    json_add_number(object, "secure_version", slot->has_image ? (double)slot->secure_version : -1);
    json_add_text(object, "elf_sha256",
                  slot->has_image ? text_hex(elf, slot->elf_sha256, sizeof(slot->elf_sha256)) : "");
    return object;
}

static void add_slots(cJSON *object, const struct info *info)
{
    const struct hosted_slots *slots = &info->slots;

    if (!info->has_slots) {
        cJSON_AddNullToObject(object, "slots");
        cJSON_AddNullToObject(object, "update_at");
        cJSON_AddNullToObject(object, "trial_seconds_left");
        return;
    }

    cJSON *list = cJSON_AddArrayToObject(object, "slots");

    for (size_t i = 0; i < slots->count; i++)
        cJSON_AddItemToArray(list, new_slot(&slots->slots[i]));
    json_add_number(object, "update_at", (double)slots->session_next);
    json_add_number(object, "trial_seconds_left", slots->trial_left_s);
}

static void add_firmware(cJSON *object, const struct info *info)
{
    const struct hosted_identity *identity = &info->identity;

    json_add_text(object, "firmware", identity->known ? identity->project : "");
    json_add_text(object, "version", identity->known ? identity->version : info->release);
    json_add_text(object, "chip",
                  identity->known && fw_chip_name(identity->chip_id) != NULL
                      ? fw_chip_name(identity->chip_id)
                      : "");
}

static int print_json(const struct info *info)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "status", HOSTED_DONE);
    json_add_text(object, "device", info->path);
    cJSON_AddStringToObject(object, "dialect", hosted_dialect_name(info->dialect));
    add_firmware(object, info);
    json_add_text(object, "mac", info->mac);
    cJSON_AddStringToObject(object, "mode", cli_mode_name(info->mode));
    add_network(object, info);
    add_extension(object, &info->identity);
    add_slots(object, info);
    return json_print(object, HOSTED_DONE);
}

int info_run(struct cli_context *context)
{
    struct hosted_device *device = NULL;
    struct info info = {0};
    struct hosted_fault fault;
    char path[HOSTED_FAULT_TEXT_BYTES];
    int err = cli_interruptible(context, &fault);

    if (err == 0)
        err = cli_open(context, &device, &fault);
    if (err == 0) {
        info.path =
            text_printable(path, sizeof(path), hosted_path(device), strlen(hosted_path(device)));
        err = ask(device, &info, &fault);
    }
    cli_close(context, device);
    if (err < 0)
        return context->options.json ? json_fail(&fault) : cli_fail(context, &fault);
    if (context->options.json)
        return print_json(&info);
    print_text(&info);
    return HOSTED_DONE;
}
