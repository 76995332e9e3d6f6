/* SPDX-License-Identifier: Apache-2.0 */
/* What an update looks like in a pipe and on a terminal. */
#include "progress.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_esp32.h"

static const struct hosted_image image = {
    .project = "test",
    .version = "2.0.0\x1b[31m",
    .image_bytes = 1048576,
    .file_bytes = 1048576,
    .digest_appended = true,
};

/* Standard output, for a while. */
struct capture {
    int saved;
    int reader;
    int writer;
};

static void capture_start(struct capture *capture, int reader, int writer)
{
    fflush(stdout);
    capture->saved = dup(STDOUT_FILENO);
    capture->reader = reader;
    capture->writer = writer;
    if (capture->saved < 0 || dup2(writer, STDOUT_FILENO) < 0)
        abort();
}

/* What was printed since; `size` is more than that. */
static void capture_end(const struct capture *capture, char *text, size_t size)
{
    size_t have = 0;

    fflush(stdout);
    fputc('\x04', stdout); /* none of it is in what is captured: it marks the end */
    fflush(stdout);
    dup2(capture->saved, STDOUT_FILENO);
    while (have < size - 1 && memchr(text, '\x04', have) == NULL) {
        const ssize_t got = read(capture->reader, text + have, size - 1 - have);

        if (got <= 0)
            abort();
        have += (size_t)got;
    }
    text[have - 1] = '\0';
    close(capture->saved);
    close(capture->reader);
    close(capture->writer);
}

/* How wide the terminal is from 30 % on; 0: as before. */
static int resized_columns;

static void resize(int terminal, int columns)
{
    const struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};

    ioctl(terminal, TIOCSWINSZ, &size);
}

static void report_all(struct progress *progress, uint64_t total)
{
    static const uint64_t step = 64000;

    progress_report(progress, HOSTED_STAGE_CHECK, &image, 0, total);
    progress_report(progress, HOSTED_STAGE_BEGIN, &image, 0, total);
    progress_report(progress, HOSTED_STAGE_WRITE, &image, 0, total);
    for (uint64_t done = step; done < image.file_bytes; done += step) {
        progress->last_draw_s = 0; /* as if the last drawing was long ago */
        if (resized_columns > 0 && done > image.file_bytes * 3 / 10)
            resize(STDOUT_FILENO, resized_columns);
        progress_report(progress, HOSTED_STAGE_WRITE, &image, done, total);
    }
    progress_report(progress, HOSTED_STAGE_WRITE, &image, image.file_bytes, total);
    progress_report(progress, HOSTED_STAGE_END, &image, 0, total);
}

static unsigned count(const char *text, char c)
{
    unsigned found = 0;

    for (; *text != '\0'; text++)
        found += *text == c;
    return found;
}

static void show(int reader, int writer, bool quiet, bool succeeded, uint64_t total, char *text,
                 size_t size)
{
    struct fake_esp32 *fake = fake_new();
    struct hosted_device *device = fake_device(fake, NULL);
    uint8_t buf[FAKE_MESSAGE_MAX];
    enum hosted_mode mode;
    struct progress progress;
    struct capture capture;

    fake_answer(fake, FAKE_GET_MODE, 0, buf, fake_reply_identity(buf, 0, 0x100000));
    assert_int_equal(hosted_get_mode(device, &mode, NULL, NULL), 0);
    capture_start(&capture, reader, writer);
    progress_init(&progress, device, "image.bin", quiet);
    report_all(&progress, total);
    progress_end(&progress, succeeded);
    capture_end(&capture, text, size);
    hosted_close(device);
    fake_free(fake);
}

static void in_a_pipe_there_is_a_line_a_stage(void **state)
{
    (void)state;
    char text[4096] = "";
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    show(ends[0], ends[1], false, true, image.file_bytes, text, sizeof(text));
    assert_int_equal(count(text, '\n'), 5 + 9);
    assert_null(strpbrk(text, "\r\x1b"));
    assert_non_null(
        strstr(text, "image   image.bin: ESP32, 2.0.0\\x1b[31m, 1,048,576 bytes, digest ok\n"));
    assert_non_null(strstr(text, "device  /dev/fake: ESP32, running 2.3.1 from ota_0\n"));
    assert_non_null(strstr(text, "write   1,048,576 bytes, "));
    assert_non_null(strstr(text, "write   12 %, 128,000 of 1,048,576 bytes\n"));
}

static void without_a_total_a_pipe_is_told_bytes(void **state)
{
    (void)state;
    char text[4096] = "";
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    show(ends[0], ends[1], false, true, 0, text, sizeof(text));
    assert_non_null(strstr(text, "write   320,000 bytes\n"));
    assert_null(strchr(text, '%'));
}

static void quiet_is_quiet(void **state)
{
    (void)state;
    char text[4096] = "";
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    show(ends[0], ends[1], true, true, image.file_bytes, text, sizeof(text));
    assert_string_equal(text, "");
}

static void open_terminal(int columns, int *reader, int *writer)
{
    struct termios tio;
    char name[64];

    *reader = posix_openpt(O_RDWR | O_NOCTTY);
    if (*reader < 0 || grantpt(*reader) < 0 || unlockpt(*reader) < 0 ||
        ptsname_r(*reader, name, sizeof(name)) != 0)
        abort();
    *writer = open(name, O_RDWR | O_NOCTTY);
    if (*writer < 0 || tcgetattr(*writer, &tio) < 0)
        abort();
    cfmakeraw(&tio);
    tcsetattr(*writer, TCSANOW, &tio);
    resize(*writer, columns);
}

static void on_a_terminal_one_line_is_rewritten(void **state)
{
    (void)state;
    char text[16384] = "";
    int reader, writer;

    setenv("TERM", "xterm", 1);
    open_terminal(100, &reader, &writer);
    show(reader, writer, false, true, image.file_bytes, text, sizeof(text));
    assert_int_equal(count(text, '\n'), 5);
    assert_non_null(strstr(text, "write   [--------------------------]   0 %"));
    assert_non_null(strstr(text, "write   [##############------------]  54 %   562 of 1024 KiB  "));
    assert_true(count(text, '\r') > 16);
}

static void a_narrow_terminal_is_not_overrun(void **state)
{
    (void)state;
    char text[16384] = "";
    int reader, writer;

    setenv("TERM", "xterm", 1);
    open_terminal(50, &reader, &writer);
    show(reader, writer, false, true, image.file_bytes, text, sizeof(text));
    assert_null(strstr(text, "[#"));
    for (char *rest = text, *line; (line = strsep(&rest, "\r\n\x1b")) != NULL;)
        if (strncmp(line, "write   ", 8) == 0)
            assert_true(strlen(line) < 50);
}

/* What is drawn while the window has `columns` fits into it. */
static void a_window_may_become_narrower(void **state)
{
    (void)state;
    char text[16384] = "";
    int reader, writer;

    setenv("TERM", "xterm", 1);
    open_terminal(100, &reader, &writer);
    resized_columns = 70;
    show(reader, writer, false, true, image.file_bytes, text, sizeof(text));
    resized_columns = 0;

    char *rest = strstr(text, " 36 %"); /* the second line of that width: no long one to wipe */

    assert_non_null(strstr(text, "write   [######--------------------]"));
    assert_non_null(rest);
    for (char *line; (line = strsep(&rest, "\r\n\x1b")) != NULL;)
        if (strncmp(line, "write   [", 9) == 0)
            assert_true(strlen(line) < 70);
}

static void without_a_total_there_is_no_bar(void **state)
{
    (void)state;
    char text[16384] = "";
    int reader, writer;

    setenv("TERM", "xterm", 1);
    open_terminal(100, &reader, &writer);
    show(reader, writer, false, true, 0, text, sizeof(text));
    assert_null(strstr(text, "[#"));
    assert_non_null(strstr(text, "write   562 KiB  "));
}

static void after_a_failure_what_was_done_stays(void **state)
{
    (void)state;
    char text[16384] = "";
    int reader, writer;

    setenv("TERM", "xterm", 1);
    open_terminal(100, &reader, &writer);
    show(reader, writer, false, false, image.file_bytes, text, sizeof(text));
    assert_null(strstr(text, "has verified"));
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void a_dumb_terminal_is_a_pipe(void **state)
{
    (void)state;
    char text[4096] = "";
    int reader, writer;

    setenv("TERM", "dumb", 1);
    open_terminal(100, &reader, &writer);
    show(reader, writer, false, true, image.file_bytes, text, sizeof(text));
    assert_null(strchr(text, '\r'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_a_pipe_there_is_a_line_a_stage),
        cmocka_unit_test(without_a_total_a_pipe_is_told_bytes),
        cmocka_unit_test(quiet_is_quiet),
        cmocka_unit_test(on_a_terminal_one_line_is_rewritten),
        cmocka_unit_test(a_narrow_terminal_is_not_overrun),
        cmocka_unit_test(a_window_may_become_narrower),
        cmocka_unit_test(without_a_total_there_is_no_bar),
        cmocka_unit_test(after_a_failure_what_was_done_stays),
        cmocka_unit_test(a_dumb_terminal_is_a_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
