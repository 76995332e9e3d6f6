/* SPDX-License-Identifier: Apache-2.0 */
/* Files, pipes and standard input; for servers see test_source_http.c. */
#include "hosted/source.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char text[] = "0123456789abcdef";

static int make_file(char path[32])
{
    strcpy(path, "/tmp/source-XXXXXX");

    const int fd = mkstemp(path);

    if (fd < 0)
        abort();

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

/* To its end, in reads of `piece`. */
static void assert_reads(struct hosted_source *source, const char *expected, size_t piece)
{
    char got[64] = "";
    size_t have = 0;
    ssize_t n;

    while ((n = source->ops->read(source, got + have, piece, NULL)) > 0)
        have += (size_t)n;
    assert_int_equal(n, 0);
    assert_string_equal(got, expected);
    assert_int_equal(source->ops->read(source, got, piece, NULL), 0); /* stays at its end */
}

static void a_file_is_all_there(void **state)
{
    (void)state;
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    char path[32];

    close(make_file(path));
    assert_int_equal(hosted_source_open(path, NULL, &source, &fault), 0);
    assert_true(source->whole);
    assert_int_equal(source->size, 16);
    assert_string_equal(source->name, path);
    assert_reads(source, text, 5);
    hosted_source_close(source);
    hosted_source_close(NULL);
    unlink(path);
}

static void what_is_no_file_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int error;
        const char *words;
    } cases[] = {
        {"/nonexistent/image.bin", -ENOENT, "/nonexistent/image.bin: No such file or directory"},
        {"/tmp", -EISDIR, "/tmp: Is a directory"},
        {"", -ENOENT, "No such file"},
    };
    struct hosted_source *source = NULL;
    struct hosted_fault fault;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(hosted_source_open(cases[i].path, NULL, &source, &fault), cases[i].error);
        assert_int_equal(fault.status, HOSTED_LOCAL);
        assert_non_null(strstr(fault.text, cases[i].words));
        assert_null(source);
    }
}

/* What it says is said of no file: the whole of it may be a password. */
static void what_is_nearly_a_url_is_not_shown(void **state)
{
    (void)state;
    static const char *const nearly[] = {
        "ftp://user:secret@h/x?secret", "FILE:///secret",      "s3+x.y-z://secret",
        "http:/user:secret@h/x",        "https:user:secret@h", "HTTP:"};
    static const char *const files[] = {"a:b",    "./ftp://x", "C:x",  "://x",
                                        "1a://x", "httpd:/x",  "a:/x", "a b://x"};
    struct hosted_source *source = NULL;
    struct hosted_fault fault;

    for (size_t i = 0; i < sizeof(nearly) / sizeof(nearly[0]); i++) {
        assert_int_equal(hosted_source_open(nearly[i], NULL, &source, &fault), -EINVAL);
        assert_int_equal(fault.status, HOSTED_USAGE);
        assert_string_equal(fault.text, "only http:// and https:// URLs, or a path");
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        assert_int_equal(hosted_source_open(files[i], NULL, &source, &fault), -ENOENT);
}

static void a_name_cannot_write_on_the_terminal(void **state)
{
    (void)state;
    struct hosted_source *source = NULL;
    struct hosted_fault fault;

    assert_int_equal(hosted_source_open("no\x1b[31m\nsuch", NULL, &source, &fault), -ENOENT);
    assert_string_equal(fault.text, "no?[31m?such: No such file or directory");
}

static void a_device_is_a_stream(void **state)
{
    (void)state;
    struct hosted_source *source = NULL;

    assert_int_equal(hosted_source_open("/dev/null", NULL, &source, NULL), 0);
    assert_false(source->whole);
    assert_true(source->size == HOSTED_SIZE_UNKNOWN);
    assert_reads(source, "", 8);
    hosted_source_close(source);
}

/* Puts `fd` in place of standard input; returns what was there. */
static int replace_stdin(int fd)
{
    const int before = dup(STDIN_FILENO);

    if (before < 0)
        abort();

    assert_true(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
    return before;
}

static void restore_stdin(int before)
{
    dup2(before, STDIN_FILENO);
    close(before);
}

static void standard_input_may_be_a_file(void **state)
{
    (void)state;
    struct hosted_source *source = NULL;
    char path[32];
    const int fd = make_file(path);

    assert_int_equal(lseek(fd, 10, SEEK_SET), 10);

    const int before = replace_stdin(fd);

    assert_int_equal(hosted_source_open("-", NULL, &source, NULL), 0);
    assert_true(source->whole);
    assert_int_equal(source->size, 6); /* from where it stands */
    assert_reads(source, "abcdef", 64);
    hosted_source_close(source);
    restore_stdin(before);
    close(fd);
    unlink(path);
}

static void standard_input_may_be_a_pipe(void **state)
{
    (void)state;
    struct hosted_source *source = NULL;
    int ends[2];

    assert_int_equal(pipe(ends), 0);

    const int before = replace_stdin(ends[0]);

    assert_int_equal(write(ends[1], text, 16), 16);
    close(ends[1]);
    assert_int_equal(hosted_source_open("-", NULL, &source, NULL), 0);
    assert_false(source->whole);
    assert_string_equal(source->name, "standard input");
    assert_reads(source, text, 3);
    hosted_source_close(source);
    restore_stdin(before);
    close(ends[0]);
}

static void a_terminal_is_no_image(void **state)
{
    (void)state;
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    const int master = posix_openpt(O_RDWR | O_NOCTTY);

    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);

    const char *name = ptsname(master);

    assert_int_equal(hosted_source_open(name, NULL, &source, &fault), -EINVAL);
    assert_non_null(strstr(fault.text, "a terminal is no firmware image"));
    close(master);
}

static void a_silent_pipe_can_be_cancelled(void **state)
{
    (void)state;
    struct hosted_source *source = NULL;
    struct hosted_source_options options = {0};
    struct hosted_cancel *cancel = NULL;
    struct hosted_fault fault;
    char byte;
    int ends[2];

    assert_int_equal(pipe(ends), 0);

    const int before = replace_stdin(ends[0]);

    assert_int_equal(hosted_cancel_new(&cancel), 0);
    options.cancel = cancel;
    assert_int_equal(hosted_source_open("-", &options, &source, &fault), 0);
    hosted_cancel_request(cancel);
    assert_int_equal(source->ops->read(source, &byte, 1, &fault), -ECANCELED);
    assert_int_equal(fault.status, HOSTED_LOCAL);
    hosted_source_close(source);
    hosted_cancel_free(cancel);
    restore_stdin(before);
    close(ends[0]);
    close(ends[1]);
}

/* Nobody writes into it yet, or ever. */
static void a_fifo_is_waited_for(void **state)
{
    (void)state;
    struct hosted_source *source = NULL;
    struct hosted_source_options options = {0};
    struct hosted_cancel *cancel = NULL;
    struct hosted_fault fault;
    char folder[] = "/tmp/source-XXXXXX", path[40], expected[64];
    char byte;

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/fifo", folder);
    snprintf(expected, sizeof(expected), "%s: interrupted", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(hosted_cancel_new(&cancel), 0);
    options.cancel = cancel;
    assert_int_equal(hosted_source_open(path, &options, &source, &fault), 0);
    assert_false(source->whole);

    const pid_t writer = fork();

    assert_true(writer >= 0);
    if (writer == 0) {
        const int fd = open(path, O_WRONLY);

        _exit(write(fd, text, 16) == 16 ? 0 : 1);
    }
    assert_reads(source, text, 5);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    hosted_source_close(source);

    assert_int_equal(hosted_source_open(path, &options, &source, &fault), 0);
    hosted_cancel_request(cancel);
    assert_int_equal(source->ops->read(source, &byte, 1, &fault), -ECANCELED);
    assert_string_equal(fault.text, expected);
    hosted_source_close(source);
    hosted_cancel_free(cancel);
    unlink(path);
    rmdir(folder);
}

/* Nothing of ours may take its place, to be read as the image. */
static void standard_input_may_be_closed(void **state)
{
    (void)state;
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    const int before = dup(STDIN_FILENO);
    char path[32];

    close(make_file(path));
    close(STDIN_FILENO);
    assert_int_equal(hosted_source_open("-", NULL, &source, &fault), -EBADF);
    assert_string_equal(fault.text, "standard input: Bad file descriptor");
    assert_int_equal(hosted_source_open(path, NULL, &source, &fault), 0);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
    assert_reads(source, text, 5);
    hosted_source_close(source);
    restore_stdin(before);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_all_there),
        cmocka_unit_test(what_is_no_file_says_why),
        cmocka_unit_test(what_is_nearly_a_url_is_not_shown),
        cmocka_unit_test(a_name_cannot_write_on_the_terminal),
        cmocka_unit_test(a_device_is_a_stream),
        cmocka_unit_test(standard_input_may_be_a_file),
        cmocka_unit_test(standard_input_may_be_a_pipe),
        cmocka_unit_test(a_terminal_is_no_image),
        cmocka_unit_test(a_silent_pipe_can_be_cancelled),
        cmocka_unit_test(a_fifo_is_waited_for),
        cmocka_unit_test(standard_input_may_be_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
