/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli.h"

void cli_log(void *ctx, const char *line)
{
    const struct cli_context *context = ctx;

    fprintf(stderr, "%s: %s\n", context->program->name, line);
}

int cli_open(struct cli_context *context, struct hosted_device **ret, struct hosted_fault *fault)
{
    struct hosted_options *options = &context->options.device;

    if (context->options.verbose) {
        options->log = cli_log;
        options->log_ctx = context;
    }
    return hosted_open(options, ret, fault);
}

void cli_close(const struct cli_context *context, struct hosted_device *device)
{
    const struct hosted_counters *dropped = device != NULL ? hosted_counters(device) : NULL;

    if (context->options.verbose && dropped != NULL && dropped->messages + dropped->bytes > 0)
        fprintf(stderr, "%s: dropped in all: %llu messages, %llu bytes that were none\n",
                context->program->name, (unsigned long long)dropped->messages,
                (unsigned long long)dropped->bytes);
    hosted_close(device);
}
