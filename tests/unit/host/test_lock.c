/* SPDX-License-Identifier: Apache-2.0 */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct setup {
    char path[32];
    int fd;
    pid_t holder;
};

/* A process of its own, called `name`, that has the file open until it is ended. */
static pid_t start_holder(const char *path, const char *name, bool locks)
{
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);

    const pid_t pid = fork();

    if (pid == 0) {
        const int fd = open(path, O_RDWR);

        prctl(PR_SET_NAME, name);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it ends with a test that fails, too */
        if (fd >= 0 && (!locks || flock(fd, LOCK_EX) == 0) && write(ready[1], "x", 1) == 1)
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

    if (setup->fd >= 0)
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

static void check_names(const struct hosted_fault *fault, const char *path, pid_t pid,
                        const char *name)
{
    char words[128];

    snprintf(words, sizeof(words), "%s: busy: process %d (%s) holds it", path, (int)pid, name);
    assert_string_equal(fault->text, words);
    assert_int_equal(fault->status, HOSTED_BUSY);
}

static void the_holder_is_named_and_its_end_frees_the_device(void **state)
{
    struct setup *setup = *state;
    const pid_t holder = start_holder(setup->path, "esp-ota", true);
    struct hosted_fault fault;

    assert_int_equal(lock_take(setup->fd, setup->path, &fault), -EBUSY);
    check_names(&fault, setup->path, holder, "esp-ota");
    assert_int_equal(lock_take(setup->fd, setup->path, NULL), -EBUSY);
    end_holder(holder);
    assert_int_equal(lock_take(setup->fd, setup->path, &fault), 0);
}

static void a_name_is_no_way_to_a_terminal(void **state)
{
    struct setup *setup = *state;
    const pid_t holder = start_holder(setup->path, "\033[2J\n\xff) u\xc3\xa4", true);
    struct hosted_fault fault;

    assert_int_equal(lock_take(setup->fd, setup->path, &fault), -EBUSY);
    check_names(&fault, setup->path, holder, "\\x1b[2J\\x0a\\xff) u\xc3\xa4");
    end_holder(holder);
}

/* Upstream's driver refuses a second opener by itself; its holder need not have a lock. */
static void a_holder_without_a_lock_is_found_by_what_it_has_open(void **state)
{
    struct setup *setup = *state;
    struct hosted_fault fault;

    close(setup->fd);
    setup->fd = -1;

    const pid_t holder = start_holder(setup->path, "hosted_shell", false);

    assert_int_equal(lock_holder(setup->path), 0);
    assert_int_equal(lock_busy(setup->path, &fault), -EBUSY);
    check_names(&fault, setup->path, holder, "hosted_shell");
    end_holder(holder);
    assert_int_equal(lock_busy(setup->path, &fault), -EBUSY);
    assert_non_null(strstr(fault.text, "busy: another process holds it"));
    assert_int_equal(lock_busy("/nonexistent", &fault), -EBUSY);
}

/* Two nodes of one device; a pty is one without anybody's rights. */
static void another_name_of_the_device_is_the_same_device(void **state)
{
    struct setup *setup = *state;
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    char other[64];
    struct stat st;

    assert_int_equal(unlockpt(master), 0);
    const char *slave = ptsname(master);

    assert_int_equal(stat(slave, &st), 0);
    snprintf(other, sizeof(other), "%s.node", setup->path);
    if (mknod(other, S_IFCHR | 0600, st.st_rdev) < 0) {
        close(master);
        skip(); /* not root */
    }

    const pid_t holder = start_holder(slave, "first", false);

    assert_int_equal(lock_opener(other), holder);
    end_holder(holder);
    assert_int_equal(lock_opener(other), 0);
    unlink(other);
    close(master);
}

/* Most of the processes of a host are nobody's to look into. */
static void who_may_not_look_is_told_no_name(void **state)
{
    struct setup *setup = *state;

    if (geteuid() != 0)
        skip();
    close(setup->fd);
    setup->fd = -1;
    chmod(setup->path, 0666);

    const pid_t holder = start_holder(setup->path, "hosted_shell", false);
    const pid_t other = fork();

    if (other == 0) {
        struct hosted_fault fault;
        const bool right = setuid(65534) == 0 && lock_busy(setup->path, &fault) == -EBUSY &&
                           strstr(fault.text, "another process holds it") != NULL;

        _exit(right ? 0 : 1);
    }

    int status;

    waitpid(other, &status, 0);
    end_holder(holder);
    assert_int_equal(status, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(a_free_device_is_taken),
        CASE(the_holder_is_named_and_its_end_frees_the_device),
        CASE(a_name_is_no_way_to_a_terminal),
        CASE(a_holder_without_a_lock_is_found_by_what_it_has_open),
        CASE(another_name_of_the_device_is_the_same_device),
        CASE(who_may_not_look_is_told_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
