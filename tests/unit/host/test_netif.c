/* SPDX-License-Identifier: Apache-2.0 */
/* In a network namespace of its own; skipped where that, or a TAP in it, is not allowed. */
#include "hosted/netif.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define MAC "24:0a:c4:11:22:33"

static int tap = -1;

static void make_world(void)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};

    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return;
    strcpy(request.ifr_name, HOSTED_STATION_INTERFACE);
    tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (tap >= 0 && ioctl(tap, TUNSETIFF, &request) < 0) {
        close(tap);
        tap = -1;
    }
}

static struct ifreq look(unsigned long what)
{
    struct ifreq request = {0};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);

    strcpy(request.ifr_name, HOSTED_STATION_INTERFACE);
    assert_int_equal(ioctl(fd, what, &request), 0);
    close(fd);
    return request;
}

static bool is_up(void)
{
    return look(SIOCGIFFLAGS).ifr_flags & IFF_UP;
}

static void set_flags(short flags)
{
    struct ifreq request = look(SIOCGIFFLAGS);
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);

    request.ifr_flags = (short)(request.ifr_flags | flags);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

static void it_comes_up_with_its_mac_and_goes_down(void **state)
{
    (void)state;
    static const uint8_t mac[] = {0x24, 0x0a, 0xc4, 0x11, 0x22, 0x33};
    struct hosted_fault fault;

    if (tap < 0)
        skip();
    set_flags(IFF_PROMISC); /* somebody else's flag */
    assert_int_equal(hosted_netif_up(HOSTED_STATION_INTERFACE, MAC, &fault), 0);
    assert_true(is_up());
    assert_memory_equal(look(SIOCGIFHWADDR).ifr_hwaddr.sa_data, mac, sizeof(mac));
    assert_true(look(SIOCGIFFLAGS).ifr_flags & IFF_PROMISC);

    assert_int_equal(hosted_netif_up(HOSTED_STATION_INTERFACE, "24:0A:C4:11:22:34", &fault), 0);
    assert_true(is_up());
    assert_int_equal(look(SIOCGIFHWADDR).ifr_hwaddr.sa_data[5], 0x34);

    assert_int_equal(hosted_netif_down(HOSTED_STATION_INTERFACE, &fault), 0);
    assert_false(is_up());
    assert_int_equal(hosted_netif_down(HOSTED_STATION_INTERFACE, &fault), 0);
}

static void a_mac_that_no_interface_can_have(void **state)
{
    (void)state;
    struct hosted_fault fault;

    if (tap < 0)
        skip();
    assert_int_equal(hosted_netif_up(HOSTED_STATION_INTERFACE, "01:00:5e:00:00:01", &fault),
                     -EADDRNOTAVAIL);
    assert_int_equal(fault.status, HOSTED_LOCAL);
    assert_non_null(strstr(fault.text, "ethsta0: cannot get its MAC address"));
}

static void what_is_no_interface_says_so(void **state)
{
    (void)state;
    struct hosted_fault fault;

    assert_int_equal(hosted_netif_up("no-such-if0", MAC, &fault), -ENODEV);
    assert_int_equal(fault.status, HOSTED_LOCAL);
    assert_string_equal(fault.text, "no-such-if0: there is no such network interface");
    assert_int_equal(hosted_netif_down("no-such-if0", &fault), -ENODEV);
    assert_int_equal(hosted_netif_up("a-name-that-is-too-long-for-the-kernel", MAC, &fault),
                     -ENODEV);
    assert_int_equal(hosted_netif_up(HOSTED_STATION_INTERFACE, "nonsense", &fault), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_up_with_its_mac_and_goes_down),
        cmocka_unit_test(a_mac_that_no_interface_can_have),
        cmocka_unit_test(what_is_no_interface_says_so),
    };

    make_world();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
