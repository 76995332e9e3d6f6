/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli.h"

static void print_log(void *ctx, const char *line)
{
    const struct cli_context *context = ctx;

    fprintf(stderr, "%s: %s\n", context->program->name, line);
}

int cli_open(struct cli_context *context, struct hosted_device **ret, struct hosted_fault *fault)
{
    struct hosted_options *options = &context->options.device;

    if (context->options.verbose) {
        options->log = print_log;
        options->log_ctx = context;
    }
    return hosted_open(options, ret, fault);
}
