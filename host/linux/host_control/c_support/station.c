/* SPDX-License-Identifier: Apache-2.0 */
#include "station.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dhcp.h"
#include "fault.h"
#include "hosted/netif.h"
#include "password.h"
#include "text.h"

static bool take_ssid(struct cli_options *options, char *value)
{
    options->ssid = value;
    return true; /* its length is the library's business */
}

static bool take_bssid(struct cli_options *options, char *value)
{
    options->bssid = value;
    return true;
}

static bool take_password(struct cli_options *options, char *value)
{
    /* Out of argv, where every user of this host can read it. */
    options->password = password_keep(value);
    return options->password != NULL;
}

static bool take_wpa3(struct cli_options *options, char *value)
{
    static const char *const yes[] = {"true", "1", "yes"}, *const no[] = {"false", "0", "no"};

    options->wpa3 = value == NULL;
    for (size_t i = 0; value != NULL && i < sizeof(yes) / sizeof(yes[0]); i++) {
        options->wpa3 = options->wpa3 || strcasecmp(value, yes[i]) == 0;
        if (strcasecmp(value, no[i]) == 0)
            return true;
    }
    return options->wpa3;
}

static bool take_listen_interval(struct cli_options *options, char *value)
{
    char *end;
    const long beacons = strtol(value, &end, 10);

    options->listen_interval = (int)beacons;
    return *value != '\0' && *end == '\0' && beacons > 0 && beacons <= UINT16_MAX;
}

static bool take_dhcp(struct cli_options *options, char *value)
{
    (void)value;
    options->dhcp = true;
    return true;
}

const struct cli_option station_options[] = {
    {"ssid", "NAME", "sta_connect: name of the network", take_ssid},
    {"password", "PASSWORD", "sta_connect: else from $ESP_HOSTED_PASSWORD, or asked for",
     take_password},
    {"bssid", "MAC", "sta_connect: this access point only", take_bssid},
    {"wpa3", NULL, "sta_connect: WPA3 may be used", take_wpa3},
    {"listen-interval", "BEACONS", "sta_connect: sleep this long (default: 3)",
     take_listen_interval},
    {"dhcp", NULL, "sta_connect: get an address for ethsta0", take_dhcp},
    /* As upstream's station_connect.py calls them. */
    {"is_wpa3_supported", "[BOOL]", NULL, take_wpa3},
    {"listen_interval", "BEACONS", NULL, take_listen_interval},
    {NULL, NULL, NULL, NULL},
};

/* Opens the device such that a signal ends every wait. */
static int open_device(struct cli_context *context, struct hosted_device **ret,
                       struct hosted_fault *fault)
{
    const int err = cli_interruptible(context, fault);

    return err < 0 ? err : cli_open(context, ret, fault);
}

static const char *encryption_name(enum hosted_encryption encryption)
{
    static const char *const names[] = {
        [HOSTED_OPEN] = "open",
        [HOSTED_WEP] = "WEP",
        [HOSTED_WPA_PSK] = "WPA",
        [HOSTED_WPA2_PSK] = "WPA2",
        [HOSTED_WPA_WPA2_PSK] = "WPA/WPA2",
        [HOSTED_WPA2_ENTERPRISE] = "WPA2-Enterprise",
        [HOSTED_WPA3_PSK] = "WPA3",
        [HOSTED_WPA2_WPA3_PSK] = "WPA2/WPA3",
    };

    return encryption < sizeof(names) / sizeof(names[0]) ? names[encryption] : "unknown";
}

static void print_ap(const struct hosted_ap *ap)
{
    char ssid[4 * HOSTED_SSID_BYTES + 1], bssid[4 * HOSTED_MAC_CHARS + 1];

    printf("%s  %4d dBm  channel %2d  %-15s  %s\n",
           text_printable(bssid, sizeof(bssid), ap->bssid, strlen(ap->bssid)), ap->rssi,
           ap->channel, encryption_name(ap->encryption),
           text_printable(ssid, sizeof(ssid), ap->ssid, ap->ssid_len));
}

/* The ESP32's part: it joins, and says which MAC address the interface must have. */
static int join(struct cli_context *context, const char *password, char mac[HOSTED_MAC_CHARS + 1],
                struct hosted_fault *fault)
{
    const struct hosted_network network = {
        .ssid = context->options.ssid,
        .password = password,
        .bssid = context->options.bssid,
        .wpa3 = context->options.wpa3,
        .listen_interval = context->options.listen_interval,
    };
    struct hosted_device *device = NULL;
    int err = hosted_network_check(&network, fault);

    if (err == 0)
        err = open_device(context, &device, fault);
    if (err == 0)
        err = hosted_connect(device, &network, fault);
    if (err == 0)
        err = hosted_get_mac(device, HOSTED_MODE_STATION, mac, fault);
    cli_close(context, device);
    return err;
}

int station_connect(struct cli_context *context)
{
    const struct cli_options *options = &context->options;
    char mac[HOSTED_MAC_CHARS + 1], ssid[4 * HOSTED_SSID_BYTES + 1];
    struct hosted_fault fault;

    if (options->ssid == NULL)
        return cli_usage(context, "sta_connect: --ssid is missing");

    char *password = NULL;
    int err = cli_interruptible(context, &fault);

    if (err == 0)
        err = password_get(context, &password, &fault);
    if (err == 0)
        err = join(context, password, mac, &fault);
    password_free(password);
    if (err < 0)
        return cli_fail(context, &fault);
    if (!options->quiet)
        printf("connected to '%s'\n",
               text_printable(ssid, sizeof(ssid), options->ssid, strlen(options->ssid)));
    err = hosted_netif_up(HOSTED_STATION_INTERFACE, mac, &fault);
    if (err < 0) {
        fault_add(&fault, "; the ESP32 is connected all the same");
        return cli_fail(context, &fault);
    }
    if (!options->quiet)
        printf("%s is up with MAC address %s\n", HOSTED_STATION_INTERFACE, mac);
    if (options->dhcp)
        err = dhcp_run(HOSTED_STATION_INTERFACE, &fault);
    return err < 0 ? cli_fail(context, &fault) : HOSTED_DONE;
}

int station_disconnect(struct cli_context *context)
{
    struct hosted_device *device = NULL;
    struct hosted_fault fault;
    int err = open_device(context, &device, &fault);

    if (err == 0)
        err = hosted_disconnect(device, &fault);
    cli_close(context, device);
    if (err == 0) {
        err = hosted_netif_down(HOSTED_STATION_INTERFACE, &fault);
        if (err == -ENODEV)
            err = 0; /* what is not there is down */
    }
    if (err < 0)
        return cli_fail(context, &fault);
    if (!context->options.quiet)
        printf("disconnected\n");
    return HOSTED_DONE;
}

int station_status(struct cli_context *context)
{
    struct hosted_device *device = NULL;
    struct hosted_ap ap = {0};
    struct hosted_fault fault;
    int err = open_device(context, &device, &fault);

    if (err == 0)
        err = hosted_get_ap(device, &ap, &fault);
    cli_close(context, device);
    if (err < 0)
        return cli_fail(context, &fault);
    print_ap(&ap);
    return HOSTED_DONE;
}

int station_scan(struct cli_context *context)
{
    struct hosted_device *device = NULL;
    struct hosted_ap *list = NULL;
    struct hosted_fault fault;
    int count = open_device(context, &device, &fault);

    if (count >= 0)
        count = hosted_scan(device, &list, &fault);
    cli_close(context, device);
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
