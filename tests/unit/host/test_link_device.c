/* SPDX-License-Identifier: Apache-2.0 */
#include "link_device.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "pty_esp32.h"

/* A driver that takes one opener, as upstream's does: with --wrap, and by the open pty itself. */
static const char *exclusive_path;

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    if (exclusive_path == NULL || strcmp(path, exclusive_path) != 0)
        return __real_open(path, flags, 0);
    errno = EBUSY;
    return -1;
}

#define SOON (clock_ms() + 60000) /* further off than any wait of a test that works */

struct setup {
    struct pty_esp32 esp32;
    struct link *link;
    struct hosted_fault fault;
};

static int start(void **state)
{
    struct setup *setup = calloc(1, sizeof(*setup));

    pty_esp32_open(&setup->esp32);
    *state = setup;
    return link_open(setup->esp32.path, &setup->link, &setup->fault);
}

static int stop(void **state)
{
    struct setup *setup = *state;

    if (setup->link != NULL)
        setup->link->ops->close(setup->link);
    pty_esp32_stop(&setup->esp32);
    free(setup);
    return 0;
}

static void a_message_goes_out_as_it_is(void **state)
{
    struct setup *setup = *state;
    uint8_t message[4096], got[4096];
    size_t have = 0;

    for (size_t i = 0; i < sizeof(message); i++)
        message[i] = (uint8_t)i; /* newlines, Ctrl-C, XON and all */
    assert_int_equal(setup->link->ops->send(setup->link, message, sizeof(message), SOON), 0);
    while (have < sizeof(got)) {
        const ssize_t n = read(setup->esp32.master, got + have, sizeof(got) - have);

        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_memory_equal(message, got, sizeof(got));
}

static void bytes_come_in_as_they_are(void **state)
{
    struct setup *setup = *state;
    const uint8_t bytes[] = {0, 3, '\r', '\n', 4, 17, 19, 26, 0x7f, 0xff};
    uint8_t got[64];
    size_t have = 0;

    assert_int_equal(write(setup->esp32.master, bytes, sizeof(bytes)), sizeof(bytes));
    while (have < sizeof(bytes)) {
        const ssize_t n =
            setup->link->ops->receive(setup->link, got + have, sizeof(got) - have, SOON, NULL);

        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_int_equal(have, sizeof(bytes));
    assert_memory_equal(bytes, got, sizeof(bytes));
}

/* With echo, whatever the ESP32 says would come back to it as a request. */
static void nothing_is_echoed_even_after_the_tool(void **state)
{
    struct setup *setup = *state;
    struct termios tio;

    assert_int_equal(tcgetattr(setup->esp32.slave, &tio), 0);
    assert_int_equal(tio.c_lflag & (ECHO | ICANON | ISIG), 0);
    assert_int_equal(tio.c_oflag & OPOST, 0);
    setup->link->ops->close(setup->link);
    setup->link = NULL;
    assert_int_equal(tcgetattr(setup->esp32.slave, &tio), 0);
    assert_int_equal(tio.c_lflag & (ECHO | ICANON), 0);
}

static void a_wait_ends_at_its_deadline(void **state)
{
    struct setup *setup = *state;
    uint8_t buf[16];

    assert_int_equal(setup->link->ops->receive(setup->link, buf, sizeof(buf), clock_ms() + 2, NULL),
                     -ETIMEDOUT);
    assert_int_equal(setup->link->ops->receive(setup->link, buf, sizeof(buf), clock_ms() - 5, NULL),
                     -ETIMEDOUT);
}

static void a_device_that_takes_nothing_is_waited_for_no_longer(void **state)
{
    struct setup *setup = *state;
    static const uint8_t message[4096];
    int err = 0;

    for (int i = 0; i < 1000 && err == 0; i++)
        err = setup->link->ops->send(setup->link, message, sizeof(message), clock_ms() + 20);
    assert_int_equal(err, -ETIMEDOUT);
}

static void *request_cancel(void *cancel)
{
    hosted_cancel_request(cancel);
    return NULL;
}

static void a_cancel_ends_a_wait(void **state)
{
    struct setup *setup = *state;
    struct hosted_cancel *cancel;
    pthread_t thread;
    uint8_t buf[16];

    assert_int_equal(hosted_cancel_new(&cancel), 0);
    assert_false(hosted_cancel_requested(cancel));
    assert_int_equal(pthread_create(&thread, NULL, request_cancel, cancel), 0);
    assert_int_equal(setup->link->ops->receive(setup->link, buf, sizeof(buf), SOON, cancel),
                     -ECANCELED);
    pthread_join(thread, NULL);
    assert_true(hosted_cancel_requested(cancel));
    hosted_cancel_free(cancel);
    hosted_cancel_free(NULL);
}

static void what_is_there_is_taken_without_a_wait(void **state)
{
    struct setup *setup = *state;
    uint8_t buf[16];

    assert_int_equal(setup->link->ops->take(setup->link, buf, sizeof(buf)), 0);
    assert_int_equal(write(setup->esp32.master, "stale bytes", 11), 11);
    /* What was written to a pty arrives a moment later. */
    ssize_t taken = 0;

    while (taken < 11) {
        const ssize_t got =
            setup->link->ops->take(setup->link, buf + taken, sizeof(buf) - (size_t)taken);

        assert_true(got >= 0);
        taken += got;
    }
    assert_memory_equal(buf, "stale bytes", 11);
    assert_int_equal(setup->link->ops->receive(setup->link, buf, sizeof(buf), clock_ms(), NULL),
                     -ETIMEDOUT);
}

static void a_device_that_goes_is_gone(void **state)
{
    struct setup *setup = *state;
    uint8_t buf[16];

    close(setup->esp32.master);
    setup->esp32.master = open("/dev/null", O_RDWR);
    assert_int_equal(setup->link->ops->receive(setup->link, buf, sizeof(buf), SOON, NULL), -ENODEV);
    assert_int_equal(setup->link->ops->send(setup->link, "x", 1, SOON), -ENODEV);
    assert_int_equal(setup->link->ops->take(setup->link, buf, sizeof(buf)), -ENODEV);
}

static void a_second_opener_is_told_who_is_first(void **state)
{
    struct setup *setup = *state;
    struct link *second = NULL;
    char words[64];

    assert_int_equal(link_open(setup->esp32.path, &second, &setup->fault), -EBUSY);
    assert_int_equal(setup->fault.status, HOSTED_BUSY);
    snprintf(words, sizeof(words), "busy: process %d (test_link_devic) holds it", (int)getpid());
    assert_non_null(strstr(setup->fault.text, words));

    setup->link->ops->close(setup->link);
    setup->link = NULL;
    assert_int_equal(link_open(setup->esp32.path, &setup->link, &setup->fault), 0);
}

static void a_driver_that_takes_one_opener_gets_the_same_words(void **state)
{
    struct setup *setup = *state;
    struct link *second = NULL;
    char words[128];

    exclusive_path = setup->esp32.path;
    assert_int_equal(link_open(setup->esp32.path, &second, &setup->fault), -EBUSY);
    snprintf(words, sizeof(words), "%s: busy: process %d (test_link_devic) holds it",
             setup->esp32.path, (int)getpid());
    assert_string_equal(setup->fault.text, words);
    assert_int_equal(setup->fault.status, HOSTED_BUSY);

    /* Without a lock: as one of upstream's tools has it open. */
    setup->link->ops->close(setup->link);
    setup->link = NULL;
    assert_int_equal(link_open(setup->esp32.path, &second, &setup->fault), -EBUSY);
    assert_string_equal(setup->fault.text, words);
    exclusive_path = NULL;
}

static void what_is_no_device_is_not_written_to(void **state)
{
    struct setup *setup = *state;
    static const struct {
        const char *path;
        int error;
        const char *words;
    } cases[] = {
        {"/nonexistent/esps0", -ENOENT, "/nonexistent/esps0: No such file or directory"},
        {"/", -EISDIR, "/: Is a directory"},
    };
    struct link *link = NULL;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(link_open(cases[i].path, &link, &setup->fault), cases[i].error);
        assert_int_equal(setup->fault.status, HOSTED_NO_ANSWER);
        assert_non_null(strstr(setup->fault.text, cases[i].words));
    }

    char path[] = "/tmp/no-device-XXXXXX";
    const int fd = mkstemp(path);

    if (fd < 0)
        abort();

    assert_int_equal(write(fd, "image", 5), 5);
    assert_int_equal(link_open(path, &link, &setup->fault), -ENOTTY);
    assert_non_null(strstr(setup->fault.text, "not a character device"));
    assert_int_equal(lseek(fd, 0, SEEK_END), 5);
    close(fd);
    unlink(path);
}

/* A driver that takes half a message has lost it: the rest would start another one. */
static void half_a_write_to_a_driver_is_a_failure(void **state)
{
    (void)state;
    static const uint8_t large[1 << 20];
    struct link *link = NULL;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    assert_int_equal(link_device_new(pair[0], &link), 0);
    assert_int_equal(link->ops->send(link, "whole", 5, SOON), 0);
    assert_int_equal(link->ops->send(link, large, sizeof(large), SOON), -EIO);
    link->ops->close(link);
    close(pair[1]);
}

/* A program may run without a standard output, and what it prints must not go to the ESP32. */
static void no_standard_stream_becomes_the_device(void **state)
{
    struct setup *setup = *state;
    struct hosted_cancel *cancel;
    int kept[STDERR_FILENO + 1];
    int err[2], taken = 0;

    setup->link->ops->close(setup->link);
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
        close(fd);
    }
    err[0] = link_open(setup->esp32.path, &setup->link, &setup->fault);
    err[1] = hosted_cancel_new(&cancel);
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        taken += fcntl(fd, F_GETFD) >= 0;
        dup2(kept[fd], fd);
        close(kept[fd]);
    }
    assert_int_equal(err[0], 0);
    assert_int_equal(err[1], 0);
    assert_int_equal(taken, 0);
    assert_int_equal(setup->link->ops->send(setup->link, "x", 1, SOON), 0);
    hosted_cancel_free(cancel);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(a_message_goes_out_as_it_is),
        CASE(bytes_come_in_as_they_are),
        CASE(nothing_is_echoed_even_after_the_tool),
        CASE(a_wait_ends_at_its_deadline),
        CASE(a_device_that_takes_nothing_is_waited_for_no_longer),
        CASE(a_cancel_ends_a_wait),
        CASE(what_is_there_is_taken_without_a_wait),
        CASE(a_device_that_goes_is_gone),
        CASE(a_second_opener_is_told_who_is_first),
        CASE(a_driver_that_takes_one_opener_gets_the_same_words),
        CASE(what_is_no_device_is_not_written_to),
        CASE(no_standard_stream_becomes_the_device),
        cmocka_unit_test(half_a_write_to_a_driver_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
