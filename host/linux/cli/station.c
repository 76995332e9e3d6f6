/* SPDX-License-Identifier: Apache-2.0 */
#include "station.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp.h"
#include "fault.h"
#include "hosted/netif.h"
#include "names.h"
#include "password.h"
#include "text.h"

/* Opens the device such that a signal ends every wait. */
static int open_device(struct cli_context *context, struct hosted_device **ret,
                       struct hosted_fault *fault)
{
    const int err = cli_interruptible(context, fault);

    return err < 0 ? err : cli_open(context, ret, fault);
}

static void print_ap(const struct hosted_ap *ap)
{
    char ssid[4 * HOSTED_SSID_BYTES + 1], bssid[4 * HOSTED_MAC_CHARS + 1];

    printf("%s  %4d dBm  channel %2d  %-15s  %s\n",
           text_printable(bssid, sizeof(bssid), ap->bssid, strlen(ap->bssid)), ap->rssi,
           ap->channel, cli_encryption_name(ap->encryption),
           text_printable(ssid, sizeof(ssid), ap->ssid, ap->ssid_len));
}

/* The ESP32's part: it joins, and says which MAC address the interface must have. */
static int join(struct cli_context *context, const struct hosted_network *network,
                char mac[HOSTED_MAC_CHARS + 1], struct hosted_fault *fault)
{
    struct hosted_device *device = NULL;
    int err = hosted_network_check(network, fault);

    if (err == 0)
        err = open_device(context, &device, fault);
    if (err == 0)
        err = hosted_connect(device, network, fault);
    if (err == 0)
        err = hosted_get_mac(device, HOSTED_MODE_STATION, mac, fault);
    cli_close(context, device);
    return err;
}

/* The host's part, with a line about each step unless nobody wants to read it. */
static int bring_up(const struct cli_context *context, const char *mac, struct hosted_fault *fault)
{
    const struct cli_options *options = &context->options;
    char ssid[4 * HOSTED_SSID_BYTES + 1];
    const bool say = !options->quiet && !options->json;

    if (say)
        printf("connected to '%s'\n",
               text_printable(ssid, sizeof(ssid), options->ssid, strlen(options->ssid)));

    int err = hosted_netif_up(HOSTED_STATION_INTERFACE, mac, fault);

    if (err < 0) {
        fault_add(fault, "; the ESP32 is connected all the same");
        return err;
    }
    if (say)
        printf("%s is up with MAC address %s\n", HOSTED_STATION_INTERFACE, mac);
    fflush(stdout); /* what the DHCP client says comes behind it */
    if (options->dhcp)
        err = dhcp_run(HOSTED_STATION_INTERFACE, fault);
    return err;
}

/* The name may be the command's argument or an option's, as test.out has it. */
static int find_network(struct cli_context *context, struct hosted_network *ret,
                        struct hosted_fault *fault)
{
    struct cli_options *options = &context->options;

    if (options->ssid != NULL && context->argument != NULL)
        return fault_set(fault, HOSTED_USAGE, -EINVAL, "the network is named twice");
    if (options->ssid == NULL)
        options->ssid = context->argument;
    if (options->ssid == NULL)
        return fault_set(fault, HOSTED_USAGE, -EINVAL, "%s is missing",
                         context->command->argument != NULL ? "SSID" : "--ssid");
    *ret = (struct hosted_network){
        .ssid = options->ssid,
        .bssid = options->bssid,
        .wpa3 = options->wpa3,
        .listen_interval = options->listen_interval,
    };
    return hosted_network_check(ret, fault); /* before anybody is asked for a password */
}

int station_join(struct cli_context *context, char ret_mac[HOSTED_MAC_CHARS + 1],
                 struct hosted_fault *fault)
{
    struct hosted_network network;
    char *password = NULL;
    int err = find_network(context, &network, fault);

    if (err == 0)
        err = cli_interruptible(context, fault);
    if (err == 0)
        err = password_get(context, &password, fault);
    network.password = password;
    if (err == 0)
        err = join(context, &network, ret_mac, fault);
    password_free(password);
    return err < 0 ? err : bring_up(context, ret_mac, fault);
}

int station_leave(struct cli_context *context, struct hosted_fault *fault)
{
    struct hosted_device *device = NULL;
    int err = open_device(context, &device, fault);

    if (err == 0)
        err = hosted_disconnect(device, fault);
    cli_close(context, device);
    if (err == 0)
        err = hosted_netif_down(HOSTED_STATION_INTERFACE, fault);
    return err == -ENODEV && fault->status == HOSTED_LOCAL ? 0 : err; /* not there is down */
}

int station_ap(struct cli_context *context, struct hosted_ap *ret, struct hosted_fault *fault)
{
    struct hosted_device *device = NULL;
    int err = open_device(context, &device, fault);

    if (err == 0)
        err = hosted_get_ap(device, ret, fault);
    cli_close(context, device);
    return err;
}

int station_find(struct cli_context *context, struct hosted_ap **ret, struct hosted_fault *fault)
{
    struct hosted_device *device = NULL;
    int count = open_device(context, &device, fault);

    if (count >= 0)
        count = hosted_scan(device, ret, fault);
    cli_close(context, device);
    return count;
}

int station_connect(struct cli_context *context)
{
    char mac[HOSTED_MAC_CHARS + 1];
    struct hosted_fault fault;

    return station_join(context, mac, &fault) < 0 ? cli_fail(context, &fault) : HOSTED_DONE;
}

int station_disconnect(struct cli_context *context)
{
    struct hosted_fault fault;

    if (station_leave(context, &fault) < 0)
        return cli_fail(context, &fault);
    if (!context->options.quiet)
        printf("disconnected\n");
    return HOSTED_DONE;
}

int station_status(struct cli_context *context)
{
    struct hosted_ap ap = {0};
    struct hosted_fault fault;

    if (station_ap(context, &ap, &fault) < 0)
        return cli_fail(context, &fault);
    print_ap(&ap);
    return HOSTED_DONE;
}

int station_scan(struct cli_context *context)
{
    struct hosted_ap *list = NULL;
    struct hosted_fault fault;
    const int count = station_find(context, &list, &fault);

    if (count < 0)
        return cli_fail(context, &fault);
    for (int i = 0; i < count; i++)
        print_ap(&list[i]);
    free(list);
    return HOSTED_DONE;
}

int station_get_mac(struct cli_context *context)
{
    char mac[HOSTED_MAC_CHARS + 1];
    struct hosted_device *device = NULL;
    struct hosted_fault fault;
    int err = open_device(context, &device, &fault);

    if (err == 0)
        err = hosted_get_mac(device, HOSTED_MODE_STATION, mac, &fault);
    cli_close(context, device);
    if (err < 0)
        return cli_fail(context, &fault);
    printf("%s\n", mac);
    return HOSTED_DONE;
}

int station_get_mode(struct cli_context *context)
{
    static const char *const names[] = {"none", "station", "soft access point",
                                        "station and soft access point"};
    enum hosted_mode mode = HOSTED_MODE_NONE;
    struct hosted_device *device = NULL;
    struct hosted_fault fault;
    int err = open_device(context, &device, &fault);

    if (err == 0)
        err = hosted_get_mode(device, &mode, NULL, &fault);
    cli_close(context, device);
    if (err < 0)
        return cli_fail(context, &fault);
    printf("%d %s\n", (int)mode, mode <= HOSTED_MODE_BOTH ? names[mode] : "unknown");
    return HOSTED_DONE;
}
