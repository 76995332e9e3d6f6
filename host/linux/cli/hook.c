/* SPDX-License-Identifier: Apache-2.0 */
/* --reconnect-hook: a program of the user's that brings the link back after a restart. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "fault.h"

#define POLL_MS 20

extern char **environ;

int cli_check_hook(const struct cli_context *context, struct hosted_fault *fault)
{
    const char *hook = context->options.reconnect_hook;
    struct stat st;
    int err = 0;

    if (hook == NULL)
        return 0;
    if (stat(hook, &st) < 0 || access(hook, X_OK) < 0)
        err = -errno;
    else if (!S_ISREG(st.st_mode))
        err = -EACCES;
    if (err == 0 && context->options.update.reboot_timeout_s == 0)
        return fault_set(fault, HOSTED_USAGE, -EINVAL,
                         "--reconnect-hook: with --reboot-timeout 0 nobody waits to run it");
    if (err == 0)
        return 0;
    return fault_set(fault, HOSTED_USAGE, err, "--reconnect-hook: %s: %s", hook, strerror(-err));
}

/* With the signals as every program expects them, in a group of its own, so that all of it can be
 * ended, and with its output where ours is read by people: stdout may be a program's. */
static int start(const char *hook, const char *path, pid_t *ret)
{
    char *const argv[] = {(char *)hook, (char *)path, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults, none;
    int err;

    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    err = posix_spawn(ret, hook, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -err;
}

/* Waits for its end, but no longer than for the firmware. */
static int wait_for(const struct cli_context *context, pid_t pid, int *ret_status)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    unsigned left = context->options.update.reboot_timeout_s * 1000 / POLL_MS;
    const struct hosted_cancel *cancel = context->options.device.cancel;

    while (waitpid(pid, ret_status, WNOHANG) == 0) {
        if (left-- == 0 || hosted_cancel_requested(cancel)) {
            kill(-pid, SIGKILL);
            waitpid(pid, ret_status, 0);
            return -ETIMEDOUT;
        }
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int run(const struct cli_context *context, const char *path, struct hosted_fault *fault)
{
    const char *hook = context->options.reconnect_hook;
    int err, status = 0;
    pid_t pid;

    setenv("ESP_HOSTED_DEVICE", path, 1);
    err = start(hook, path, &pid);
    if (err < 0)
        return fault_errno(fault, HOSTED_LOCAL, err, hook);
    if (wait_for(context, pid, &status) < 0)
        return fault_set(fault, HOSTED_LOCAL, -ETIMEDOUT, "%s: did not end, and was killed", hook);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status))
        return fault_set(fault, HOSTED_LOCAL, -EIO, "%s: ended with status %d", hook,
                         WEXITSTATUS(status));
    return fault_set(fault, HOSTED_LOCAL, -EIO, "%s: ended by signal %d", hook, WTERMSIG(status));
}

/* Its failure is no failure of the update, but nobody should have to guess. */
int cli_run_hook(void *ctx, const char *path, struct hosted_fault *fault)
{
    const struct cli_context *context = ctx;
    const int err = run(context, path, fault);

    if (err < 0)
        fprintf(stderr, "%s: %s\n", context->program->name, fault->text);
    return err;
}
