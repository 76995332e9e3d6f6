/* SPDX-License-Identifier: Apache-2.0 */
#include "kept_dialect.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * A file per node in /run/esp-hosted-ota: "ctrl", then the mark of the node it is about.
 *
 * The mark tells a node from one made anew under the same name and number: its ctime is the moment
 * of its making. Using a device leaves that alone: neither open, read, write, tcsetattr nor flock
 * changes it (what passes through a terminal changes its atime and mtime alone). chmod, chown and
 * utimensat do: so a node outdates what was kept about it, also where that may not be removed. The
 * boot's id is for a /run that outlives a boot, on a host whose clock starts at the same time
 * again.
 */
#define FOLDER  "esp-hosted-ota"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

enum {
    ANSWER_BYTES = sizeof(((struct kept_mark *)NULL)->text),

    /* ctime goes in ticks of the kernel, of at most 10 ms. */
    TOUCH_PAUSE_MS = 2,
    TOUCHES = 20,
};

/* The node's path, with each '/' and '%' as %XX: no two nodes share a file. */
static int name_answer(const char *node, char *ret, size_t size)
{
    size_t len = 0;

    for (; *node != '\0'; node++) {
        if (len + sizeof("%2F") > size)
            return -ENAMETOOLONG;
        if (*node == '/' || *node == '%')
            len += (size_t)sprintf(ret + len, "%%%02X", (unsigned)*node);
        else
            ret[len++] = *node;
    }
    ret[len] = '\0';
    return 0;
}

static int read_boot_id(char *ret, size_t size)
{
    FILE *file = fopen(BOOT_ID, "re");
    int rc = 0;

    if (file == NULL)
        return -errno;
    if (fgets(ret, (int)size, file) == NULL)
        rc = -EIO;
    fclose(file);
    return rc;
}

/* What the file of a node that speaks ctrl has in it. */
static int write_answer(const char *node, char *ret, size_t size)
{
    char boot_id[64];
    struct stat st;
    const int rc = read_boot_id(boot_id, sizeof(boot_id));

    if (rc < 0)
        return rc;
    if (stat(node, &st) < 0)
        return -errno;
    snprintf(ret, size, "ctrl\ndev %llx\ninode %llx\nrdev %llx\nctime %lld.%09ld\nboot %s",
             (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
             (unsigned long long)st.st_rdev, (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
             boot_id);
    return 0;
}

/* A descriptor of the folder, or -errno. `make`: it need not be there yet. */
static int open_folder(bool make)
{
    const char *run = secure_getenv("ESP_HOSTED_RUN");
    char path[PATH_MAX];

    if (run == NULL || run[0] == '\0')
        run = "/run";
    if (snprintf(path, sizeof(path), "%s/" FOLDER, run) >= (int)sizeof(path))
        return -ENAMETOOLONG;

    const bool made = make && mkdir(path, 0755) == 0;
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (made)
        fchmod(fd, 0755); /* whatever the umask: what root found out is of use to others, too */
    return fd;
}

/* Nobody but root and this user may make us ask classic firmware for what makes it panic. */
static bool is_trusted(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           (st.st_uid == 0 || st.st_uid == geteuid()) && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int read_answer(int folder, const char *name, char *ret, size_t size)
{
    /* Not blocking: somebody may have put a pipe there. */
    const int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = -1;

    if (fd < 0)
        return -errno;
    if (is_trusted(fd))
        n = read(fd, ret, size - 1);
    close(fd);
    if (n < 0)
        return -EACCES;
    ret[n] = '\0';
    return 0;
}

static bool is_kept(const char *node, int folder, const char *name)
{
    char found[ANSWER_BYTES];
    char answer[ANSWER_BYTES];

    return read_answer(folder, name, found, sizeof(found)) == 0 &&
           write_answer(node, answer, sizeof(answer)) == 0 && strcmp(found, answer) == 0;
}

bool kept_dialect_is_ctrl(const char *path)
{
    char name[NAME_MAX + 1];
    char node[PATH_MAX];

    if (realpath(path, node) == NULL || name_answer(node, name, sizeof(name)) < 0)
        return false;

    const int folder = open_folder(false);

    if (folder < 0)
        return false;

    const bool kept = is_kept(node, folder, name);

    close(folder);
    return kept;
}

static int write_whole(int folder, const char *name, const char *text)
{
    const size_t len = strlen(text);
    const int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0)
        return -errno;
    fchmod(fd, 0644); /* whatever the umask */

    const bool whole = write(fd, text, len) == (ssize_t)len;

    return close(fd) == 0 && whole ? 0 : -EIO;
}

/* Under a name that no answer has, then in its place in one step. */
static void replace_answer(int folder, const char *name, const char *answer)
{
    char fresh[32];

    snprintf(fresh, sizeof(fresh), "new.%ld", (long)getpid());
    unlinkat(folder, fresh, 0); /* a predecessor of this process id may have died in between */
    if (write_whole(folder, fresh, answer) < 0 || renameat(folder, fresh, folder, name) < 0)
        unlinkat(folder, fresh, 0);
}

void kept_dialect_mark(const char *path, struct kept_mark *ret)
{
    char node[PATH_MAX];

    if (realpath(path, node) == NULL || write_answer(node, ret->text, sizeof(ret->text)) < 0)
        ret->text[0] = '\0';
}

void kept_dialect_keep_ctrl(const char *path, const struct kept_mark *mark)
{
    char name[NAME_MAX + 1];
    char node[PATH_MAX];

    if (mark->text[0] == '\0' || realpath(path, node) == NULL ||
        name_answer(node, name, sizeof(name)) < 0)
        return;

    const int folder = open_folder(true);

    if (folder < 0)
        return;
    replace_answer(folder, name, mark->text);
    close(folder);
}

/* Changes the node's ctime, as far as we may: until it is another one than at the start. */
static void touch(const char *node)
{
    const struct timespec pause = {.tv_nsec = TOUCH_PAUSE_MS * 1000000L};
    struct stat before;
    struct stat now;

    if (stat(node, &before) < 0)
        return;
    for (int i = 0; i < TOUCHES; i++) {
        if (utimensat(AT_FDCWD, node, NULL, 0) < 0 || stat(node, &now) < 0 ||
            now.st_ctim.tv_sec != before.st_ctim.tv_sec ||
            now.st_ctim.tv_nsec != before.st_ctim.tv_nsec)
            return;
        nanosleep(&pause, NULL);
    }
}

void kept_dialect_forget(const char *path)
{
    char name[NAME_MAX + 1];
    char node[PATH_MAX];

    if (realpath(path, node) == NULL || name_answer(node, name, sizeof(name)) < 0)
        return;

    const int folder = open_folder(false);

    if (folder >= 0) {
        unlinkat(folder, name, 0);
        close(folder);
    }
    /* And always: the answer may be another's, and in a container's own /run. */
    touch(node);
}
