/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_sim.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int sim_open(struct bus *bus)
{
    struct bus_sim *sim = (struct bus_sim *)bus;
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&sim->address, sizeof(sim->address)) < 0) {
        const int err = errno;

        close(fd);
        return -err;
    }
    sim->fd = fd;
    return 0;
}

static int sim_fd(const struct bus *bus)
{
    return ((const struct bus_sim *)bus)->fd;
}

static int sim_send(struct bus *bus, const uint8_t *frame, size_t len)
{
    const struct bus_sim *sim = (const struct bus_sim *)bus;

    return send(sim->fd, frame, len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int sim_receive(struct bus *bus, uint8_t *buf, size_t size)
{
    const struct bus_sim *sim = (const struct bus_sim *)bus;
    const ssize_t n = recv(sim->fd, buf, size, 0);

    if (n < 0)
        return -errno;
    return n == 0 ? -ECONNRESET : (int)n; /* no frame is empty: this is the end of the stream */
}

static void sim_close(struct bus *bus)
{
    struct bus_sim *sim = (struct bus_sim *)bus;

    if (sim->fd >= 0)
        close(sim->fd);
    sim->fd = -1;
}

static const struct bus_ops sim_ops = {
    .open = sim_open,
    .fd = sim_fd,
    .send = sim_send,
    .receive = sim_receive,
    .close = sim_close,
};

int bus_sim_init(struct bus_sim *sim, const char *path)
{
    const size_t len = strlen(path);

    if (len >= sizeof(sim->address.sun_path))
        return -ENAMETOOLONG;
    *sim = (struct bus_sim){.bus.ops = &sim_ops, .address.sun_family = AF_UNIX, .fd = -1};
    memcpy(sim->address.sun_path, path, len + 1);
    return 0;
}
