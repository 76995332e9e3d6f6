/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "names.h"
#include "text.h"

#define DRAW_INTERVAL_S 0.1
#define LINE_INTERVAL_S 5.0      /* between lines where none is rewritten */
#define LINE_BYTES      262144   /* and this between them where no total is known; else a tenth */
#define ERASE_BEHIND    "\x1b[J" /* also below: what a narrower window has wrapped is there */
#define BAR_CELLS       26
#define BAR_CELLS_MIN   8 /* what is shorter says nothing */

void progress_init(struct progress *progress, const struct hosted_device *device,
                   const char *source, bool quiet)
{
    const char *term = getenv("TERM");

    *progress = (struct progress){
        .device = device,
        .quiet = quiet,
        .terminal = isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0,
    };
    text_printable(progress->source, sizeof(progress->source), source, strlen(source));
}

/* Asked at each drawing: the window may have another size by then. */
static int columns_of_terminal(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* One line that stays, in place of an open one. */
__attribute__((format(printf, 2, 3))) static void print_line(struct progress *progress,
                                                             const char *format, ...)
{
    va_list args;

    if (progress->quiet)
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("%s\n", progress->line_open ? ERASE_BEHIND : "");
    fflush(stdout);
    progress->line_open = false;
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
    printf("%.*s%s\r", columns_of_terminal() - 1, line, ERASE_BEHIND);
    fflush(stdout);
    progress->line_open = true;
}

static void print_image(struct progress *progress, const struct hosted_image *image)
{
    char number[TEXT_NUMBER_BYTES], version[4 * sizeof(image->version)];
    const bool whole = image->image_bytes > 0;
    const uint64_t bytes = image->file_bytes;

    text_printable(version, sizeof(version), image->version, strlen(image->version));
    if (bytes != HOSTED_SIZE_UNKNOWN)
        print_line(progress, "image   %s: %s, %s, %s bytes, %s", progress->source,
                   cli_chip_name(image->chip_id), version, text_number(number, bytes),
                   !whole                   ? "checked on its way"
                   : image->digest_appended ? "digest ok"
                                            : "checksum ok (no digest)");
    else
        print_line(progress, "image   %s: %s, %s, checked on its way", progress->source,
                   cli_chip_name(image->chip_id), version);
}

static void print_device(struct progress *progress)
{
    const struct hosted_identity *identity = hosted_identity(progress->device);
    const char *path = hosted_path(progress->device);

    if (identity->known)
        print_line(progress, "device  %s: %s, running %s from %s", path,
                   cli_chip_name(identity->chip_id), identity->version, identity->running_slot);
    else
        print_line(progress, "device  %s: dialect %s, does not tell its chip", path,
                   hosted_dialect_name(hosted_dialect(progress->device)));
}

/* "12 s left", "3:05 left"; of one width, so that nothing in front of it moves. */
static void format_left(char *text, size_t size, double left_s)
{
    const unsigned seconds = left_s < 1e6 ? (unsigned)(left_s + 0.5) : 0;

    if (left_s < 0 || left_s >= 1e6)
        snprintf(text, size, "%11s", "");
    else if (seconds < 100)
        snprintf(text, size, "%4u s left", seconds);
    else
        snprintf(text, size, "%3u:%02u left", seconds / 60, seconds % 60);
}

static void draw_known(struct progress *progress)
{
    const unsigned long long done_kib = progress->done / 1024, total_kib = progress->total / 1024;
    const int digits = snprintf(NULL, 0, "%llu", total_kib);
    const double left_s = rate_left_s(&progress->rate, progress->total);
    char bar[BAR_CELLS], left[24], numbers[128];

    format_left(left, sizeof(left), left_s);
    snprintf(numbers, sizeof(numbers), "%3u %%  %*llu of %llu KiB  %4.0f KiB/s%s",
             (unsigned)(progress->done * 100 / progress->total), digits, done_kib, total_kib,
             rate_bytes_per_s(&progress->rate) / 1024, left);

    const int room = columns_of_terminal() - 1 - (int)strlen("write   [] ") - (int)strlen(numbers);
    const int cells = room < BAR_CELLS ? room : BAR_CELLS;

    if (cells < BAR_CELLS_MIN) {
        draw_line(progress, "write   %s", numbers);
        return;
    }
    memset(bar, '-', sizeof(bar));
    memset(bar, '#', progress->done * (unsigned)cells / progress->total);
    draw_line(progress, "write   [%.*s] %s", cells, bar, numbers);
}

static void draw_write(struct progress *progress, double now)
{
    progress->last_draw_s = now;
    if (progress->total > 0)
        draw_known(progress);
    else
        draw_line(progress, "write   %llu KiB  %.0f KiB/s",
                  (unsigned long long)progress->done / 1024,
                  rate_bytes_per_s(&progress->rate) / 1024);
}

/* Elsewhere, at each tenth. A fast write says nothing: the clock is asked then, at no other chunk.
 */
static void print_write(struct progress *progress)
{
    char done[TEXT_NUMBER_BYTES], total[TEXT_NUMBER_BYTES];
    const uint64_t step = progress->total >= 10 ? progress->total / 10 : LINE_BYTES;
    const bool due = progress->next_line > 0; /* else the write has just begun */
    const double now = rate_clock_s();

    progress->next_line = (progress->done / step + 1) * step;
    if (!due || progress->done == progress->total || now - progress->last_draw_s < LINE_INTERVAL_S)
        return;
    progress->last_draw_s = now;
    if (progress->total > 0)
        print_line(progress, "write   %u %%, %s of %s bytes",
                   (unsigned)(progress->done * 100 / progress->total),
                   text_number(done, progress->done), text_number(total, progress->total));
    else
        print_line(progress, "write   %s bytes", text_number(done, progress->done));
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
    if (stage == HOSTED_STAGE_WRITE) {
        rate_start(&progress->rate, now);
        progress->last_draw_s = progress->terminal ? 0 : now;
        progress->next_line = 0;
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
        progress->total = total;
        if (stage == HOSTED_STAGE_WRITE && done >= progress->next_line)
            print_write(progress);
        return 0;
    }

    const double now = rate_clock_s();

    if (stage != progress->stage) {
        close_stage(progress, now);
        open_stage(progress, stage, image, now);
    }
    progress->done = done;
    progress->total = total;
    if (stage != HOSTED_STAGE_WRITE || !progress->terminal)
        return 0;
    rate_add(&progress->rate, now, done);
    if (now - progress->last_draw_s >= DRAW_INTERVAL_S)
        draw_write(progress, now);
    return 0;
}

void progress_end(struct progress *progress, bool succeeded)
{
    if (succeeded) {
        close_stage(progress, rate_clock_s());
    } else if (progress->line_open) {
        putchar('\n'); /* what was done stays to be seen */
        progress->line_open = false;
    }
    fflush(stdout);
}
