/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "fw_image.h"
#include "text.h"

#define DRAW_INTERVAL_S 0.1
#define BAR_CELLS       26
#define NARROW_COLUMNS  76 /* below, there is no room for the bar */

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_init(struct progress *progress, const struct hosted_device *device,
                   const char *source, bool quiet)
{
    const char *term = getenv("TERM");
    struct winsize size;

    *progress = (struct progress){
        .device = device,
        .source = source,
        .quiet = quiet,
        .terminal = isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0,
        .width = 80,
    };
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        progress->width = size.ws_col;
}

/* One line that stays, in place of an open one. */
__attribute__((format(printf, 2, 3))) static void print_line(struct progress *progress,
                                                             const char *format, ...)
{
    va_list args;

    if (progress->quiet)
        return;
    va_start(args, format);
    const int columns = vprintf(format, args);
    va_end(args);
    if (columns < progress->shown)
        printf("%*s", progress->shown - columns, "");
    putchar('\n');
    fflush(stdout);
    progress->line_open = false;
    progress->shown = 0;
}

/* One line that the next one will take the place of; for terminals alone. */
__attribute__((format(printf, 2, 3))) static void draw_line(struct progress *progress,
                                                            const char *format, ...)
{
    char line[160];
    va_list args;

    if (progress->quiet || !progress->terminal)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);

    /* The last column stays free: some terminals would go on to the next line. */
    const int columns = (int)strnlen(line, (size_t)(progress->width - 1));

    printf("%.*s%*s\r", columns, line, columns < progress->shown ? progress->shown - columns : 0,
           "");
    fflush(stdout);
    progress->line_open = true;
    progress->shown = columns;
}

static const char *chip_name(uint16_t chip_id)
{
    const char *name = fw_chip_name(chip_id);

    return name != NULL ? name : "unknown chip";
}

static void print_image(struct progress *progress, const struct hosted_image *image)
{
    char number[TEXT_NUMBER_BYTES], version[4 * sizeof(image->version)];
    const bool whole = image->image_bytes > 0;
    const uint64_t bytes = image->file_bytes;

    text_printable(version, sizeof(version), image->version, strlen(image->version));
    if (bytes != HOSTED_SIZE_UNKNOWN)
        print_line(progress, "image   %s: %s, %s, %s bytes, %s", progress->source,
                   chip_name(image->chip_id), version, text_number(number, bytes),
                   !whole                   ? "checked on its way"
                   : image->digest_appended ? "digest ok"
                                            : "checksum ok (no digest)");
    else
        print_line(progress, "image   %s: %s, %s, checked on its way", progress->source,
                   chip_name(image->chip_id), version);
}

static void print_device(struct progress *progress)
{
    const struct hosted_identity *identity = hosted_identity(progress->device);
    const char *path = hosted_path(progress->device);

    if (identity->known)
        print_line(progress, "device  %s: %s, running %s from %s", path,
                   chip_name(identity->chip_id), identity->version, identity->running_slot);
    else
        print_line(progress, "device  %s: dialect %s, does not tell its chip", path,
                   hosted_dialect_name(hosted_dialect(progress->device)));
}

static void draw_write(struct progress *progress, double now)
{
    const double elapsed = now - progress->stage_start_s;
    const double rate = elapsed > 0 ? (double)progress->done / elapsed : 0;
    const unsigned long long done_kib = progress->done / 1024, total_kib = progress->total / 1024;
    char bar[BAR_CELLS + 1];

    progress->last_draw_s = now;
    if (progress->total == 0) {
        draw_line(progress, "write   %llu KiB  %.0f KiB/s", done_kib, rate / 1024);
        return;
    }

    const size_t cells = (size_t)(progress->done * BAR_CELLS / progress->total);
    const double left_s = rate > 0 ? (double)(progress->total - progress->done) / rate : 0;
    const unsigned percent = (unsigned)(progress->done * 100 / progress->total);

    memset(bar, '-', BAR_CELLS);
    memset(bar, '#', cells < BAR_CELLS ? cells : BAR_CELLS);
    bar[BAR_CELLS] = '\0';
    if (progress->width < NARROW_COLUMNS)
        draw_line(progress, "write   %3u %%  %llu of %llu KiB", percent, done_kib, total_kib);
    else
        draw_line(progress, "write   [%s] %3u %%  %llu of %llu KiB  %.0f KiB/s  %.0f s left", bar,
                  percent, done_kib, total_kib, rate / 1024, left_s);
}

/* The line that stays of a stage that has succeeded. */
static void close_stage(struct progress *progress, double now)
{
    const double took_s = now - progress->stage_start_s;
    char number[TEXT_NUMBER_BYTES];

    switch (progress->stage) {
    case HOSTED_STAGE_CHECK:
        break;
    case HOSTED_STAGE_BEGIN:
        print_line(progress, "begin   the slot is prepared, %.1f s", took_s);
        break;
    case HOSTED_STAGE_WRITE:
        print_line(progress, "write   %s bytes, %.1f s, %.0f KiB/s",
                   text_number(number, progress->done), took_s,
                   took_s > 0 ? (double)progress->done / 1024 / took_s : 0.0);
        break;
    case HOSTED_STAGE_END:
        print_line(progress, "end     the ESP32 has verified the image, %.1f s", took_s);
        break;
    case HOSTED_STAGE_REBOOT:
        print_line(progress, "reboot  the ESP32 answers again, %.1f s", took_s);
        break;
    }
}

/* A line that stays where lines cannot be rewritten: it may be the last one for a minute. */
static void print_reboot(struct progress *progress)
{
    static const char text[] =
        "reboot  the ESP32 restarts in 5 s, waiting for its new firmware ...";

    if (progress->terminal)
        draw_line(progress, "%s", text);
    else
        print_line(progress, "%s", text);
}

static void open_stage(struct progress *progress, enum hosted_stage stage,
                       const struct hosted_image *image, double now)
{
    progress->stage = stage;
    progress->stage_start_s = now;
    if (stage == HOSTED_STAGE_BEGIN) {
        print_image(progress, image);
        print_device(progress);
        draw_line(progress, "begin   the ESP32 prepares its slot ...");
    }
    if (stage == HOSTED_STAGE_END)
        draw_line(progress, "end     the ESP32 verifies the image ...");
    if (stage == HOSTED_STAGE_REBOOT)
        print_reboot(progress);
}

int progress_report(void *ctx, enum hosted_stage stage, const struct hosted_image *image,
                    uint64_t done, uint64_t total)
{
    struct progress *progress = ctx;

    if (stage == progress->stage && !progress->terminal) {
        progress->done = done;
        return 0;
    }

    const double now = now_s();

    if (stage != progress->stage) {
        close_stage(progress, now);
        open_stage(progress, stage, image, now);
    }
    progress->done = done;
    progress->total = total;
    if (stage == HOSTED_STAGE_WRITE && now - progress->last_draw_s >= DRAW_INTERVAL_S)
        draw_write(progress, now);
    return 0;
}

void progress_end(struct progress *progress, bool succeeded)
{
    if (succeeded) {
        close_stage(progress, now_s());
    } else if (progress->line_open) {
        putchar('\n'); /* what was done stays to be seen */
        progress->line_open = false;
    }
    fflush(stdout);
}
