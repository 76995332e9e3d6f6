/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd-inhibit holds the lock for as long as the program that it starts runs: one that waits
 * until our end of a pipe is closed, by us or by our end. A process of its own, because sd-bus in
 * ours would take 1.6 MB of memory.
 */
#include "inhibit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cancel.h"
#include "link.h"

#define TIMEOUT_MS  2000
#define DEFAULT_BUS "/run/dbus/system_bus_socket"

extern char **environ;

static bool has_bus(void)
{
    const char *address = getenv("DBUS_SYSTEM_BUS_ADDRESS");

    return (address != NULL && *address != '\0') || access(DEFAULT_BUS, F_OK) == 0;
}

/* In a group of its own: what a terminal sends to ours is not for it. */
static int start(const char *who, int input, int output, pid_t *ret)
{
    const char *const argv[] = {"systemd-inhibit",
                                "--what=sleep:shutdown",
                                "--mode=block",
                                "--who",
                                who,
                                "--why",
                                "Firmware update of the ESP32",
                                "sh",
                                "-c",
                                "echo && exec cat",
                                NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;

    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);

    const int err = posix_spawnp(ret, argv[0], &actions, &attributes, (char *const *)argv, environ);

    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -err;
}

/* The newline comes once the lock is held; an end before it says that there is none. */
static int await_lock(int fd, const struct hosted_cancel *cancel)
{
    const int err = cancel_wait_fd(cancel, fd, POLLIN, clock_ms() + TIMEOUT_MS);
    char newline;

    if (err < 0)
        return err;
    return read(fd, &newline, 1) == 1 ? 0 : -EACCES;
}

static int hold(const char *who, const int input[2], const int output[2],
                const struct hosted_cancel *cancel)
{
    pid_t pid;
    int err = start(who, input[0], output[1], &pid);

    close(output[1]); /* else its end would never be seen */
    if (err < 0)
        return err;
    err = await_lock(output[0], cancel);
    if (err < 0) {
        kill(-pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return err;
}

int cli_inhibit(const char *who, const struct hosted_cancel *cancel)
{
    int input[2], output[2];

    if (!has_bus())
        return -ENOENT;
    if (pipe2(input, O_CLOEXEC) < 0)
        return -errno;
    if (pipe2(output, O_CLOEXEC) < 0) {
        const int err = -errno;

        close(input[0]);
        close(input[1]);
        return err;
    }

    const int err = hold(who, input, output, cancel);

    close(input[0]);
    close(output[0]);
    if (err == 0)
        return input[1];
    close(input[1]);
    return err;
}
