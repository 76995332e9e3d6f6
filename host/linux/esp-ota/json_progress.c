/* SPDX-License-Identifier: Apache-2.0 */
#include "json_progress.h"

#include <string.h>

#include "fw_image.h"
#include "json.h"

#define INTERVAL_S 1.0

static const char *const stage_names[] = {
    [HOSTED_STAGE_CHECK] = "check",   [HOSTED_STAGE_BEGIN] = "begin",
    [HOSTED_STAGE_WRITE] = "write",   [HOSTED_STAGE_END] = "end",
    [HOSTED_STAGE_REBOOT] = "reboot",
};

static cJSON *new_event(const char *event, enum hosted_stage stage)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "event", event);
    cJSON_AddStringToObject(object, "stage", stage_names[stage]);
    return object;
}

/* What the image says of itself is known once it has been checked. */
static void add_image(cJSON *object, const struct hosted_image *image)
{
    const char *chip = fw_chip_name(image->chip_id);
    const bool whole = image->file_bytes != HOSTED_SIZE_UNKNOWN;

    json_add_text(object, "chip", chip != NULL ? chip : "");
    json_add_bytes(object, "project", image->project, strlen(image->project));
    json_add_bytes(object, "version", image->version, strlen(image->version));
    json_add_number(object, "file_bytes", whole ? (double)image->file_bytes : -1);
}

static void open_stage(struct json_progress *progress, enum hosted_stage stage,
                       const struct hosted_image *image)
{
    cJSON *object = new_event("stage", stage);

    if (stage == HOSTED_STAGE_BEGIN)
        add_image(object, image);
    json_print_event(object); /* that nobody reads it is no reason to stop an update */
    progress->begun = true;
    progress->stage = stage;
    progress->last_line_s = rate_clock_s();
    rate_start(&progress->rate, progress->last_line_s);
}

static void print_write(struct json_progress *progress, uint64_t done, uint64_t total)
{
    const double bytes_per_s = rate_bytes_per_s(&progress->rate);
    const double left_s = total > 0 ? rate_left_s(&progress->rate, total) : -1;
    cJSON *object = new_event("progress", HOSTED_STAGE_WRITE);

    cJSON_AddNumberToObject(object, "done", (double)done);
    json_add_number(object, "total", total > 0 ? (double)total : -1);
    cJSON_AddNumberToObject(object, "bytes_per_second", (double)(uint64_t)bytes_per_s);
    json_add_number(object, "seconds_left", left_s < 0 ? -1 : (double)(uint64_t)(left_s + 0.5));
    json_print_event(object);
}

int json_progress_report(void *ctx, enum hosted_stage stage, const struct hosted_image *image,
                         uint64_t done, uint64_t total)
{
    struct json_progress *progress = ctx;

    if (progress->quiet)
        return 0;
    if (!progress->begun || stage != progress->stage)
        open_stage(progress, stage, image);
    if (stage != HOSTED_STAGE_WRITE)
        return 0;

    const double now = rate_clock_s();

    rate_add(&progress->rate, now, done);
    if (now - progress->last_line_s >= INTERVAL_S) {
        progress->last_line_s = now;
        print_write(progress, done, total);
    }
    return 0;
}
