/* SPDX-License-Identifier: Apache-2.0 */
#include "control_pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Through the master: opening the slave for it would look like one more tool. */
static void make_raw(int master)
{
    struct termios mode;

    if (tcgetattr(master, &mode) < 0)
        return;
    cfmakeraw(&mode);
    mode.c_cflag |= CLOCAL;
    tcsetattr(master, TCSAFLUSH, &mode); /* and drops what the slave has not read */
}

/* Until the slave has been open once, the kernel does not report it as closed. */
static int prepare_slave(const char *slave, gid_t group)
{
    const int fd = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
    int rc = 0;

    if (fd < 0)
        return -errno;
    if (group != CONTROL_PTY_NO_GROUP && (fchown(fd, (uid_t)-1, group) < 0 || fchmod(fd, 0660) < 0))
        rc = -errno;
    close(fd);
    return rc;
}

static int put_link(const struct control_pty *pty)
{
    char name[PATH_MAX];
    struct stat there;

    if (lstat(pty->link, &there) == 0 && !S_ISLNK(there.st_mode))
        return -EEXIST;
    if (snprintf(name, sizeof(name), "%s.%ld", pty->link, (long)getpid()) >= (int)sizeof(name))
        return -ENAMETOOLONG;

    unlink(name); /* a predecessor of this process id may have died in between */
    if (symlink(pty->slave, name) < 0)
        return -errno;
    if (rename(name, pty->link) < 0) {
        const int err = errno;

        unlink(name);
        return -err;
    }
    return 0;
}

int control_pty_open(struct control_pty *pty, const char *link, gid_t group)
{
    int rc = 0;

    *pty = (struct control_pty){.link = link};
    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (pty->master < 0)
        return -errno;

    if (grantpt(pty->master) < 0 || unlockpt(pty->master) < 0 ||
        ptsname_r(pty->master, pty->slave, sizeof(pty->slave)) != 0)
        rc = -errno;
    if (rc == 0)
        rc = prepare_slave(pty->slave, group);
    if (rc == 0) {
        make_raw(pty->master);
        rc = put_link(pty);
    }
    if (rc < 0)
        close(pty->master);
    return rc;
}

void control_pty_close(struct control_pty *pty)
{
    char leads_to[sizeof(pty->slave)];
    const ssize_t len = readlink(pty->link, leads_to, sizeof(leads_to));

    if (len == (ssize_t)strlen(pty->slave) && memcmp(leads_to, pty->slave, (size_t)len) == 0)
        unlink(pty->link);
    close(pty->master);
    pty->master = -1;
}

size_t control_pty_read(struct control_pty *pty, uint8_t *buf, size_t size, bool *ret_closed)
{
    const ssize_t n = read(pty->master, buf, size);

    if (n > 0)
        return (size_t)n;
    *ret_closed = n < 0 && errno == EIO; /* so the kernel says it, behind the last byte */
    return 0;
}

static bool has_reader(const struct control_pty *pty)
{
    struct pollfd master = {.fd = pty->master};

    return poll(&master, 1, 0) == 0 || (master.revents & POLLHUP) == 0;
}

void control_pty_write(struct control_pty *pty, const uint8_t *data, size_t len)
{
    if (!has_reader(pty)) {
        pty->unheard_frames++;
        return;
    }
    control_pty_flush(pty);
    if (len > sizeof(pty->queue) - pty->queued) {
        pty->overflow_frames++;
        return;
    }
    memcpy(pty->queue + pty->queued, data, len);
    pty->queued += len;
    control_pty_flush(pty);
}

void control_pty_flush(struct control_pty *pty)
{
    while (pty->queued > 0) {
        const ssize_t n = write(pty->master, pty->queue, pty->queued);

        if (n <= 0)
            return;
        pty->queued -= (size_t)n;
        memmove(pty->queue, pty->queue + n, pty->queued);
    }
}

void control_pty_reset(struct control_pty *pty)
{
    pty->queued = 0;
    tcflush(pty->master, TCOFLUSH); /* on its way to the slave, before make_raw() empties that */
    make_raw(pty->master);
}
