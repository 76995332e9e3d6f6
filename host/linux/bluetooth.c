/* SPDX-License-Identifier: Apache-2.0 */
#include "bluetooth.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.h"

/*
 * What Linux has in include/net/bluetooth/{bluetooth,hci,hci_sock}.h, which are no headers for user
 * space; those of libbluetooth would be one more package for a few numbers.
 */
#define BTPROTO_HCI   1
#define HCIGETDEVLIST _IOR('H', 210, int)
#define HCIGETDEVINFO _IOR('H', 211, int)
#define HCI_MAX_DEV   16
#define HCI_UP        (1U << 0)
#define HCI_SDIO      6
#define HCI_SPI       7

struct hci_dev_req {
    uint16_t dev_id;
    uint32_t dev_opt; /* flags */
};

struct hci_dev_list {
    uint16_t dev_num; /* in: room, out: filled */
    struct hci_dev_req dev_req[HCI_MAX_DEV];
};

struct hci_dev_info {
    uint16_t dev_id;
    char name[8];
    uint8_t bdaddr[6];
    uint32_t flags;
    uint8_t type; /* the bus in its low four bits */
    uint8_t features[8];
    uint32_t pkt_type, link_policy, link_mode;
    uint16_t acl_mtu, acl_pkts, sco_mtu, sco_pkts;
    uint32_t stat[10];
};

_Static_assert(sizeof(struct hci_dev_req) == 8, "as the kernel has it");
_Static_assert(sizeof(struct hci_dev_info) == 92, "as the kernel has it");

/* An adapter on such a bus may be another chip's; the kernel does not say whose. */
static bool is_in_use(int fd, uint16_t dev_id)
{
    struct hci_dev_info info = {.dev_id = dev_id};

    if (ioctl(fd, HCIGETDEVINFO, &info) < 0)
        return false;

    const unsigned bus = info.type & 0x0f;

    return (bus == HCI_SDIO || bus == HCI_SPI) && (info.flags & HCI_UP) != 0;
}

/* The number of an adapter that stands against an update, or -1. */
static int find_in_use(int fd)
{
    struct hci_dev_list list = {.dev_num = HCI_MAX_DEV};

    if (ioctl(fd, HCIGETDEVLIST, &list) < 0)
        return -1;
    for (unsigned i = 0; i < list.dev_num && i < HCI_MAX_DEV; i++)
        if (is_in_use(fd, list.dev_req[i].dev_id))
            return list.dev_req[i].dev_id;
    return -1;
}

int bluetooth_check(const char *path, struct hosted_fault *fault)
{
    const int fd = socket(AF_BLUETOOTH, SOCK_RAW | SOCK_CLOEXEC, BTPROTO_HCI);

    if (fd < 0) /* no Bluetooth in this kernel, or not for us */
        return 0;

    const int adapter = find_in_use(fd);

    close(fd);
    if (adapter < 0)
        return 0;
    fault_set(fault, HOSTED_BUSY, -EBUSY,
              "%s: hci%d is up: stop Bluetooth first (bluetoothctl power off, or hciconfig hci%d "
              "down)",
              path, adapter, adapter);
    return fault_hint(fault, HOSTED_HINT_ALLOW_BLUETOOTH, -EBUSY);
}
