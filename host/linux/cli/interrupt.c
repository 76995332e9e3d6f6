/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stddef.h>

#include "cli.h"
#include "fault.h"

static struct hosted_cancel *interrupt; /* lives as long as the process, as the handler does */

static void on_signal(int number)
{
    if (hosted_cancel_requested(interrupt)) {
        signal(number, SIG_DFL);
        raise(number); /* takes effect once this handler has returned */
    }
    hosted_cancel_request(interrupt);
}

int cli_catch_signals(struct hosted_cancel **ret, struct hosted_fault *fault)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    if (interrupt == NULL) {
        const int err = hosted_cancel_new(&interrupt);

        if (err < 0)
            return fault_errno(fault, HOSTED_LOCAL, err, "signals");
    }

    struct sigaction action = {.sa_handler = on_signal};

    /* One after the other: of two at once the second one is to end the process. */
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(&action.sa_mask, numbers[i]);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction old;

        /* nohup and the shell's "&" ask for signals to be ignored. */
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
    /* A reader of the progress that goes away must not break an update off. */
    signal(SIGPIPE, SIG_IGN);
    *ret = interrupt;
    return 0;
}

int cli_interruptible(struct cli_context *context, struct hosted_fault *fault)
{
    struct cli_options *options = &context->options;
    const int err = cli_catch_signals(&options->device.cancel, fault);

    options->source.cancel = options->device.cancel;
    if (options->verbose) {
        options->source.log = cli_log;
        options->source.log_ctx = context;
    }
    return err;
}
