/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli.h"
#include "fault.h"
#include "progress.h"

static int update_from(struct cli_context *context, struct hosted_device *device,
                       struct hosted_source *source, struct hosted_fault *fault)
{
    struct hosted_update_options options = context->options.update;
    struct progress progress;

    progress_init(&progress, device, source->name, context->options.quiet);
    options.progress = progress_report;
    options.progress_ctx = &progress;

    const int err = hosted_update(device, source, &options, fault);

    progress_end(&progress, err == 0);
    return err;
}

int cli_update(struct cli_context *context)
{
    struct hosted_options *options = &context->options.device;
    struct hosted_device *device = NULL;
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    int err = cli_catch_signals(&options->cancel, &fault);

    /* The device first: who finds it busy need not fetch the image. */
    if (err == 0)
        err = cli_open(context, &device, &fault);
    if (err == 0)
        err = hosted_source_open(context->argument, options->cancel, &source, &fault);
    if (err == 0)
        err = update_from(context, device, source, &fault);
    if (err < 0 && source == NULL)
        fault_add(&fault, "; nothing was erased");
    hosted_source_close(source);
    hosted_close(device);
    if (err < 0)
        return cli_fail(context, &fault);
    if (!context->options.quiet)
        printf("done    the ESP32 has selected the image and restarts in 5 s; whether it comes up "
               "was not checked\n");
    return HOSTED_DONE;
}
