/* SPDX-License-Identifier: Apache-2.0 */
#include "hosted/commands.h"

#include <errno.h>
#include <string.h>

#include "fault.h"
#include "hosted/netif.h"
#include "hosted/session.h"

/* What the specification's functions keep between calls: they have no handles. */
static struct hosted_options options;
static struct hosted_fault last_fault;
static struct {
    struct hosted_device *device;
    struct hosted_session *session;
} update;

void commands_configure(const struct hosted_options *new_options)
{
    options = new_options != NULL ? *new_options : (struct hosted_options){0};
}

const struct hosted_fault *commands_last_fault(void)
{
    return &last_fault;
}

static int folded(int err)
{
    return err < 0 ? FAILURE : SUCCESS;
}

/* OTA */

static void abandon_update(void)
{
    hosted_session_close(update.session);
    update.session = NULL;
    hosted_close(update.device);
    update.device = NULL;
}

static int no_update(const char *what)
{
    fault_set(&last_fault, HOSTED_USAGE, -EPROTO, "%s: no update has begun, or it has failed",
              what);
    return FAILURE;
}

int esp_ota_begin(void)
{
    abandon_update();

    int err = hosted_open(&options, &update.device, &last_fault);

    if (err == 0)
        err = hosted_session_open(update.device, 0, &update.session, &last_fault);
    if (err < 0)
        abandon_update();
    return folded(err);
}

int esp_ota_write(const void *data, size_t len)
{
    if (update.session == NULL)
        return no_update("esp_ota_write");

    const int err = hosted_session_write(update.session, data, len, &last_fault);

    if (err < 0)
        abandon_update();
    return folded(err);
}

int esp_ota_end(void)
{
    if (update.session == NULL)
        return no_update("esp_ota_end");

    const int err = hosted_session_finish(update.session, &last_fault);

    abandon_update();
    return folded(err);
}

/* Wi-Fi: each opens the device, asks, and closes it. */

static struct hosted_device *open_device(void)
{
    struct hosted_device *device = NULL;

    hosted_open(&options, &device, &last_fault);
    return device;
}

int wifi_get_mac(int mode, char mac[HOSTED_MAC_CHARS + 1])
{
    struct hosted_device *device = open_device();
    int err = -ENODEV;

    if (device != NULL)
        err = hosted_get_mac(device, (enum hosted_mode)mode, mac, &last_fault);
    hosted_close(device);
    return folded(err);
}

int wifi_set_mac(int mode, const char *mac)
{
    struct hosted_device *device = open_device();
    int err = -ENODEV;

    if (device != NULL)
        err = hosted_set_mac(device, (enum hosted_mode)mode, mac, &last_fault);
    hosted_close(device);
    return folded(err);
}

int wifi_get_mode(int *mode)
{
    struct hosted_device *device = open_device();
    enum hosted_mode found;
    int err = -ENODEV;

    if (device != NULL)
        err = hosted_get_mode(device, &found, NULL, &last_fault);
    if (err == 0)
        *mode = (int)found;
    hosted_close(device);
    return folded(err);
}

int wifi_set_mode(int mode)
{
    struct hosted_device *device = open_device();
    int err = -ENODEV;

    if (device != NULL)
        err = hosted_set_mode(device, (enum hosted_mode)mode, &last_fault);
    hosted_close(device);
    return folded(err);
}

int wifi_set_ap_config(const struct hosted_network *network)
{
    struct hosted_device *device = open_device();
    int err = -ENODEV;

    if (device != NULL)
        err = hosted_connect(device, network, &last_fault);
    hosted_close(device);
    return folded(err);
}

int wifi_get_ap_config(struct hosted_ap *ap)
{
    struct hosted_device *device = open_device();
    int err = -ENODEV;

    if (device != NULL)
        err = hosted_get_ap(device, ap, &last_fault);
    hosted_close(device);
    return folded(err);
}

int wifi_disconnect_ap(void)
{
    struct hosted_device *device = open_device();
    int err = -ENODEV;

    if (device != NULL)
        err = hosted_disconnect(device, &last_fault);
    hosted_close(device);
    return folded(err);
}

int wifi_ap_scan_list(struct hosted_ap **list)
{
    struct hosted_device *device = open_device();
    int count = -ENODEV;

    if (device != NULL)
        count = hosted_scan(device, list, &last_fault);
    hosted_close(device);
    return count < 0 ? FAILURE : count;
}

int interface_up(int mode, const char *interface)
{
    char mac[HOSTED_MAC_CHARS + 1];

    if (wifi_get_mac(mode, mac) == FAILURE)
        return FAILURE;
    return folded(hosted_netif_up(interface, mac, &last_fault));
}

int interface_down(const char *interface)
{
    return folded(hosted_netif_down(interface, &last_fault));
}
