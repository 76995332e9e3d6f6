/* SPDX-License-Identifier: Apache-2.0 */
#include "unix_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 8

static bool is_abandoned(const struct sockaddr_un *address, int type)
{
    struct stat status;

    if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
        return false;

    const int probe = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    if (probe < 0)
        return false;

    const bool refused = connect(probe, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
                         errno == ECONNREFUSED;

    close(probe);
    return refused;
}

int unix_socket_listen(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    if (is_abandoned(&address, type))
        unlink(path);

    const int listener = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (listener < 0)
        return -errno;
    if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(listener, BACKLOG) < 0) {
        const int rc = -errno;

        close(listener);
        return rc;
    }
    return listener;
}
