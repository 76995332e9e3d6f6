/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fw_image.h"
#include "names.h"
#include "text.h"

void json_add_text(cJSON *object, const char *name, const char *text)
{
    if (*text == '\0')
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddStringToObject(object, name, text);
}

void json_add_bytes(cJSON *object, const char *name, const char *bytes, size_t len)
{
    char text[4 * HOSTED_FAULT_TEXT_BYTES];

    json_add_text(object, name, text_printable(text, sizeof(text), bytes, len));
}

void json_add_number(cJSON *object, const char *name, double number)
{
    if (number < 0)
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddNumberToObject(object, name, number);
}

void json_add_ap(cJSON *object, const struct hosted_ap *ap)
{
    char ssid[4 * HOSTED_SSID_BYTES + 1];

    /* A hidden network has a name too: "". */
    cJSON_AddStringToObject(object, "ssid",
                            text_printable(ssid, sizeof(ssid), ap->ssid, ap->ssid_len));
    json_add_bytes(object, "bssid", ap->bssid, strlen(ap->bssid));
    cJSON_AddNumberToObject(object, "channel", ap->channel);
    cJSON_AddNumberToObject(object, "rssi", ap->rssi);
    cJSON_AddStringToObject(object, "encryption", cli_encryption_name(ap->encryption));
}

void json_add_image(cJSON *object, const char *source, const struct hosted_image *image)
{
    const char *chip = fw_chip_name(image->chip_id);
    char sha256[2 * sizeof(image->sha256) + 1];

    json_add_bytes(object, "image", source, strlen(source));
    json_add_text(object, "chip", chip != NULL ? chip : "");
    json_add_text(object, "project", image->project);
    json_add_text(object, "version", image->version);
    cJSON_AddNumberToObject(object, "image_bytes", (double)image->image_bytes);
    cJSON_AddNumberToObject(object, "file_bytes", (double)image->file_bytes);
    cJSON_AddBoolToObject(object, "digest", image->digest_appended);
    cJSON_AddBoolToObject(object, "signature", image->signature_ok);
    cJSON_AddBoolToObject(object, "extension", image->extension);
    cJSON_AddStringToObject(object, "sha256",
                            text_hex(sha256, image->sha256, sizeof(image->sha256)));
}

/* The object as a line; ends it. False without memory. */
static bool put(cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);

    cJSON_Delete(object);
    if (text == NULL)
        return false;
    puts(text);
    cJSON_free(text);
    return true;
}

int json_print(cJSON *object, int status)
{
    if (put(object))
        return status;
    fputs("esp-ota: no memory for the result\n", stderr);
    return HOSTED_LOCAL;
}

int json_print_event(cJSON *object)
{
    if (!put(object))
        return -ENOMEM;
    return fflush(stdout) == 0 ? 0 : -errno;
}

static const char *error_name(enum hosted_status status)
{
    static const char *const names[] = {
        [HOSTED_DONE] = "none",     [HOSTED_LOCAL] = "local",         [HOSTED_USAGE] = "usage",
        [HOSTED_IMAGE] = "image",   [HOSTED_NO_ANSWER] = "no_answer", [HOSTED_REFUSED] = "refused",
        [HOSTED_NOT_UP] = "not_up", [HOSTED_BUSY] = "busy",           [HOSTED_NOTHING] = "nothing",
    };

    return names[status];
}

int json_fail(const struct hosted_fault *fault)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "status", fault->status);
    cJSON_AddStringToObject(object, "error", error_name(fault->status));
    json_add_text(object, "message", fault->text);
    if (fault->device_code != 0) /* of stock firmware it is negative */
        cJSON_AddNumberToObject(object, "device_code", fault->device_code);
    else
        cJSON_AddNullToObject(object, "device_code");
    return json_print(object, (int)fault->status);
}

void json_print_objection(const struct hosted_fault *fault)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "event", "objection");
    cJSON_AddStringToObject(object, "error", error_name(fault->status));
    json_add_text(object, "message", fault->text);
    json_print_event(object);
}
