/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H
/*
 * The progress of an update on stdout: on a terminal the last line is rewritten, elsewhere there
 * is one line a stage, and one now and then while a long write goes on.
 */
#include <stdbool.h>

#include "hosted/update.h"
#include "rate.h"

struct progress {
    const struct hosted_device *device;   /* borrowed */
    char source[HOSTED_FAULT_TEXT_BYTES]; /* printable; without secrets */
    bool quiet;
    bool terminal;
    bool line_open; /* the cursor stands behind a line that is not ended */
    enum hosted_stage stage;
    double stage_start_s, last_draw_s;
    uint64_t done, total;
    uint64_t next_line; /* not on a terminal: bytes at which the next line is due */
    struct rate rate;   /* of the write, on a terminal */
};

void progress_init(struct progress *progress, const struct hosted_device *device,
                   const char *source, bool quiet);

/* For hosted_update_options; `ctx` is the progress. Never stops the update. */
int progress_report(void *ctx, enum hosted_stage stage, const struct hosted_image *image,
                    uint64_t done, uint64_t total);

/* After the update, before anything else is printed. */
void progress_end(struct progress *progress, bool succeeded);

#endif
