/* SPDX-License-Identifier: Apache-2.0 */
#include "lock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fault.h"

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

int lock_busy(const char *path, struct hosted_fault *fault)
{
    const pid_t holder = lock_holder(path);

    if (holder == 0)
        return fault_set(fault, HOSTED_BUSY, -EBUSY, "%s: busy: another process holds it", path);
    return fault_set(fault, HOSTED_BUSY, -EBUSY, "%s: busy: process %d holds it", path,
                     (int)holder);
}

int lock_take(int fd, const char *path, struct hosted_fault *fault)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return lock_busy(path, fault);
    return fault_errno(fault, HOSTED_LOCAL, errno, path);
}
