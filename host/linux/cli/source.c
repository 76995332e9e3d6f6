/* SPDX-License-Identifier: Apache-2.0 */
/* The image that a command works on, and what the user demands of it. */
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "fault.h"
#include "hosted/sums.h"

static int find_sums(struct cli_context *context, struct hosted_fault *fault)
{
    struct cli_options *options = &context->options;

    if (!options->check_sums)
        return 0;
    if (options->update.sha256 != NULL)
        return fault_set(fault, HOSTED_USAGE, -EINVAL,
                         "--sha256 and --check-sums: only one of them");

    const int err = hosted_sums_find(context->argument, &options->source, options->sha256, fault);

    options->update.sha256 = options->sha256;
    return err;
}

int cli_open_source(struct cli_context *context, struct hosted_source **ret,
                    struct hosted_fault *fault)
{
    const struct cli_options *options = &context->options;
    struct hosted_source *source = NULL;
    int err = find_sums(context, fault);

    if (err == 0)
        err = hosted_source_open(context->argument, &options->source, &source, fault);
    if (err == 0 && options->download_first && !source->whole)
        err = hosted_source_store(source, &options->source, &source, fault);
    if (err == 0)
        *ret = source;
    return err;
}
