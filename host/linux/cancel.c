/* SPDX-License-Identifier: Apache-2.0 */
#include "cancel.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "descriptor.h"
#include "link.h"

struct hosted_cancel {
    atomic_bool requested;
    int fd;
};

int hosted_cancel_new(struct hosted_cancel **ret)
{
    struct hosted_cancel *cancel = malloc(sizeof(*cancel));

    if (cancel == NULL)
        return -ENOMEM;
    atomic_init(&cancel->requested, false);
    cancel->fd = descriptor_above_standard(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (cancel->fd < 0) {
        const int err = cancel->fd;

        free(cancel);
        return err;
    }
    *ret = cancel;
    return 0;
}

void hosted_cancel_request(struct hosted_cancel *cancel)
{
    const int saved_errno = errno; /* this may be a signal handler */
    const uint64_t one = 1;

    atomic_store(&cancel->requested, true);
    /* It can only fail with the counter at its limit, where the descriptor is readable too. */
    if (write(cancel->fd, &one, sizeof(one)) < 0)
        errno = saved_errno;
}

bool hosted_cancel_requested(const struct hosted_cancel *cancel)
{
    return atomic_load(&cancel->requested);
}

void hosted_cancel_free(struct hosted_cancel *cancel)
{
    if (cancel == NULL)
        return;
    close(cancel->fd);
    free(cancel);
}

int cancel_fd(const struct hosted_cancel *cancel)
{
    return cancel != NULL ? cancel->fd : -1;
}

static int left_ms(int64_t deadline_ms)
{
    if (deadline_ms == INT64_MAX)
        return -1;

    const int64_t left = deadline_ms - clock_ms();

    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

int cancel_wait_fd(const struct hosted_cancel *cancel, int fd, short events, int64_t deadline_ms)
{
    struct pollfd fds[] = {
        {.fd = fd, .events = events},
        {.fd = cancel_fd(cancel), .events = POLLIN},
    };
    int ready;

    do
        ready = poll(fds, 2, left_ms(deadline_ms));
    while (ready < 0 && errno == EINTR);

    if (ready < 0)
        return -errno;
    if (fds[1].revents != 0)
        return -ECANCELED;
    return ready > 0 ? 0 : -ETIMEDOUT;
}
