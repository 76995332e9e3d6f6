/* SPDX-License-Identifier: Apache-2.0 */
#include "lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fault.h"
#include "text.h"

pid_t lock_holder(const char *path)
{
    struct stat st;
    FILE *locks = fopen("/proc/locks", "re");
    char line[128];
    pid_t holder = 0;

    if (locks == NULL)
        return 0;
    if (stat(path, &st) < 0) {
        fclose(locks);
        return 0;
    }
    while (holder == 0 && fgets(line, sizeof(line), locks) != NULL) {
        unsigned major_no, minor_no;
        unsigned long inode;
        int pid;

        /* "1: FLOCK  ADVISORY  WRITE 4711 00:18:5 0 EOF"; a waiting one has "->" before FLOCK. */
        if (sscanf(line, "%*u: FLOCK %*s %*s %d %x:%x:%lu", &pid, &major_no, &minor_no, &inode) ==
                4 &&
            inode == st.st_ino && major_no == major(st.st_dev) && minor_no == minor(st.st_dev))
            holder = pid;
    }
    fclose(locks);
    return holder > 0 ? holder : 0; /* a process of another namespace is shown as 0 or -1 */
}

/* Another node of the same device counts too: the driver knows no names. */
static bool is_same_device(const struct statx *a, const struct statx *b)
{
    if (S_ISCHR(a->stx_mode) && S_ISCHR(b->stx_mode))
        return a->stx_rdev_major == b->stx_rdev_major && a->stx_rdev_minor == b->stx_rdev_minor;
    return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
           a->stx_dev_minor == b->stx_dev_minor;
}

/* Of any file that anybody has open, a stalled network's too: its server is not asked. */
static bool look_at(int folder, const char *name, struct statx *ret)
{
    return statx(folder, name, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, ret) == 0;
}

/* Whether the process whose folder in /proc this is has the device open, as far as one may know. */
static bool has_open(int proc, const char *pid, const struct statx *device)
{
    char name[32];
    const struct dirent *entry;
    bool found = false;

    snprintf(name, sizeof(name), "%.20s/fd", pid);

    const int fd = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *files = fd >= 0 ? fdopendir(fd) : NULL;

    if (files == NULL) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    while (!found && (entry = readdir(files)) != NULL) {
        struct statx file;

        found = entry->d_name[0] != '.' && look_at(fd, entry->d_name, &file) &&
                is_same_device(&file, device);
    }
    closedir(files);
    return found;
}

pid_t lock_opener(const char *path)
{
    struct statx device;
    const struct dirent *entry;
    pid_t opener = 0;
    DIR *proc = look_at(AT_FDCWD, path, &device) ? opendir("/proc") : NULL;

    if (proc == NULL)
        return 0;
    while (opener == 0 && (entry = readdir(proc)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            has_open(dirfd(proc), entry->d_name, &device))
            opener = (pid_t)strtol(entry->d_name, NULL, 10);
    closedir(proc);
    return opener;
}

/* What process `pid` calls itself, which may be anything. Empty if it has ended meanwhile. */
static void read_name(pid_t pid, char *ret, size_t size)
{
    char path[32], name[64];
    size_t len = 0;

    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);

    FILE *comm = fopen(path, "re");

    if (comm != NULL) {
        len = fread(name, 1, sizeof(name), comm);
        fclose(comm);
    }
    text_printable(ret, size, name, len > 0 ? len - 1 : 0); /* a newline ends it */
}

static int say_busy(const char *path, pid_t holder, struct hosted_fault *fault)
{
    char name[256] = "";

    if (holder > 0)
        read_name(holder, name, sizeof(name));
    if (holder <= 0)
        return fault_set(fault, HOSTED_BUSY, -EBUSY, "%s: busy: another process holds it", path);
    if (name[0] == '\0')
        return fault_set(fault, HOSTED_BUSY, -EBUSY, "%s: busy: process %d holds it", path,
                         (int)holder);
    return fault_set(fault, HOSTED_BUSY, -EBUSY, "%s: busy: process %d (%s) holds it", path,
                     (int)holder, name);
}

int lock_busy(const char *path, struct hosted_fault *fault)
{
    const pid_t holder = lock_holder(path);

    return say_busy(path, holder > 0 ? holder : lock_opener(path), fault);
}

int lock_take(int fd, const char *path, struct hosted_fault *fault)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    /* Not who has it open: that may be its driver. */
    if (errno == EWOULDBLOCK)
        return say_busy(path, lock_holder(path), fault);
    return fault_errno(fault, HOSTED_LOCAL, errno, path);
}
