/* SPDX-License-Identifier: Apache-2.0 */
/* The Wi-Fi commands of hosted/device.h. */
#include <errno.h>
#include <string.h>

#include "device_internal.h"
#include "fault.h"
#include "text.h"

#define PASSWORD_BYTES          64
#define DEFAULT_LISTEN_INTERVAL 3

static int simple_call(struct hosted_device *device, const struct ctrl_request *request,
                       struct ctrl_reply *ret, struct hosted_fault *fault)
{
    return device_call(device, request, device_timeout_ms(device, DEVICE_DEFAULT_TIMEOUT_S), ret,
                       fault);
}

static int usage(struct hosted_fault *fault, const char *text)
{
    return fault_set(fault, HOSTED_USAGE, -EINVAL, "%s", text);
}

int hosted_set_mode(struct hosted_device *device, enum hosted_mode mode, struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_SET_MODE, .mode = mode};
    struct ctrl_reply reply;

    /* Stock firmware loses its control task over a mode that it does not know. */
    if ((int)mode < HOSTED_MODE_NONE || mode > HOSTED_MODE_BOTH)
        return usage(fault, "a Wi-Fi mode is 0 to 3");
    return simple_call(device, &request, &reply, fault);
}

static bool has_mac(enum hosted_mode mode)
{
    return mode == HOSTED_MODE_STATION || mode == HOSTED_MODE_ACCESS_POINT;
}

int hosted_get_mac(struct hosted_device *device, enum hosted_mode mode,
                   char ret_mac[HOSTED_MAC_CHARS + 1], struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_GET_MAC, .mode = mode};
    struct ctrl_reply reply;

    if (!has_mac(mode))
        return usage(fault, "only the station and the access point have a MAC address");

    const int err = simple_call(device, &request, &reply, fault);

    if (err < 0)
        return err;
    if (!text_is_mac(reply.mac, NULL))
        return fault_set(fault, HOSTED_NO_ANSWER, -EPROTO,
                         "%s: the answer to get_mac is no MAC address", device->path);
    memcpy(ret_mac, reply.mac, sizeof(reply.mac));
    return 0;
}

int hosted_set_mac(struct hosted_device *device, enum hosted_mode mode, const char *mac,
                   struct hosted_fault *fault)
{
    const struct ctrl_request request = {
        .command = CTRL_SET_MAC,
        .set_mac = {.mode = mode, .mac = mac},
    };
    struct ctrl_reply reply;

    if (!has_mac(mode))
        return usage(fault, "only the station and the access point have a MAC address");
    if (mac == NULL || !text_is_mac(mac, NULL))
        return usage(fault, "a MAC address has the form aa:bb:cc:dd:ee:ff");
    return simple_call(device, &request, &reply, fault);
}

int hosted_network_check(const struct hosted_network *network, struct hosted_fault *fault)
{
    const size_t ssid_len = network->ssid != NULL ? strlen(network->ssid) : 0;
    const size_t password_len = network->password != NULL ? strlen(network->password) : 0;

    if (ssid_len < 1 || ssid_len > HOSTED_SSID_BYTES)
        return usage(fault, "the name of a network (SSID) has 1 to 32 bytes");
    if (password_len > PASSWORD_BYTES)
        return usage(fault, "the password of a network has at most 64 bytes");
    if (network->bssid != NULL && *network->bssid != '\0' && !text_is_mac(network->bssid, NULL))
        return usage(fault, "a BSSID has the form aa:bb:cc:dd:ee:ff");
    if (network->listen_interval < 0)
        return usage(fault, "a listen interval is a positive number of beacons");
    return 0;
}

/* What the ESP32 says about a network that it could not join. */
static int connect_fault(const struct hosted_device *device, const struct ctrl_reply *reply,
                         const char *ssid, struct hosted_fault *fault)
{
    char name[4 * HOSTED_SSID_BYTES + 1];
    int err = -EREMOTEIO;

    text_printable(name, sizeof(name), ssid, strlen(ssid));
    if (reply->outcome == CTRL_NO_AP_FOUND)
        err = fault_set(fault, HOSTED_REFUSED, -ENOENT,
                        "%s: '%s': no access point of this name in reach", device->path, name);
    else if (reply->outcome == CTRL_BAD_PASSWORD)
        err = fault_set(fault, HOSTED_REFUSED, -EACCES,
                        "%s: '%s': the access point refused the password", device->path, name);
    else
        fault_set(fault, HOSTED_REFUSED, err, "%s: '%s': the ESP32 could not connect (code %d)",
                  device->path, name, (int)reply->code);
    if (fault != NULL)
        fault->device_code = reply->code;
    return err;
}

int hosted_connect(struct hosted_device *device, const struct hosted_network *network,
                   struct hosted_fault *fault)
{
    struct ctrl_request request = {.command = CTRL_CONNECT, .network = *network};
    struct ctrl_reply reply;
    int err = hosted_network_check(network, fault);

    if (err < 0)
        return err;
    if (request.network.password == NULL)
        request.network.password = "";
    if (request.network.bssid == NULL)
        request.network.bssid = "";
    if (request.network.listen_interval == 0)
        request.network.listen_interval = DEFAULT_LISTEN_INTERVAL;

    err = device_exchange(device, &request, device_timeout_ms(device, DEVICE_DEFAULT_TIMEOUT_S),
                          &reply, fault);
    if (err < 0)
        return err;
    return reply.outcome == CTRL_OK ? 0 : connect_fault(device, &reply, network->ssid, fault);
}

int hosted_disconnect(struct hosted_device *device, struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_DISCONNECT};
    struct ctrl_reply reply;

    return simple_call(device, &request, &reply, fault);
}

int hosted_get_ap(struct hosted_device *device, struct hosted_ap *ret, struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_GET_AP};
    struct ctrl_reply reply;
    int err = device_exchange(device, &request, device_timeout_ms(device, DEVICE_DEFAULT_TIMEOUT_S),
                              &reply, fault);

    if (err < 0)
        return err;
    if (reply.outcome == CTRL_OK) {
        *ret = reply.ap;
        return 0;
    }
    if (reply.outcome != CTRL_NOT_CONNECTED)
        return device_refusal(device, &request, reply.code, fault);
    err = fault_set(fault, HOSTED_REFUSED, -ENOTCONN,
                    "%s: the station is not connected to an access point", device->path);
    if (fault != NULL)
        fault->device_code = reply.code;
    return err;
}

int hosted_scan(struct hosted_device *device, struct hosted_ap **ret, struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_SCAN};
    struct ctrl_reply reply;
    const int err = simple_call(device, &request, &reply, fault);

    if (err < 0)
        return err;
    *ret = reply.scan.list;
    return (int)reply.scan.count;
}
