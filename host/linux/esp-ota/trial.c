/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

static int open_device(struct cli_context *context, struct hosted_device **ret,
                       struct hosted_fault *fault)
{
    const int err = cli_interruptible(context, fault);

    return err < 0 ? err : cli_open(context, ret, fault);
}

static int fail(const struct cli_context *context, const struct hosted_fault *fault)
{
    return context->options.json ? json_fail(fault) : cli_fail(context, fault);
}

/* `text` is "confirmed" without JSON, and `version` goes behind it; NULL: nothing does. */
static int succeed(const struct cli_context *context, const char *text, const char *version)
{
    if (!context->options.json) {
        if (!context->options.quiet && version == NULL)
            printf("%s\n", text);
        else if (!context->options.quiet)
            printf("%s %s\n", text, *version != '\0' ? version : "a firmware that does not tell");
        return HOSTED_DONE;
    }

    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "status", HOSTED_DONE);
    json_add_text(object, "version", version != NULL ? version : "");
    return json_print(object, HOSTED_DONE);
}

int trial_confirm(struct cli_context *context)
{
    char version[sizeof(((struct hosted_identity *)NULL)->version)] = "";
    struct hosted_device *device = NULL;
    struct hosted_fault fault;
    int err = open_device(context, &device, &fault);

    if (err == 0)
        err = hosted_confirm(device, context->argument, &fault);
    if (err == 0)
        strcpy(version, hosted_identity(device)->version);
    cli_close(context, device);
    return err < 0 ? fail(context, &fault) : succeed(context, "confirmed", version);
}

int trial_rollback(struct cli_context *context)
{
    struct hosted_update_options options = context->options.update;
    struct hosted_update_result result = {0};
    struct hosted_device *device = NULL;
    struct hosted_fault fault;
    int err = cli_check_hook(context, &fault);

    if (err == 0)
        err = open_device(context, &device, &fault);
    if (context->options.reconnect_hook != NULL) {
        options.reconnect = cli_run_hook;
        options.reconnect_ctx = context;
    }
    if (err == 0)
        err = hosted_rollback(device, &options, &result, &fault);
    cli_close(context, device);
    if (err < 0)
        return fail(context, &fault);
    if (!result.answered)
        return succeed(context,
                       "the ESP32 restarts with the firmware before; whether it comes up was not "
                       "checked",
                       NULL);
    return succeed(context, "the ESP32 runs", result.version);
}
