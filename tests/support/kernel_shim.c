/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For LD_PRELOAD: what tools find in a kernel with upstream's driver and with Bluetooth, neither of
 * which is here.
 *
 *   SHIM_DRIVER=1     a pty does not say that it is one: so it passes for the driver's node
 *   SHIM_BUSY=PATH    the driver takes one opener, and has one: PATH cannot be opened
 *   SHIM_CLOCK=PATH   so many seconds as stand in PATH have passed beside those that really have
 *   SHIM_HCI=6:1,3:0  Bluetooth adapters hci0, hci1, ..., each with its bus and its flags
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int hci_fd = -1;

static int open_unless_busy(const char *name, const char *path, int flags, mode_t mode)
{
    const char *busy = getenv("SHIM_BUSY");
    int (*next)(const char *, int, ...);

    *(void **)&next = dlsym(RTLD_NEXT, name);
    if (busy == NULL || strcmp(busy, path) != 0)
        return next(path, flags, mode);
    errno = EBUSY;
    return -1;
}

static mode_t mode_of(int flags, va_list args)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    const mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_unless_busy("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    const mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_unless_busy("open64", path, flags, mode);
}

int isatty(int fd)
{
    int (*next)(int);

    *(void **)&next = dlsym(RTLD_NEXT, "isatty");
    if (getenv("SHIM_DRIVER") == NULL)
        return next(fd);
    errno = ENOTTY;
    return 0;
}

int socket(int domain, int type, int protocol)
{
    int (*next)(int, int, int);

    *(void **)&next = dlsym(RTLD_NEXT, "socket");
    if (domain != AF_BLUETOOTH || getenv("SHIM_HCI") == NULL)
        return next(domain, type, protocol);
    hci_fd = next(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return hci_fd;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const char *path = getenv("SHIM_CLOCK");
    int (*next)(clockid_t, struct timespec *);
    long passed_s;

    *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");

    const int err = next(clock, now);
    FILE *file = path != NULL && clock == CLOCK_MONOTONIC ? fopen(path, "re") : NULL;

    if (file == NULL)
        return err;
    if (fscanf(file, "%ld", &passed_s) == 1)
        now->tv_sec += passed_s;
    fclose(file);
    return err;
}

/* The n-th adapter of SHIM_HCI. */
static bool find_adapter(unsigned n, unsigned *ret_bus, unsigned *ret_flags)
{
    const char *at = getenv("SHIM_HCI");

    while (at != NULL && n-- > 0) {
        at = strchr(at, ',');
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL && sscanf(at, "%u:%u", ret_bus, ret_flags) == 2;
}

static int list_adapters(uint8_t *data)
{
    unsigned bus, flags;
    uint16_t n = 0;

    for (; find_adapter(n, &bus, &flags); n++)
        memcpy(data + 4 + 8 * n, &n, sizeof(n));
    memcpy(data, &n, sizeof(n));
    return 0;
}

static int describe_adapter(uint8_t *data)
{
    unsigned bus, flags;
    uint16_t n;

    memcpy(&n, data, sizeof(n));
    if (!find_adapter(n, &bus, &flags)) {
        errno = ENODEV;
        return -1;
    }
    memcpy(data + 16, &flags, sizeof(uint32_t));
    data[20] = (uint8_t)bus;
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    int (*next)(int, unsigned long, ...);
    va_list args;

    va_start(args, request);
    void *data = va_arg(args, void *);
    va_end(args);
    *(void **)&next = dlsym(RTLD_NEXT, "ioctl");
    if (fd < 0 || fd != hci_fd)
        return next(fd, request, data);
    return request == _IOR('H', 210, int) ? list_adapters(data) : describe_adapter(data);
}
