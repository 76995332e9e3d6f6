/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"

extern char **environ;

/* Each ends once it has an address, or has given up: it says so by its exit status. */
static const char *const clients[][4] = {
    {"udhcpc", "-n", "-q", "-i"},
    {"dhclient", "-1", NULL, NULL},
    {"dhcpcd", "-4", "-w", NULL},
};

/* Looked for behind those of PATH: they are in root's alone. */
#define MORE_FOLDERS ":/usr/local/sbin:/usr/sbin:/sbin"

static bool find_program(const char *name, char *path, size_t size)
{
    const char *given = getenv("PATH");
    char folders[4096];
    char *rest = folders;

    snprintf(folders, sizeof(folders), "%s" MORE_FOLDERS, given != NULL ? given : "/usr/bin:/bin");
    for (const char *folder; (folder = strsep(&rest, ":")) != NULL;) {
        if (*folder == '\0')
            continue;
        snprintf(path, size, "%s/%s", folder, name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static int spawn(const char *path, char *const argv[], pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    int err = posix_spawnattr_init(&attributes);

    if (err != 0)
        return -err;
    /* Its words are for people: stdout may be a program's. */
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    /* An ignored SIGPIPE would be inherited. */
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    err = posix_spawn(ret, path, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -err;
}

static int run(const char *path, char *const argv[], const char *interface,
               struct hosted_fault *fault)
{
    pid_t child = 0;
    int status;
    const int err = spawn(path, argv, &child);

    if (err < 0)
        return fault_errno(fault, HOSTED_LOCAL, err, path);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return fault_errno(fault, HOSTED_LOCAL, errno, path);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status))
        return fault_set(fault, HOSTED_LOCAL, -EIO, "%s: no address for %s (exit status %d)", path,
                         interface, WEXITSTATUS(status));
    return fault_set(fault, HOSTED_LOCAL, -EIO, "%s: no address for %s (signal %d)", path,
                     interface, WTERMSIG(status));
}

int dhcp_run(const char *interface, struct hosted_fault *fault)
{
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        char path[PATH_MAX];
        char *argv[6] = {NULL};
        size_t count = 0;

        if (!find_program(clients[i][0], path, sizeof(path)))
            continue;
        while (count < 4 && clients[i][count] != NULL) {
            argv[count] = (char *)clients[i][count];
            count++;
        }
        argv[count] = (char *)interface;
        return run(path, argv, interface, fault);
    }
    return fault_set(fault, HOSTED_LOCAL, -ENOENT,
                     "%s: no DHCP client found (udhcpc, dhclient, dhcpcd)", interface);
}
