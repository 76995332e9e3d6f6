/* SPDX-License-Identifier: Apache-2.0 */
/* esp-ota: firmware update of the ESP32, and what belongs to it. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "dry_run.h"
#include "fw_image.h"
#include "info.h"
#include "json.h"
#include "json_progress.h"
#include "monitor.h"
#include "text.h"
#include "trial.h"
#include "wifi.h"

static int print_result(const struct hosted_update_result *result)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "status", HOSTED_DONE);
    cJSON_AddBoolToObject(object, "answered", result->answered);
    cJSON_AddBoolToObject(object, "verified", result->verified);
    json_add_text(object, "version", result->version);
    cJSON_AddBoolToObject(object, "confirmed", result->confirmed);
    cJSON_AddBoolToObject(object, "protected",
                          result->confirmed && !result->unguarded && !result->trial_missed);
    cJSON_AddBoolToObject(object, "trial_missed", result->trial_missed);
    cJSON_AddNumberToObject(object, "sent_bytes", (double)result->sent_bytes);
    cJSON_AddNumberToObject(object, "kept_bytes", (double)result->kept_bytes);
    return json_print(object, HOSTED_DONE);
}

/* Who ships products flashes neither the same firmware again nor an old one by mistake. */
static void choose_policy(struct hosted_update_options *options)
{
    const bool forced = options->allow_bluetooth;

    if (!forced && options->version_policy == HOSTED_VERSION_ANY)
        options->version_policy = HOSTED_VERSION_NOT_OLDER;
}

static int update(struct cli_context *context)
{
    struct json_progress progress = {.quiet = context->options.quiet};
    struct hosted_update_result result = {0};
    struct hosted_fault fault;

    choose_policy(&context->options.update);
    if (context->options.dry_run)
        return dry_run(context);
    if (!context->options.json)
        return cli_update(context);
    if (cli_run_update(context, json_progress_report, &progress, &result, &fault) < 0)
        return json_fail(&fault);
    cli_warn_of_trial(context, &result);
    return print_result(&result);
}

static int print_image(const char *source, const struct hosted_image *image)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "status", HOSTED_DONE);
    json_add_image(object, source, image);
    return json_print(object, HOSTED_DONE);
}

static int verify(struct cli_context *context)
{
    char number[TEXT_NUMBER_BYTES], name[HOSTED_FAULT_TEXT_BYTES];
    struct hosted_source *source = NULL;
    struct hosted_image image;
    struct hosted_fault fault;
    int err = cli_interruptible(context, &fault);

    if (err == 0)
        err = cli_open_source(context, &source, &fault);
    if (err == 0)
        err = hosted_verify(source, &context->options.update, &image, &fault);
    if (err == 0 && context->options.json)
        print_image(source->name, &image);
    else if (err == 0 && !context->options.quiet)
        printf("%s: valid: %s, %s, %s bytes, %s%s\n",
               text_printable(name, sizeof(name), source->name, strlen(source->name)),
               fw_chip_name(image.chip_id), image.version, text_number(number, image.image_bytes),
               image.signature_ok      ? "digest and signature ok"
               : image.digest_appended ? "digest ok"
                                       : "checksum ok (no digest)",
               image.extension ? ", can be on trial" : "");
    hosted_source_close(source);
    if (err == 0)
        return HOSTED_DONE;
    return context->options.json ? json_fail(&fault) : cli_fail(context, &fault);
}

#define ASKS (CLI_DEVICE | CLI_JSON)

static const struct cli_command commands[] = {
    {"update", "SOURCE", ASKS | CLI_SOURCE | CLI_IMAGE | CLI_UPDATE | CLI_POLICY,
     "update the ESP32's firmware from a file, a URL, or '-', standard input", update, true},
    {"verify", "SOURCE", CLI_SOURCE | CLI_IMAGE | CLI_JSON, "check an image, without an ESP32",
     verify, false},
    {"info", NULL, ASKS, "who is behind the control device", info_run, false},
    {"confirm", "[VERSION]", ASKS, "end the trial of the firmware that runs", trial_confirm, true},
    {"rollback", NULL, ASKS | CLI_RESTART, "have the ESP32 go back to the firmware before this one",
     trial_rollback, true},
    {"wifi connect", "[SSID]", ASKS | CLI_STATION, "join a network and bring ethsta0 up",
     wifi_connect, true},
    {"wifi disconnect", NULL, ASKS, "leave it and take ethsta0 down", wifi_disconnect, true},
    {"wifi status", NULL, ASKS, "which access point the ESP32 is connected to", wifi_status, false},
    {"wifi scan", NULL, ASKS, "which access points are in reach", wifi_scan, false},
    {"monitor", NULL, ASKS | CLI_EVENTS, "show what the ESP32 says by itself, as it comes",
     monitor_run, false},
    {"completion", "SHELL", 0, "print the completion for bash, zsh or fish", cli_completion, false},
    {NULL, NULL, 0, NULL, NULL, false},
};

static const struct cli_program program = {
    .name = "esp-ota",
    .purpose = "Updates the firmware of an ESP32 that runs ESP-Hosted.",
    .commands = commands,
};

int main(int argc, char **argv)
{
    return cli_main(&program, argc, argv);
}
