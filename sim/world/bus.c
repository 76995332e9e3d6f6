/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unix_socket.h"

/* Enough for a burst of Wi-Fi frames; what the kernel caps it to will do as well. */
#define SEND_BUFFER_BYTES (1024 * 1024)

int bus_listen(struct bus *bus, const char *path)
{
    bus->client = -1;
    bus->listener = unix_socket_listen(path, SOCK_SEQPACKET);
    return bus->listener < 0 ? bus->listener : 0;
}

bool bus_accept(struct bus *bus)
{
    const int client = accept4(bus->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    const int size = SEND_BUFFER_BYTES;

    if (client < 0)
        return false;
    if (bus->client >= 0) {
        close(client);
        return false;
    }
    setsockopt(client, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    bus->client = client;
    return true;
}

static bool hung_up(int client)
{
    struct pollfd state = {.fd = client, .events = POLLRDHUP};

    return poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static int drop_client(struct bus *bus)
{
    close(bus->client);
    bus->client = -1;
    return -EPIPE;
}

int bus_receive(struct bus *bus, uint8_t *buf, size_t size)
{
    if (bus->client < 0)
        return -EPIPE;

    const ssize_t len = recv(bus->client, buf, size, MSG_TRUNC);

    if (len < 0)
        return errno == EAGAIN || errno == EINTR ? -EAGAIN : drop_client(bus);
    if (len == 0 && hung_up(bus->client)) /* else an empty packet */
        return drop_client(bus);
    return (size_t)len > size ? 0 : (int)len;
}

void bus_send(const struct bus *bus, const uint8_t *frame, size_t len)
{
    if (bus->client >= 0)
        (void)!send(bus->client, frame, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool bus_has_room(const struct bus *bus)
{
    struct pollfd state = {.fd = bus->client, .events = POLLOUT};

    return bus->client < 0 || poll(&state, 1, 0) > 0;
}

bool bus_is_drained(const struct bus *bus)
{
    int unread = 0;

    if (bus->client < 0 || hung_up(bus->client))
        return true;
    return ioctl(bus->client, SIOCOUTQ, &unread) < 0 || unread == 0;
}
