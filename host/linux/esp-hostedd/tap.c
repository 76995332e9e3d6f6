/* SPDX-License-Identifier: Apache-2.0 */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int tap_open(const char *name, const char **ret_step)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    const int fd = open(TAP_CLONE_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0) {
        *ret_step = "cannot open " TAP_CLONE_DEVICE;
        return -errno;
    }
    strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
    if (ioctl(fd, TUNSETIFF, &request) < 0) {
        const int err = errno;

        close(fd);
        *ret_step = err == EINVAL  ? "an interface of that name is no TAP"
                    : err == EBUSY ? "another program has it"
                                   : "cannot make the interface";
        return -err;
    }
    tap_set_carrier(fd, false);
    return fd;
}

int tap_set_carrier(int tap, bool on)
{
    int carrier = on;

    return ioctl(tap, TUNSETCARRIER, &carrier) < 0 ? -errno : 0;
}
