/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unix_socket.h"

#define REPLY_BYTES 1024

int ctl_listen(struct ctl *ctl, const char *path)
{
    ctl->listener = -1;
    for (int i = 0; i < CTL_MAX_CLIENTS; i++)
        ctl->clients[i].fd = -1;
    if (path == NULL)
        return 0;
    ctl->listener = unix_socket_listen(path, SOCK_STREAM);
    return ctl->listener < 0 ? ctl->listener : 0;
}

static void drop(struct ctl_client *client)
{
    close(client->fd);
    client->fd = -1;
    client->len = 0;
}

void ctl_accept(struct ctl *ctl)
{
    const int fd = accept4(ctl->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    for (int i = 0; i < CTL_MAX_CLIENTS; i++) {
        if (ctl->clients[i].fd < 0) {
            ctl->clients[i] = (struct ctl_client){.fd = fd};
            return;
        }
    }
    close(fd);
}

void ctl_read(struct ctl *ctl, int client)
{
    struct ctl_client *const from = &ctl->clients[client];
    const size_t room = sizeof(from->input) - from->len;
    const ssize_t len = recv(from->fd, from->input + from->len, room, 0);

    if (len > 0)
        from->len += (size_t)len;
    else if (len == 0 || (errno != EAGAIN && errno != EINTR))
        drop(from);
}

int ctl_next_line(struct ctl *ctl, char ret_line[CTL_LINE_BYTES])
{
    for (int i = 0; i < CTL_MAX_CLIENTS; i++) {
        struct ctl_client *const client = &ctl->clients[i];
        const char *const end = memchr(client->input, '\n', client->len);

        if (end != NULL) {
            const size_t len = (size_t)(end - client->input);

            memcpy(ret_line, client->input, len);
            ret_line[len] = '\0';
            client->len -= len + 1;
            memmove(client->input, end + 1, client->len);
            return i;
        }
        if (client->len == sizeof(client->input))
            drop(client);
    }
    return -1;
}

void ctl_reply(struct ctl *ctl, int client, const char *format, ...)
{
    char line[REPLY_BYTES];
    va_list args;

    if (ctl->clients[client].fd < 0)
        return;
    va_start(args, format);

    vsnprintf(line, sizeof(line) - 1, format, args);
    va_end(args);

    const size_t len = strlen(line);

    line[len] = '\n';
    (void)!send(ctl->clients[client].fd, line, len + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}
