/* SPDX-License-Identifier: Apache-2.0 */
/* The ctrl dialect on the ESP32's side: replies out, byte for byte as upstream's. */
#include <errno.h>
#include <string.h>

#include "dialect_ctrl.h"
#include "dialect_support.h"

#define REPLY_OFFSET 100 /* from a request's number to its reply's */

int dialect_ctrl_pack(const HostedCtrl__Message *message, uint8_t *buf, size_t size)
{
    if (hosted_ctrl__message__get_packed_size(message) > size)
        return -EMSGSIZE;
    return (int)hosted_ctrl__message__pack(message, buf);
}

static int encode_mac(const struct control_reply *reply, HostedCtrl__Message message, uint8_t *buf,
                      size_t size)
{
    HostedCtrl__RespGetMac body = HOSTED_CTRL__RESP_GET_MAC__INIT;

    body.resp = reply->result;
    if (reply->result == CONTROL_SUCCESS)
        body.mac = dialect_text(reply->mac);
    message.resp_get_mac = &body;
    return dialect_ctrl_pack(&message, buf, size);
}

static int encode_mode(const struct control_reply *reply, HostedCtrl__Message message, uint8_t *buf,
                       size_t size)
{
    HostedCtrl__RespGetMode body = HOSTED_CTRL__RESP_GET_MODE__INIT;
    HostedExtension__Identity identity;

    body.resp = reply->result;
    if (reply->result == CONTROL_SUCCESS) {
        body.mode = reply->mode.value;
        dialect_fill_identity(&identity, &reply->mode.identity);
        body.identity = &identity;
    }
    body.extension = dialect_extension(reply);
    message.resp_get_mode = &body;
    return dialect_ctrl_pack(&message, buf, size);
}

/* The name goes with its NUL, as upstream's does: its hosts copy until there is one. */
static int encode_ap(const struct control_reply *reply, HostedCtrl__Message message, uint8_t *buf,
                     size_t size)
{
    HostedCtrl__RespGetAp body = HOSTED_CTRL__RESP_GET_AP__INIT;

    body.resp = reply->result;
    if (reply->result == CONTROL_SUCCESS) {
        body.ssid = dialect_text(reply->ap.ssid);
        body.ssid.len++;
        body.bssid = dialect_text(reply->ap.bssid);
        body.rssi = reply->ap.rssi;
        body.channel = reply->ap.channel;
        body.encryption = reply->ap.encryption;
    }
    message.resp_get_ap = &body;
    return dialect_ctrl_pack(&message, buf, size);
}

static void fill_access_point(HostedCtrl__AccessPoint *to, const struct control_ap *from)
{
    hosted_ctrl__access_point__init(to);
    to->ssid = dialect_text(from->ssid);
    to->channel = (uint32_t)from->channel;
    to->rssi = from->rssi;
    to->bssid = dialect_text(from->bssid);
    to->encryption = from->encryption;
}

static int encode_scan(const struct control_reply *reply, HostedCtrl__Message message, uint8_t *buf,
                       size_t size)
{
    static HostedCtrl__AccessPoint s_points[CONTROL_SCAN_MAX]; /* too much for a task's stack */
    static HostedCtrl__AccessPoint *s_entries[CONTROL_SCAN_MAX];
    HostedCtrl__RespScan body = HOSTED_CTRL__RESP_SCAN__INIT;

    body.resp = reply->result;
    if (reply->result == CONTROL_SUCCESS) {
        body.count = (uint32_t)reply->scan.count;
        body.n_entries = reply->scan.count;
        body.entries = s_entries;
        for (size_t i = 0; i < reply->scan.count; i++) {
            fill_access_point(&s_points[i], &reply->scan.list[i]);
            s_entries[i] = &s_points[i];
        }
    }
    body.extension = dialect_extension(reply);
    message.resp_scan = &body;
    return dialect_ctrl_pack(&message, buf, size);
}

static int encode_connect(const struct control_reply *reply, HostedCtrl__Message message,
                          uint8_t *buf, size_t size)
{
    HostedCtrl__RespConnectAp body = HOSTED_CTRL__RESP_CONNECT_AP__INIT;

    body.resp = reply->result;
    if (reply->result == CONTROL_SUCCESS)
        body.mac = dialect_text(reply->mac);
    body.extension = dialect_extension(reply);
    message.resp_connect_ap = &body;
    return dialect_ctrl_pack(&message, buf, size);
}

static int encode_version(const struct control_reply *reply, HostedCtrl__Message message,
                          uint8_t *buf, size_t size)
{
    const uint32_t *numbers = reply->release.numbers;
    HostedCtrl__RespGetVersion body = HOSTED_CTRL__RESP_GET_VERSION__INIT;

    body.resp = reply->result;
    body.name = (char *)reply->release.name;
    body.major1 = numbers[0];
    body.major2 = numbers[1];
    body.minor = numbers[2];
    body.patch1 = numbers[3];
    body.patch2 = numbers[4];
    message.resp_get_version = &body;
    return dialect_ctrl_pack(&message, buf, size);
}

static int encode_refusal(HostedCtrl__Message message, uint8_t *buf, size_t size)
{
    HostedCtrl__RefusalAt1 at1 = HOSTED_CTRL__REFUSAL_AT1__INIT;
    HostedCtrl__RefusalAt2 at2 = HOSTED_CTRL__REFUSAL_AT2__INIT;
    HostedCtrl__RefusalAt3 at3 = HOSTED_CTRL__REFUSAL_AT3__INIT;
    HostedCtrl__RefusalAt8 at8 = HOSTED_CTRL__REFUSAL_AT8__INIT;

    at1.resp = at2.resp = at3.resp = at8.resp = CONTROL_FAILURE;
    switch (message.payload_case) {
    case HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_SOFT_AP:
        message.resp_get_soft_ap = &at8;
        break;
    case HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_STATIONS:
        message.resp_get_stations = &at3;
        break;
    case HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_POWER_SAVE:
        message.resp_get_power_save = &at2;
        break;
    case HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_TX_POWER:
        message.resp_get_tx_power = &at2;
        break;
    default: /* the others share a shape, and so a place in the union */
        message.resp_start_soft_ap = &at1;
        break;
    }
    return dialect_ctrl_pack(&message, buf, size);
}

int dialect_ctrl_encode(const struct control_reply *reply, uint8_t *buf, size_t size)
{
    HostedCtrl__Message message = HOSTED_CTRL__MESSAGE__INIT;
    HostedCtrl__RespOnly body = HOSTED_CTRL__RESP_ONLY__INIT;

    message.type = HOSTED_CTRL__MESSAGE_TYPE__REPLY;
    message.id = reply->origin.message + REPLY_OFFSET;
    message.uid = reply->origin.uid;
    message.payload_case = (HostedCtrl__Message__PayloadCase)message.id;

    switch (reply->op) {
    case CONTROL_GET_MAC:
        return encode_mac(reply, message, buf, size);
    case CONTROL_GET_MODE:
        return encode_mode(reply, message, buf, size);
    case CONTROL_GET_AP:
        return encode_ap(reply, message, buf, size);
    case CONTROL_SCAN:
        return encode_scan(reply, message, buf, size);
    case CONTROL_CONNECT:
        return encode_connect(reply, message, buf, size);
    case CONTROL_GET_VERSION:
        return encode_version(reply, message, buf, size);
    case CONTROL_UNSUPPORTED:
        return encode_refusal(message, buf, size);
    default:
        body.resp = reply->result;
        body.extension = dialect_extension(reply);
        message.resp_set_mode = &body; /* all that say only `resp` share a place in the union */
        return dialect_ctrl_pack(&message, buf, size);
    }
}
