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
