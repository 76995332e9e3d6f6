/* SPDX-License-Identifier: Apache-2.0 */
#include "dry_run.h"

#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "hosted/session.h"
#include "json.h"
#include "names.h"
#include "text.h"

struct dry_run {
    struct cli_context *context;
    struct hosted_device *device; /* NULL: it could not be opened */
    struct hosted_source *source;
    struct hosted_image image; /* as far as it was read */
    bool image_known;
    bool objected;
    struct hosted_fault first; /* objection */
};

static void object(void *ctx, const struct hosted_fault *reason)
{
    struct dry_run *run = ctx;
    struct hosted_fault with_hint = *reason;

    cli_add_hint(run->context, &with_hint);
    if (!run->objected)
        run->first = with_hint;
    run->objected = true;
    if (run->context->options.quiet)
        return;
    if (run->context->options.json)
        json_print_objection(&with_hint);
    else
        printf("against %s\n", with_hint.text);
}

/* What the image says of itself is to be told, whatever else is wrong with it. */
static int watch(void *ctx, enum hosted_stage stage, const struct hosted_image *image,
                 uint64_t done, uint64_t total)
{
    struct dry_run *run = ctx;

    (void)stage, (void)done, (void)total;
    run->image = *image;
    run->image_known = true;
    return 0;
}

static void print_subjects(const struct dry_run *run)
{
    const struct hosted_identity *identity =
        run->device != NULL ? hosted_identity(run->device) : &(struct hosted_identity){0};

    char name[HOSTED_FAULT_TEXT_BYTES];

    if (run->image_known)
        printf("image   %s: %s, %s %s\n",
               text_printable(name, sizeof(name), run->source->name, strlen(run->source->name)),
               cli_chip_name(run->image.chip_id), run->image.project, run->image.version);
    if (identity->known)
        printf("device  %s: %s, running %s from %s\n", hosted_path(run->device),
               cli_chip_name(identity->chip_id), identity->version, identity->running_slot);
    else if (run->device != NULL)
        printf("device  %s: dialect %s, does not tell its chip\n", hosted_path(run->device),
               hosted_dialect_name(hosted_dialect(run->device)));
}

static void print_plan(const struct dry_run *run)
{
    const struct hosted_update_options *options = &run->context->options.update;
    const uint64_t bytes = run->image.file_bytes;
    const uint64_t writes = (bytes + HOSTED_CHUNK_BYTES - 1) / HOSTED_CHUNK_BYTES;
    char number[TEXT_NUMBER_BYTES], messages[TEXT_NUMBER_BYTES];

    printf("would   have the ESP32 erase its other slot, and write %s bytes in %s message%s\n",
           text_number(number, bytes), text_number(messages, writes), writes == 1 ? "" : "s");
    printf("would   have the ESP32 verify and select the image, and restart 5 s later\n");
    if (options->reboot_timeout_s > 0)
        printf("would   wait at most %u s for the new firmware to answer\n",
               options->reboot_timeout_s);
    printf("done    nothing speaks against it; nothing was changed\n");
}

static int print_json(const struct dry_run *run)
{
    cJSON *result = cJSON_CreateObject();

    cJSON_AddNumberToObject(result, "status", HOSTED_DONE);
    cJSON_AddBoolToObject(result, "dry_run", true);
    json_add_image(result, run->source->name, &run->image);
    return json_print(result, HOSTED_DONE);
}

static int conclude(const struct dry_run *run)
{
    const struct cli_options *options = &run->context->options;

    if (run->objected)
        return options->json ? json_fail(&run->first) : cli_fail(run->context, &run->first);
    if (options->json)
        return print_json(run);
    if (!options->quiet)
        print_plan(run);
    return HOSTED_DONE;
}

/* A device that cannot be opened is one more reason, and the image is looked at all the same. */
static int check(struct dry_run *run, struct hosted_fault *fault)
{
    struct cli_options *options = &run->context->options;
    int err = cli_interruptible(run->context, fault);

    if (err < 0)
        return err;
    if (cli_check_hook(run->context, fault) < 0 || cli_open(run->context, &run->device, fault) < 0)
        object(run, fault);
    err = cli_open_source(run->context, &run->source, fault);
    if (err < 0) {
        object(run, fault);
        return 0;
    }
    options->update.progress = watch;
    options->update.progress_ctx = run;
    err = hosted_update_check(run->device, run->source, &options->update, object, run, &run->image,
                              fault);
    if (!options->json && !options->quiet)
        print_subjects(run);
    return err < 0 && !run->objected ? err : 0; /* interrupted */
}

int dry_run(struct cli_context *context)
{
    struct dry_run run = {.context = context};
    struct hosted_fault fault;
    int status;

    if (check(&run, &fault) < 0)
        status = context->options.json ? json_fail(&fault) : cli_fail(context, &fault);
    else
        status = conclude(&run);
    hosted_source_close(run.source);
    cli_close(context, run.device);
    return status;
}
