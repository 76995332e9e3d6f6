/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "fault.h"
#include "inhibit.h"
#include "progress.h"
#include "text.h"

/* Where the progress goes to. */
struct watcher {
    cli_progress *progress; /* NULL: to stdout, as text */
    void *ctx;
};

/* The lock of cli_inhibit(), or -1: a host without it is updated all the same. */
static int inhibit(const struct cli_context *context)
{
    const char *name = context->program->name;
    const int lock = cli_inhibit(name, context->options.device.cancel);

    if (lock < 0 && context->options.verbose)
        fprintf(stderr, "%s: suspend and shutdown are not inhibited: %s\n", name, strerror(-lock));
    return lock < 0 ? -1 : lock;
}

static int update_from(struct cli_context *context, const struct watcher *watcher,
                       struct hosted_device *device, struct hosted_source *source,
                       struct hosted_update_result *ret, struct hosted_fault *fault)
{
    struct hosted_update_options options = context->options.update;
    const bool text = watcher->progress == NULL;
    struct progress progress;

    if (text)
        progress_init(&progress, device, source->name, context->options.quiet);
    options.progress = text ? progress_report : watcher->progress;
    options.progress_ctx = text ? &progress : watcher->ctx;
    if (context->options.reconnect_hook != NULL) {
        options.reconnect = cli_run_hook;
        options.reconnect_ctx = context;
    }

    const int lock = inhibit(context);
    const int err = hosted_update(device, source, &options, ret, fault);

    if (lock >= 0)
        close(lock);
    if (text)
        progress_end(&progress, err == 0);
    return err;
}

void cli_add_hint(const struct cli_context *context, struct hosted_fault *fault)
{
    static const struct {
        const char *option;
        const char *words;
    } hints[] = {
        [HOSTED_HINT_NONE] = {"", ""},
        [HOSTED_HINT_ALLOW_DOWNGRADE] = {"allow-downgrade",
                                         "; --allow-downgrade installs it all the same"},
        [HOSTED_HINT_ALLOW_RELEASE_CHANGE] = {"allow-release-change",
                                              "; --allow-release-change says that it is"},
        [HOSTED_HINT_ALLOW_BLUETOOTH] = {"force", "; --force does not look at that"},
        [HOSTED_HINT_ALLOW_ROLLED_BACK] = {"force", "; --force tries it again"},
        [HOSTED_HINT_NO_TRIAL] = {"no-trial", "; --no-trial installs it without a way back"},
        [HOSTED_HINT_CLEAR_SESSION] =
            {"clear-session", "; or --clear-session ends it, after which a complete old image may "
                              "boot"},
    };

    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++)
        if (strcmp(option->name, hints[fault->hint].option) == 0 &&
            cli_takes(context->program, context->command, option))
            fault_add(fault, "%s", hints[fault->hint].words);
}

int cli_run_update(struct cli_context *context, cli_progress *progress, void *progress_ctx,
                   struct hosted_update_result *ret, struct hosted_fault *fault)
{
    const struct watcher watcher = {progress, progress_ctx};
    struct hosted_device *device = NULL;
    struct hosted_source *source = NULL;
    int err = cli_check_hook(context, fault);

    if (err == 0)
        err = cli_interruptible(context, fault);
    /* The device first: who finds it busy need not fetch the image. */
    if (err == 0)
        err = cli_open(context, &device, fault);
    if (err == 0)
        err = cli_open_source(context, &source, fault);
    if (err == 0)
        err = update_from(context, &watcher, device, source, ret, fault);
    if (err < 0 && source == NULL)
        fault_add(fault, "; nothing was erased");
    if (err < 0)
        cli_add_hint(context, fault);
    hosted_source_close(source);
    cli_close(context, device);
    return err;
}

static void print_kept(const struct hosted_update_result *result)
{
    char sent[TEXT_NUMBER_BYTES], kept[TEXT_NUMBER_BYTES];

    if (result->kept_bytes > 0)
        printf("kept    %s bytes that the slot had already; %s were sent\n",
               text_number(kept, result->kept_bytes), text_number(sent, result->sent_bytes));
}

static void print_result(const struct hosted_update_result *result)
{
    const bool colour = cli_has_colour(stdout);

    printf("%sdone%s    ", colour ? "\x1b[32m" : "", colour ? "\x1b[0m" : "");
    if (!result->answered)
        printf("the ESP32 has selected the image and restarts in 5 s; whether it comes up was not "
               "checked\n");
    else if (result->verified)
        printf("the ESP32 runs %s\n", result->version);
    else
        printf("the ESP32 answers; version not provable\n");
}

void cli_warn_of_trial(const struct cli_context *context, const struct hosted_update_result *result)
{
    if (context->options.quiet)
        return;
    if (result->trial_missed)
        fprintf(stderr,
                "%s: the trial did not take place: the new firmware runs and stays, by its first "
                "answer alone\n",
                context->program->name);
    if (result->unguarded)
        fprintf(stderr,
                "%s: the boot loader knows no rollback: only the new firmware's own timer would "
                "have gone back\n",
                context->program->name);
}

int cli_update(struct cli_context *context)
{
    struct hosted_update_result result = {0};
    struct hosted_fault fault;

    if (cli_run_update(context, NULL, NULL, &result, &fault) < 0)
        return cli_fail(context, &fault);
    cli_warn_of_trial(context, &result);
    if (!context->options.quiet) {
        print_kept(&result);
        print_result(&result);
    }
    return HOSTED_DONE;
}
