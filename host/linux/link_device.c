/* SPDX-License-Identifier: Apache-2.0 */
#include "link_device.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cancel.h"
#include "descriptor.h"
#include "fault.h"
#include "lock.h"

struct link_device {
    struct link link;
    int fd;
    bool is_tty;
};

/* A pty whose other end was closed says EIO, a driver whose chip has gone ENODEV or ENXIO. */
static int link_error(int error)
{
    return error == EIO || error == ENXIO || error == EPIPE || error == ECONNRESET ? -ENODEV
                                                                                   : -error;
}

static int device_send(struct link *link, const void *message, size_t len, int64_t deadline_ms)
{
    const struct link_device *device = (const struct link_device *)link;
    const char *next = message;

    for (;;) {
        const ssize_t sent = write(device->fd, next, len);

        if (sent == (ssize_t)len)
            return 0;
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return link_error(errno);
        /* A driver takes a message in one write or not at all: half of one is lost. */
        if (sent >= 0 && !device->is_tty)
            return -EIO;
        if (sent > 0) {
            next += sent;
            len -= (size_t)sent;
        }

        const int err = cancel_wait_fd(NULL, device->fd, POLLOUT, deadline_ms);

        if (err < 0)
            return err;
    }
}

static ssize_t device_receive(struct link *link, void *buf, size_t size, int64_t deadline_ms,
                              const struct hosted_cancel *cancel)
{
    const struct link_device *device = (const struct link_device *)link;

    for (;;) {
        const int err = cancel_wait_fd(cancel, device->fd, POLLIN, deadline_ms);

        if (err < 0)
            return err;

        const ssize_t got = read(device->fd, buf, size);

        if (got > 0)
            return got;
        if (got == 0)
            return -ENODEV;
        if (errno != EAGAIN && errno != EINTR)
            return link_error(errno);
    }
}

static ssize_t device_take(struct link *link, void *buf, size_t size)
{
    const struct link_device *device = (const struct link_device *)link;

    for (;;) {
        const ssize_t got = read(device->fd, buf, size);

        if (got > 0)
            return got;
        if (got == 0)
            return -ENODEV;
        if (errno == EAGAIN)
            return 0;
        if (errno != EINTR)
            return link_error(errno);
    }
}

static void device_close(struct link *link)
{
    struct link_device *device = (struct link_device *)link;

    close(device->fd);
    free(device);
}

static const struct link_ops device_ops = {
    .send = device_send,
    .receive = device_receive,
    .take = device_take,
    .close = device_close,
};

int link_device_new(int fd, struct link **ret)
{
    struct link_device *device = malloc(sizeof(*device));

    if (device == NULL) {
        close(fd);
        return -ENOMEM;
    }
    const bool is_tty = isatty(fd) != 0;

    *device = (struct link_device){
        .link = {.ops = &device_ops, .kernel_driver = !is_tty}, /* esp-hostedd's is a pty */
        .fd = fd,
        .is_tty = is_tty,
    };
    *ret = &device->link;
    return 0;
}

/* Raw and without echo, and left so: with echo a late reply would go back as a request. */
static int make_raw(int fd)
{
    struct termios tio;

    if (tcgetattr(fd, &tio) < 0)
        return errno == ENOTTY ? 0 : -errno;
    cfmakeraw(&tio);
    tio.c_cc[VMIN] = 1;
    tio.c_cc[VTIME] = 0;
    return tcsetattr(fd, TCSANOW, &tio) < 0 ? -errno : 0;
}

static int check_node(int fd, const char *path, struct hosted_fault *fault)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return fault_errno(fault, HOSTED_NO_ANSWER, errno, path);
    if (!S_ISCHR(st.st_mode)) /* written to, a file would be spoilt */
        return fault_set(fault, HOSTED_NO_ANSWER, -ENOTTY, "%s: not a character device", path);
    return 0;
}

int link_open(const char *path, struct link **ret, struct hosted_fault *fault)
{
    const int fd =
        descriptor_above_standard(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));

    if (fd == -EBUSY)
        return lock_busy(path, fault); /* upstream's driver takes one opener */
    if (fd < 0)
        return fault_errno(fault, HOSTED_NO_ANSWER, fd, path);

    int err = check_node(fd, path, fault);

    if (err == 0)
        err = lock_take(fd, path, fault);
    if (err < 0) {
        close(fd);
        return err;
    }
    err = make_raw(fd);
    if (err < 0) {
        close(fd);
        return fault_errno(fault, HOSTED_NO_ANSWER, err, path);
    }
    err = link_device_new(fd, ret);
    return err < 0 ? fault_errno(fault, HOSTED_LOCAL, err, path) : 0;
}
