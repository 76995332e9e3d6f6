/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's network interface, in a network namespace of this test's own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include <cmocka.h>

#include "peer.h"
#include "serial_tlv.h"
#include "tap.h"

#define ETHERTYPE 0x88b5 /* for local experiments (IEEE 802): no kernel sends it by itself */

static char s_interface[] = "ethsta0"; /* not const: the conditions of peer_wait() take it */

static char s_why_not[128]; /* why there can be no TAP here; empty: there can */

static int write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    const ssize_t n = write(fd, text, strlen(text));

    close(fd);
    return n < 0 ? -1 : 0;
}

/* Who is not root becomes it in a user namespace. */
static int enter_namespaces(void)
{
    char map[64];
    const uid_t user = geteuid();
    const gid_t group = getegid();

    if (user == 0)
        return unshare(CLONE_NEWNET | CLONE_NEWNS);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
        return -1;
    snprintf(map, sizeof(map), "0 %u 1", user);
    if (write_file("/proc/self/setgroups", "deny") < 0 || write_file("/proc/self/uid_map", map) < 0)
        return -1;
    snprintf(map, sizeof(map), "0 %u 1", group);
    return write_file("/proc/self/gid_map", map);
}

static int group_setup(void **state)
{
    const char *step = "";

    (void)state;
    if (enter_namespaces() < 0) {
        snprintf(s_why_not, sizeof(s_why_not), "no namespaces: %s", strerror(errno));
        return 0;
    }
    const int tap = tap_open("probe", &step);

    if (tap < 0)
        snprintf(s_why_not, sizeof(s_why_not), "%s: %s", step, strerror(-tap));
    else
        close(tap);
    return 0;
}

static void skip_where_impossible(void)
{
    if (s_why_not[0] == '\0')
        return;
    print_message("skipped: %s\n", s_why_not);
    skip();
}

static short get_flags(const char *name)
{
    struct ifreq request = {0};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    const int rc = ioctl(fd, SIOCGIFFLAGS, &request);

    close(fd);
    return rc < 0 ? -1 : request.ifr_flags;
}

static int is_missing(void *name)
{
    return get_flags(name) == -1;
}

static int is_present(void *name)
{
    return get_flags(name) != -1;
}

/* While it is up. IFF_RUNNING would say the same, but later: the kernel updates that by and by. */
static int has_carrier(void *name)
{
    struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
    struct ifreq request = {.ifr_data = (void *)&link};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    assert_int_equal(ioctl(fd, SIOCETHTOOL, &request), 0);
    close(fd);
    return link.data != 0;
}

static int has_no_carrier(void *name)
{
    return !has_carrier(name);
}

static void bring_up(void)
{
    struct ifreq request = {0};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    strncpy(request.ifr_name, s_interface, IFNAMSIZ - 1);
    request.ifr_flags = IFF_UP;
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

/* A socket for our kind of Ethernet frames on the interface. */
static int open_packet_socket(void)
{
    const struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETHERTYPE),
        .sll_ifindex = (int)if_nametoindex(s_interface),
    };
    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE));

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        fail_msg("no packet socket: %s", strerror(errno));
        abort(); /* not reached: it says to static analysis that the assertion jumps away */
    }
    return fd;
}

static void make_packet(uint8_t *packet, size_t len)
{
    memset(packet, 0xff, 6);
    memset(packet + 6, 0x02, 6);
    packet[12] = ETHERTYPE >> 8;
    packet[13] = ETHERTYPE & 0xff;
    for (size_t i = 14; i < len; i++)
        packet[i] = (uint8_t)(i * 3);
}

static void start(struct peer *peer)
{
    skip_where_impossible();
    peer_listen(peer);
    peer_start_daemon(peer, s_interface, NULL);
    peer_accept(peer);
    peer_wait_log(peer, "has booted", 1);
    bring_up();
}

/* A reply as the ESP32 gives it; its protobuf message is `len` bytes. */
static void reply(struct peer *peer, const char *data, size_t len)
{
    uint8_t message[64] = "\x01\x07\x00"
                          "control\x02";

    message[11] = (uint8_t)len;
    memcpy(message + 13, data, len);
    peer_send_serial(peer, message, 13 + len);
}

/* The same of today's firmware: its event, and the reply to a connect that comes before it. */
static void send_ctrl(struct peer *peer, const char *endpoint, const char *data, size_t len)
{
    uint8_t message[64];
    const int head = serial_tlv_head(endpoint, len, message, sizeof(message));

    assert_int_equal(head, 14);
    memcpy(message + head, data, len);
    peer_send_serial(peer, message, 14 + len);
}

#define CONNECTED     "\x08\x09\x9a\x01\x02\x08\x00"
#define DISCONNECTED  "\x08\x0f\xca\x01\x02\x08\x00"
#define NOT_CONNECTED "\x08\x07\x8a\x01\x02\x30\x01"

static void connect_station(struct peer *peer)
{
    reply(peer, CONNECTED, 7);
    peer_wait(has_carrier, s_interface, "carrier after a connect reply");
}

static void the_carrier_follows_the_station(void **state)
{
    struct peer *peer = *state;

    start(peer);
    assert_true(has_no_carrier(s_interface));
    connect_station(peer);
    reply(peer, DISCONNECTED, 7);
    peer_wait(has_no_carrier, s_interface, "no carrier after a disconnect reply");
    connect_station(peer);
    reply(peer, NOT_CONNECTED, 7);
    peer_wait(has_no_carrier, s_interface, "no carrier after 'not connected'");
    connect_station(peer);
    peer_send_init(peer);
    peer_wait(has_no_carrier, s_interface, "no carrier after a reboot");
    assert_int_equal(peer_stop_daemon(peer, SIGTERM), 0);
    peer_wait(is_missing, s_interface, "the end of the interface");
}

/* Handled one after the other: once the second has had its effect, the first would have, too. */
static void the_carrier_follows_the_events_of_today(void **state)
{
    static const char connect_reply[] = "\x08\x02\x10\xcf\x01\x18\x04\xfa\x0c\x00";
    static const char connected[] = "\x08\x03\x10\xb1\x02\x8a\x13\x00";
    static const char disconnected[] = "\x08\x03\x10\xaf\x02\xfa\x12\x00";
    struct peer *peer = *state;

    start(peer);
    for (unsigned i = 1; i <= 3; i++) {
        send_ctrl(peer, "ctrlResp", connect_reply, sizeof(connect_reply) - 1);
        peer_wait_log(peer, "from the ESP32: 24 control bytes", i);
        assert_true(has_no_carrier(s_interface));
        send_ctrl(peer, "ctrlEvnt", connected, sizeof(connected) - 1);
        peer_wait(has_carrier, s_interface, "carrier after the event");
        send_ctrl(peer, "ctrlEvnt", disconnected, sizeof(disconnected) - 1);
        peer_wait(has_no_carrier, s_interface, "no carrier after the event");
    }
}

/* Of every length that Ethernet has. */
static void frames_pass_both_ways(void **state)
{
    static const size_t lengths[] = {14, 15, 60, 1499, 1500, 1501, 1514};
    struct peer *peer = *state;
    uint8_t packet[TAP_MAX_BYTES];

    start(peer);
    connect_station(peer);
    const int fd = open_packet_socket();

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const size_t len = lengths[i];
        struct frame frame = {.interface_type = FRAME_STATION};

        make_packet(packet, len);
        assert_int_equal(send(fd, packet, len, 0), len);
        do
            frame = peer_receive(peer, FRAME_STATION);
        while (frame.payload[12] != packet[12] || frame.payload[13] != packet[13]);
        assert_int_equal(frame.length, len);
        assert_memory_equal(frame.payload, packet, len);

        frame.payload = packet;
        peer_send(peer, &frame);
        peer_expect(fd, packet, len);
    }
    close(fd);
}

static void the_interface_outlives_the_bus(void **state)
{
    struct peer *peer = *state;
    uint8_t packet[60];

    start(peer);
    connect_station(peer);
    const unsigned index = if_nametoindex(s_interface);
    const int fd = open_packet_socket();

    peer_close(peer);
    peer_wait(has_no_carrier, s_interface, "no carrier without a bus");
    make_packet(packet, sizeof(packet));
    send(fd, packet, sizeof(packet), 0); /* into the void, or refused: both will do */
    peer_listen(peer);
    peer_accept(peer);
    connect_station(peer);
    assert_int_equal(if_nametoindex(s_interface), index);

    packet[20] = 0x77;
    assert_int_equal(send(fd, packet, sizeof(packet), 0), sizeof(packet));
    struct frame frame;

    do
        frame = peer_receive(peer, FRAME_STATION);
    while (frame.payload[12] != packet[12] || frame.payload[20] != packet[20]);
    close(fd);
}

/* Frames for an interface that is down, before anybody has set it up. */
static void a_frame_for_an_interface_that_is_down_is_dropped(void **state)
{
    struct peer *peer = *state;
    uint8_t packet[60];
    const struct frame frame = {
        .interface_type = FRAME_STATION,
        .length = sizeof(packet),
        .payload = packet,
    };

    skip_where_impossible();
    peer_listen(peer);
    peer_start_daemon(peer, s_interface, NULL);
    peer_accept(peer);
    peer_wait(is_present, s_interface, "the interface");
    make_packet(packet, sizeof(packet));
    for (int i = 0; i < 10; i++)
        peer_send(peer, &frame);
    const int tool = peer_open_control(peer);

    peer_send_init(peer);
    peer_wait_log(peer, "has booted", 2);
    close(tool);
    assert_int_equal(peer_stop_daemon(peer, SIGTERM), 0);
}

static void an_interface_that_another_holds_is_an_error(void **state)
{
    struct peer *peer = *state;
    const char *step = "";

    skip_where_impossible();
    const int tap = tap_open(s_interface, &step);

    assert_true(tap >= 0);
    peer_start_daemon(peer, s_interface, NULL);
    assert_int_equal(peer_wait_daemon(peer), 1);
    peer_wait_log(peer, "ethsta0: another program has it", 1);
    close(tap);
}

static void an_interface_that_is_no_tap_is_an_error(void **state)
{
    struct peer *peer = *state;

    skip_where_impossible();
    peer_start_daemon(peer, "lo", NULL);
    assert_int_equal(peer_wait_daemon(peer), 1);
    peer_wait_log(peer, "lo: an interface of that name is no TAP", 1);
}

static void remove_interface(void)
{
    struct {
        struct nlmsghdr head;
        struct ifinfomsg link;
    } request = {
        .head = {.nlmsg_len = sizeof(request),
                 .nlmsg_type = RTM_DELLINK,
                 .nlmsg_flags = NLM_F_REQUEST},
        .link = {.ifi_index = (int)if_nametoindex(s_interface)},
    };
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    assert_int_equal(write(fd, &request, sizeof(request)), sizeof(request));
    close(fd);
}

static void an_interface_that_is_removed_is_an_error(void **state)
{
    struct peer *peer = *state;

    start(peer);
    remove_interface();
    assert_int_equal(peer_wait_daemon(peer), 1);
    peer_wait_log(peer, "ethsta0: the interface has been removed", 1);
    assert_int_equal(access(peer->control, F_OK), -1);
}

static void hide_tun(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/dev/net", "tmpfs", 0, NULL) < 0)
        _exit(125);
}

static void a_host_without_tun_is_an_error(void **state)
{
    struct peer *peer = *state;

    skip_where_impossible();
    peer_start_daemon(peer, s_interface, hide_tun);
    assert_int_equal(peer_wait_daemon(peer), 1);
    peer_wait_log(peer, "ethsta0: cannot open /dev/net/tun: No such file or directory", 1);
    assert_int_equal(access(peer->control, F_OK), -1);
}

static void drop_net_admin(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN, 0, 0, 0);
    if (syscall(SYS_capget, &header, data) < 0)
        _exit(125);
    data[0].inheritable = 0;
    if (syscall(SYS_capset, &header, data) < 0)
        _exit(125);
}

static void a_user_without_the_right_is_told(void **state)
{
    struct peer *peer = *state;

    skip_where_impossible();
    peer_start_daemon(peer, s_interface, drop_net_admin);
    assert_int_equal(peer_wait_daemon(peer), 1);
    peer_wait_log(peer, "ethsta0: cannot make the interface: Operation not permitted", 1);
}

#define daemon_test(function) cmocka_unit_test_setup_teardown(function, peer_setup, peer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(the_carrier_follows_the_station),
        daemon_test(the_carrier_follows_the_events_of_today),
        daemon_test(frames_pass_both_ways),
        daemon_test(the_interface_outlives_the_bus),
        daemon_test(a_frame_for_an_interface_that_is_down_is_dropped),
        daemon_test(an_interface_that_another_holds_is_an_error),
        daemon_test(an_interface_that_is_no_tap_is_an_error),
        daemon_test(an_interface_that_is_removed_is_an_error),
        daemon_test(a_host_without_tun_is_an_error),
        daemon_test(a_user_without_the_right_is_told),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
