/* SPDX-License-Identifier: Apache-2.0 */
/* The Wi-Fi commands of hosted/device.h. */
#include <errno.h>
#include <string.h>

#include "device_internal.h"
#include "fault.h"
#include "text.h"

#define PASSWORD_BYTES     64
#define PASSWORD_MIN_BYTES 8
#define WEP_KEY_BYTES      5 /* the only shorter one; its others are long enough */

/* Firmware before July 2024 is silent when it is asked for its version. */
#define VERSION_WAIT_S 2

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
    if (password_len > PASSWORD_BYTES ||
        (password_len > 0 && password_len < PASSWORD_MIN_BYTES && password_len != WEP_KEY_BYTES))
        return usage(fault, "the password of a network has 8 to 64 bytes (of WEP: 5)");
    if (network->bssid != NULL && *network->bssid != '\0' && !text_is_mac(network->bssid, NULL))
        return usage(fault, "a BSSID has the form aa:bb:cc:dd:ee:ff");
    if (network->listen_interval < 0)
        return usage(fault, "a listen interval is a positive number of beacons");
    return 0;
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
        return device_refused(device, &request, &reply, fault);
    err = fault_set(fault, HOSTED_REFUSED, -ENOTCONN,
                    "%s: the station is not connected to an access point", device->path);
    if (fault != NULL)
        fault->device_code = reply.code;
    return err;
}

int hosted_get_version(struct hosted_device *device, char ret[HOSTED_TEXT_BYTES],
                       struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_GET_VERSION};
    const unsigned longest_ms = device_timeout_ms(device, VERSION_WAIT_S);
    const unsigned wait_ms =
        longest_ms < VERSION_WAIT_S * 1000 ? longest_ms : VERSION_WAIT_S * 1000;
    struct ctrl_reply reply;
    int err = device_ready(device, &request, fault);

    if (err < 0)
        return err;
    if (hosted_dialect(device) == HOSTED_DIALECT_CTRL && device->release[0] == '\0') {
        err = ctrl_client_call(&device->client, &request, wait_ms, &reply);
        if (err < 0 && err != -ETIMEDOUT && err != -EPROTO)
            return device_link_fault(device, &request, err, wait_ms, fault);
        if (err == 0 && reply.outcome == CTRL_OK)
            strcpy(device->release, reply.version);
    }
    strcpy(ret, device->release);
    return 0;
}

int hosted_set_heartbeat(struct hosted_device *device, unsigned seconds, struct hosted_fault *fault)
{
    const struct ctrl_request request = {
        .command = CTRL_SET_HEARTBEAT,
        .heartbeat = {.enable = seconds > 0, .seconds = seconds},
    };
    struct ctrl_reply reply;

    if (seconds > INT32_MAX)
        return usage(fault, "heartbeats are 10 to 3600 seconds apart");
    return simple_call(device, &request, &reply, fault);
}

int hosted_set_feature(struct hosted_device *device, enum hosted_feature feature, bool enable,
                       struct hosted_fault *fault)
{
    const struct ctrl_request request = {
        .command = CTRL_SET_FEATURE,
        .feature = {.feature = feature, .enable = enable},
    };
    struct ctrl_reply reply;

    if (feature != HOSTED_FEATURE_WIFI && feature != HOSTED_FEATURE_BLUETOOTH)
        return usage(fault, "a feature is Wi-Fi or Bluetooth");
    return simple_call(device, &request, &reply, fault);
}

int hosted_listen(struct hosted_device *device, unsigned timeout_ms, struct hosted_fault *fault)
{
    int err = device->client.dialect != NULL ? 0 : device_identify(device, fault);

    if (err < 0)
        return err;
    err = ctrl_client_listen(&device->client, clock_ms() + timeout_ms);
    switch (err) {
    case 0:
        return 0;
    case -ETIMEDOUT:
        return fault_set(fault, HOSTED_NO_ANSWER, err, "%s: nothing was heard for %u ms",
                         device->path, timeout_ms);
    case -ECANCELED:
        return fault_set(fault, HOSTED_LOCAL, err, "%s: interrupted", device->path);
    default:
        return fault_set(fault, HOSTED_NO_ANSWER, err, "%s: the link failed: %s", device->path,
                         strerror(-err));
    }
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
