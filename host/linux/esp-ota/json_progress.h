/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_OTA_JSON_PROGRESS_H
#define ESP_OTA_JSON_PROGRESS_H
/* The progress of an update as JSON: a line a stage, and about one a second while it writes. */
#include <stdbool.h>

#include "hosted/update.h"
#include "rate.h"

struct json_progress {
    bool quiet; /* says nothing */
    bool begun; /* the first stage */
    enum hosted_stage stage;
    double last_line_s;
    struct rate rate;
};

/* For hosted_update_options; `ctx` is the progress, all zero at first but for `quiet`. Never stops
 * the update. */
int json_progress_report(void *ctx, enum hosted_stage stage, const struct hosted_image *image,
                         uint64_t done, uint64_t total);

#endif
