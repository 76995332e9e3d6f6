/* SPDX-License-Identifier: Apache-2.0 */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct setup {
    char path[32];
    int fd;
    pid_t holder;
};

/* A process of its own that holds the lock until it is ended. */
static pid_t start_holder(const char *path)
{
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);

    const pid_t pid = fork();

    if (pid == 0) {
        const int fd = open(path, O_RDWR);

        if (flock(fd, LOCK_EX) == 0 && write(ready[1], "x", 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void end_holder(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static int start(void **state)
{
    struct setup *setup = calloc(1, sizeof(*setup));

    strcpy(setup->path, "/tmp/lock-XXXXXX");
    setup->fd = mkstemp(setup->path);
    *state = setup;
    return setup->fd < 0 ? -1 : 0;
}

static int stop(void **state)
{
    struct setup *setup = *state;

    close(setup->fd);
    unlink(setup->path);
    free(setup);
    return 0;
}

static void a_free_device_is_taken(void **state)
{
    struct setup *setup = *state;

    assert_int_equal(lock_holder(setup->path), 0);
    assert_int_equal(lock_take(setup->fd, setup->path, NULL), 0);
    assert_int_equal(lock_holder(setup->path), getpid());
}

static void the_holder_is_named_and_its_end_frees_the_device(void **state)
{
    struct setup *setup = *state;
    const pid_t holder = start_holder(setup->path);
    struct hosted_fault fault;
    char words[64];

    assert_int_equal(lock_take(setup->fd, setup->path, &fault), -EBUSY);
    assert_int_equal(fault.status, HOSTED_BUSY);
    snprintf(words, sizeof(words), "%s: busy: process %d holds it", setup->path, (int)holder);
    assert_string_equal(fault.text, words);
    assert_int_equal(lock_take(setup->fd, setup->path, NULL), -EBUSY);
    end_holder(holder);
    assert_int_equal(lock_take(setup->fd, setup->path, &fault), 0);
}

/* Upstream's driver refuses a second opener by itself; its holder need not have a lock. */
static void a_holder_without_a_lock_has_no_number(void **state)
{
    struct setup *setup = *state;
    struct hosted_fault fault;

    assert_int_equal(lock_busy(setup->path, &fault), -EBUSY);
    assert_non_null(strstr(fault.text, "busy: another process holds it"));
    assert_int_equal(lock_busy("/nonexistent", &fault), -EBUSY);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(a_free_device_is_taken),
        CASE(the_holder_is_named_and_its_end_frees_the_device),
        CASE(a_holder_without_a_lock_has_no_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
