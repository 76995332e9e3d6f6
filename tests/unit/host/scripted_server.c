/* SPDX-License-Identifier: Apache-2.0 */
#include "scripted_server.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(bool good)
{
    if (!good)
        abort();
}

static void answer(struct server *server, int peer, const struct said *said, bool last)
{
    char request[2048];
    size_t have = 0;

    while (have < sizeof(request) - 1) {
        const ssize_t n = read(peer, request + have, sizeof(request) - 1 - have);

        if (n <= 0)
            return;
        have += (size_t)n;
        request[have] = '\0';
        if (strstr(request, "\r\n\r\n") != NULL)
            break;
    }
    strncat(server->asked, request, sizeof(server->asked) - strlen(server->asked) - 1);

    const size_t len = said->len > 0 ? said->len : strlen(said->bytes);

    if (send(peer, said->bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
        return;
    while (last && server->flood != NULL)
        if (send(peer, server->flood, strlen(server->flood), MSG_NOSIGNAL) < 0)
            return;
    if (last && server->hold[0] >= 0)
        must(read(server->hold[0], request, 1) == 0);
}

static void *serve(void *ctx)
{
    struct server *server = ctx;

    for (size_t i = 0; i < server->count; i++) {
        const int peer = accept(server->listener, NULL, NULL);

        if (peer < 0)
            return NULL;
        answer(server, peer, &server->says[i], i == server->count - 1);
        close(peer);
    }
    shutdown(server->listener, SHUT_RDWR); /* refused, and not left to wait */
    return NULL;
}

void server_start(struct server *server, const struct said *says, size_t count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    memset(server, 0, sizeof(*server));
    server->hold[0] = server->hold[1] = -1;
    server->says = says;
    server->count = count;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(server->listener >= 0);
    must(bind(server->listener, (struct sockaddr *)&address, len) == 0);
    must(listen(server->listener, 16) == 0);
    must(getsockname(server->listener, (struct sockaddr *)&address, &len) == 0);
    server->port = ntohs(address.sin_port);
    must(pthread_create(&server->thread, NULL, serve, server) == 0);
}

void server_stop(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    if (server->hold[1] >= 0)
        close(server->hold[1]);
    pthread_join(server->thread, NULL);
    if (server->hold[0] >= 0)
        close(server->hold[0]);
    close(server->listener);
}

const char *url_of(const struct server *server, const char *credentials, const char *path)
{
    static char url[256];

    snprintf(url, sizeof(url), "http://%s127.0.0.1:%d%s", credentials, server->port, path);
    return url;
}

ssize_t source_read_all(struct hosted_source *source, char got[64], struct hosted_fault *fault)
{
    size_t have = 0;
    ssize_t n;

    while ((n = source->ops->read(source, got + have, 7, fault)) > 0)
        have += (size_t)n;
    got[have] = '\0';
    return n;
}
