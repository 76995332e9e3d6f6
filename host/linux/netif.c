/* SPDX-License-Identifier: Apache-2.0 */
#include "hosted/netif.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.h"
#include "text.h"

struct netif {
    const char *name;
    int fd;
    struct ifreq flags; /* as the kernel last said */
};

static int netif_fault(const char *name, const char *action, int error, struct hosted_fault *fault)
{
    if (error == ENODEV)
        return fault_set(fault, HOSTED_LOCAL, -ENODEV, "%s: there is no such network interface",
                         name);
    return fault_set(fault, HOSTED_LOCAL, -error, "%s: %s: %s", name, action, strerror(error));
}

/* Reads the flags too: whoever writes them blindly takes away what others have set. */
static int netif_open(struct netif *netif, const char *name, struct hosted_fault *fault)
{
    *netif = (struct netif){.name = name, .fd = -1};
    if (strlen(name) >= IFNAMSIZ)
        return netif_fault(name, "", ENODEV, fault);
    strcpy(netif->flags.ifr_name, name);

    netif->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (netif->fd < 0)
        return netif_fault(name, "no socket", errno, fault);
    if (ioctl(netif->fd, SIOCGIFFLAGS, &netif->flags) < 0) {
        const int error = errno;

        close(netif->fd);
        return netif_fault(name, "cannot be looked at", error, fault);
    }
    return 0;
}

static int set_up(struct netif *netif, bool up, struct hosted_fault *fault)
{
    const short before = netif->flags.ifr_flags;

    netif->flags.ifr_flags = (short)(up ? before | IFF_UP : before & ~IFF_UP);
    if (netif->flags.ifr_flags == before)
        return 0;
    if (ioctl(netif->fd, SIOCSIFFLAGS, &netif->flags) == 0)
        return 0;

    const int error = errno;

    netif->flags.ifr_flags = before;
    return netif_fault(netif->name, up ? "cannot be brought up" : "cannot be taken down", error,
                       fault);
}

static bool has_mac(const struct netif *netif, const uint8_t mac[6])
{
    struct ifreq request = netif->flags;

    return ioctl(netif->fd, SIOCGIFHWADDR, &request) == 0 &&
           memcmp(request.ifr_hwaddr.sa_data, mac, 6) == 0;
}

static int set_mac(const struct netif *netif, const uint8_t mac[6], struct hosted_fault *fault)
{
    struct ifreq request = netif->flags;

    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memset(request.ifr_hwaddr.sa_data, 0, sizeof(request.ifr_hwaddr.sa_data));
    memcpy(request.ifr_hwaddr.sa_data, mac, 6);
    if (ioctl(netif->fd, SIOCSIFHWADDR, &request) == 0)
        return 0;
    return netif_fault(netif->name, "cannot get its MAC address", errno, fault);
}

int hosted_netif_up(const char *interface, const char *mac, struct hosted_fault *fault)
{
    uint8_t bytes[6];
    struct netif netif;

    if (!text_is_mac(mac, bytes))
        return fault_set(fault, HOSTED_LOCAL, -EINVAL, "%s: '%s' is no MAC address", interface,
                         mac);

    int err = netif_open(&netif, interface, fault);

    if (err < 0)
        return err;
    /* Taking it down would lose routes: only where it must be. */
    if (!has_mac(&netif, bytes)) {
        err = set_up(&netif, false, fault);
        if (err == 0)
            err = set_mac(&netif, bytes, fault);
    }
    if (err == 0)
        err = set_up(&netif, true, fault);
    close(netif.fd);
    return err;
}

int hosted_netif_down(const char *interface, struct hosted_fault *fault)
{
    struct netif netif;
    int err = netif_open(&netif, interface, fault);

    if (err < 0)
        return err;
    err = set_up(&netif, false, fault);
    close(netif.fd);
    return err;
}
