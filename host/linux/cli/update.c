/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli.h"
#include "fault.h"
#include "progress.h"

static int update_from(struct cli_context *context, struct hosted_device *device,
                       struct hosted_source *source, struct hosted_update_result *ret,
                       struct hosted_fault *fault)
{
    struct hosted_update_options options = context->options.update;
    struct progress progress;

    progress_init(&progress, device, source->name, context->options.quiet || context->options.json);
    options.progress = progress_report;
    options.progress_ctx = &progress;
    if (context->options.reconnect_hook != NULL) {
        options.reconnect = cli_run_hook;
        options.reconnect_ctx = context;
    }

    const int err = hosted_update(device, source, &options, ret, fault);

    progress_end(&progress, err == 0);
    return err;
}

int cli_run_update(struct cli_context *context, struct hosted_update_result *ret,
                   struct hosted_fault *fault)
{
    struct hosted_device *device = NULL;
    struct hosted_source *source = NULL;
    int err = cli_check_hook(context, fault);

    if (err == 0)
        err = cli_interruptible(context, fault);
    /* The device first: who finds it busy need not fetch the image. */
    if (err == 0)
        err = cli_open(context, &device, fault);
    if (err == 0)
        err = hosted_source_open(context->argument, &context->options.source, &source, fault);
    if (err == 0)
        err = update_from(context, device, source, ret, fault);
    if (err < 0 && source == NULL)
        fault_add(fault, "; nothing was erased");
    hosted_source_close(source);
    cli_close(context, device);
    return err;
}

static void print_result(const struct hosted_update_result *result)
{
    if (!result->answered)
        printf("done    the ESP32 has selected the image and restarts in 5 s; whether it comes up "
               "was not checked\n");
    else if (result->verified)
        printf("done    the ESP32 runs %s\n", result->version);
    else
        printf("done    the ESP32 answers; version not provable\n");
}

int cli_update(struct cli_context *context)
{
    struct hosted_update_result result = {0};
    struct hosted_fault fault;

    if (cli_run_update(context, &result, &fault) < 0)
        return cli_fail(context, &fault);
    if (!context->options.quiet)
        print_result(&result);
    return HOSTED_DONE;
}
