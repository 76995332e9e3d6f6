/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <grp.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "bus_sim.h"
#include "control_pty.h"
#include "daemon.h"
#include "log.h"

enum {
    STATUS_DONE = 0,
    STATUS_LOCAL = 1,
    STATUS_USAGE = 2,
};

static const char usage[] =
    "Usage: esp-hostedd --bus sim:SOCKET --control PATH [OPTION]...\n"
    "\n"
    "The driver of an ESP32 that runs ESP-Hosted, in user space: carries the control\n"
    "messages and the network packets of this host over the bus to the ESP32 and back.\n"
    "\n"
    "Options\n"
    "  --bus sim:SOCKET  the bus: the Unix socket of a virtual ESP32 (esp32-sim --bus).\n"
    "                    While nobody listens there it is tried again and again.\n"
    "  --control PATH    where to put the control device, as /dev/esps0: a symbolic link\n"
    "                    to a terminal (pty), removed at the end. A link that is there\n"
    "                    already is replaced, anything else is not.\n"
    "  --group NAME      lets the members of this group use the control device\n"
    "  --tap NAME        make the network interface NAME, usually ethsta0. It has a carrier\n"
    "                    while the ESP32 is connected to an access point. Needs access to\n"
    "                    /dev/net/tun and CAP_NET_ADMIN.\n"
    "  -v, --verbose     say what passes; never what is in it\n"
    "  -h, --help        this text\n"
    "  -V, --version\n"
    "\n"
    "It runs in the foreground, logs to standard error and ends at SIGTERM, SIGINT or\n"
    "SIGHUP. Control device and interface stay as they are while the ESP32 reboots or\n"
    "the bus is away. What a tool asks in that time waits for the ESP32, until the tool\n"
    "closes the device.\n"
    "\n"
    "Exit status: 0 ended by a signal; 1 trouble on this host; 2 usage.\n"
    "\n"
    "Example\n"
    "  esp-hostedd --bus sim:/tmp/esp32.bus --control /tmp/esps0 --tap ethsta0 &\n"
    "  ESP_HOSTED_DEVICE=/tmp/esps0 ./test.out ota network_adapter.bin\n";

static int usage_error(const char *what, const char *detail)
{
    fprintf(stderr, "esp-hostedd: %s%s\nTry 'esp-hostedd --help'.\n", what, detail);
    return STATUS_USAGE;
}

struct arguments {
    const char *bus;
    const char *control;
    const char *group;
    const char *tap;
};

/* 0 to go on, 1 when all is said, or -1 for a usage error that getopt has already reported. */
static int parse_options(int argc, char **argv, struct arguments *args)
{
    static const struct option options[] = {
        {"bus", required_argument, NULL, 'b'},   {"control", required_argument, NULL, 'c'},
        {"group", required_argument, NULL, 'g'}, {"tap", required_argument, NULL, 't'},
        {"verbose", no_argument, NULL, 'v'},     {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},     {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "vhV", options, NULL)) != -1) {
        switch (option) {
        case 'b':
            args->bus = optarg;
            break;
        case 'c':
            args->control = optarg;
            break;
        case 'g':
            args->group = optarg;
            break;
        case 't':
            args->tap = optarg;
            break;
        case 'v':
            log_set_verbose(true);
            break;
        case 'h':
            fputs(usage, stdout);
            return 1;
        case 'V':
            puts("esp-hostedd " HOSTEDD_VERSION);
            return 1;
        default:
            return -1;
        }
    }
    return 0;
}

/* Whether there is such a group; none is asked for with NULL. */
static bool find_group(const char *name, gid_t *ret)
{
    const struct group *group = name != NULL ? getgrnam(name) : NULL;

    *ret = group != NULL ? group->gr_gid : CONTROL_PTY_NO_GROUP;
    return name == NULL || group != NULL;
}

int main(int argc, char **argv)
{
    static const char sim_prefix[] = "sim:";
    struct arguments args = {0};
    struct bus_sim sim;
    gid_t group;
    const int parsed = parse_options(argc, argv, &args);

    if (parsed != 0)
        return parsed > 0 ? STATUS_DONE : usage_error("wrong option", "");
    if (optind < argc)
        return usage_error("not understood: ", argv[optind]);
    if (args.bus == NULL || args.control == NULL)
        return usage_error("--bus and --control are needed", "");
    if (strncmp(args.bus, sim_prefix, strlen(sim_prefix)) != 0)
        return usage_error("unknown bus (there is sim:SOCKET): ", args.bus);
    if (bus_sim_init(&sim, args.bus + strlen(sim_prefix)) < 0)
        return usage_error("too long for a socket: ", args.bus);
    if (args.tap != NULL && (args.tap[0] == '\0' || strlen(args.tap) >= IFNAMSIZ))
        return usage_error("no name for an interface: ", args.tap);
    if (!find_group(args.group, &group))
        return usage_error("there is no such group: ", args.group);

    const struct daemon_options options = {
        .bus = &sim.bus,
        .bus_name = args.bus,
        .control_path = args.control,
        .control_group = group,
        .tap_name = args.tap,
    };

    return daemon_serve(&options) < 0 ? STATUS_LOCAL : STATUS_DONE;
}
