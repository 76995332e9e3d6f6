/* SPDX-License-Identifier: Apache-2.0 */
/* The classic dialect on the ESP32's side: requests in, replies out, byte for byte as upstream's.
 */
#include <errno.h>

#include "dialect_support.h"
#include "esp_wifi.h"
#include "hosted_classic.pb-c.h"
#include "init_event.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Request number and payload field to operation; one with a payload of 0 needs none. */
static const struct {
    int message;
    HostedClassic__Message__PayloadCase payload;
    enum control_op op;
} s_requests[] = {
    {HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_MAC, HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_GET_MAC,
     CONTROL_GET_MAC},
    {HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_MODE, 0, CONTROL_GET_MODE},
    {HOSTED_CLASSIC__MESSAGE_ID__REQ_SET_MODE, HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_SET_MODE,
     CONTROL_SET_MODE},
    {HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_AP, 0, CONTROL_GET_AP},
    {HOSTED_CLASSIC__MESSAGE_ID__REQ_CONNECT_AP, HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_CONNECT_AP,
     CONTROL_CONNECT},
    {HOSTED_CLASSIC__MESSAGE_ID__REQ_DISCONNECT_AP, 0, CONTROL_DISCONNECT},
    {HOSTED_CLASSIC__MESSAGE_ID__REQ_SCAN, 0, CONTROL_SCAN},
    {HOSTED_CLASSIC__MESSAGE_ID__REQ_SET_MAC, HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_SET_MAC,
     CONTROL_SET_MAC},
    {HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_BEGIN, 0, CONTROL_OTA_BEGIN},
    {HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_WRITE, HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_OTA_WRITE,
     CONTROL_OTA_WRITE},
    {HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_END, 0, CONTROL_OTA_END},
};

/* Requests of upstream that this firmware always refuses, rather than let a host wait for 30 s. */
static const HostedClassic__Message__PayloadCase s_refusals[] = {
    HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_SOFT_AP,
    HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SET_SOFT_AP,
    HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_STOP_SOFT_AP,
    HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_STATIONS,
    HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SET_POWER_SAVE,
    HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_POWER_SAVE,
    HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SET_VENDOR_ELEMENT,
    HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SET_TX_POWER,
    HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_TX_POWER,
};

/* The reply's payload field: 10 + the reply's number, which is the request's + 1. */
static HostedClassic__Message__PayloadCase reply_field(int request)
{
    return (HostedClassic__Message__PayloadCase)(request + 11);
}

/* Sets ret->op, and ret->unusable when the payload is missing. */
static int take_operation(const HostedClassic__Message *message, struct control_request *ret)
{
    for (size_t i = 0; i < COUNT_OF(s_requests); i++) {
        if (s_requests[i].message != message->msg)
            continue;
        ret->op = s_requests[i].op;
        ret->unusable =
            s_requests[i].payload != 0 && s_requests[i].payload != message->payload_case;
        return 0;
    }
    for (size_t i = 0; i < COUNT_OF(s_refusals); i++) {
        if (message->msg < INT32_MAX - 11 && reply_field(message->msg) == s_refusals[i]) {
            ret->op = CONTROL_UNSUPPORTED;
            return 0;
        }
    }
    return -EBADMSG;
}

static int take_connect(const HostedClassic__ReqConnectAp *from, struct control_request *to)
{
    to->connect.wpa3 = from->is_wpa3_supported;
    to->connect.listen_interval = from->listen_interval;
    if (dialect_take_string(to->connect.ssid, sizeof(to->connect.ssid), from->ssid) < 0 ||
        dialect_take_string(to->connect.password, sizeof(to->connect.password), from->password) < 0)
        return -EBADMSG;
    return dialect_take_string(to->connect.bssid, sizeof(to->connect.bssid), from->bssid);
}

/* Of requests without arguments the payload may be absent, or another's. */
static const HostedClassic__Empty *empty_payload(const HostedClassic__Message *from)
{
    switch (from->payload_case) {
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_GET_MODE:
        return from->msg == HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_MODE ? from->req_get_mode : NULL;
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_OTA_BEGIN:
        return from->msg == HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_BEGIN ? from->req_ota_begin : NULL;
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_OTA_END:
        return from->msg == HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_END ? from->req_ota_end : NULL;
    default:
        return NULL;
    }
}

static void take_extension(const HostedClassic__Message *from, struct control_request *to)
{
    const HostedClassic__Empty *empty = empty_payload(from);

    if (empty != NULL && empty->has_extension)
        dialect_take_extension(to, &empty->extension);
    if (to->op == CONTROL_OTA_WRITE && from->req_ota_write->has_extension)
        dialect_take_extension(to, &from->req_ota_write->extension);
}

static int take_payload(const HostedClassic__Message *from, struct control_request *to)
{
    take_extension(from, to);
    switch (to->op) {
    case CONTROL_GET_MAC:
        to->mode = from->req_get_mac->mode;
        return 0;
    case CONTROL_SET_MODE:
        to->mode = from->req_set_mode->mode;
        return 0;
    case CONTROL_CONNECT:
        return take_connect(from->req_connect_ap, to);
    case CONTROL_SET_MAC:
        to->set_mac.mode = from->req_set_mac->mode;
        return dialect_take_bytes(to->set_mac.text, sizeof(to->set_mac.text),
                                  &from->req_set_mac->mac);
    case CONTROL_OTA_WRITE:
        to->ota_write.data = from->req_ota_write->data.data;
        to->ota_write.len = from->req_ota_write->data.len;
        return 0;
    default:
        return 0;
    }
}

static int classic_decode(const uint8_t *data, size_t len, struct control_request *ret)
{
    struct control_request request = {.op = CONTROL_UNSUPPORTED};

    const HostedClassic__Message *message =
        hosted_classic__message__unpack(dialect_fresh_memory(), len, data);

    if (message == NULL || take_operation(message, &request) < 0)
        return -EBADMSG;
    request.origin.message = message->msg;
    if (!request.unusable)
        request.unusable = take_payload(message, &request) < 0;
    *ret = request;
    return 0;
}

static int pack(HostedClassic__Message *message, uint8_t *buf, size_t size)
{
    if (hosted_classic__message__get_packed_size(message) > size)
        return -EMSGSIZE;
    return (int)hosted_classic__message__pack(message, buf);
}

static int encode_mac(const struct control_reply *reply, HostedClassic__Message message,
                      uint8_t *buf, size_t size)
{
    HostedClassic__RespGetMac body = HOSTED_CLASSIC__RESP_GET_MAC__INIT;

    body.has_resp = true;
    body.resp = reply->result;
    if (reply->result == CONTROL_SUCCESS) {
        body.has_mac = true;
        body.mac = dialect_text(reply->mac);
    }
    message.resp_get_mac = &body;
    return pack(&message, buf, size);
}

static int encode_mode(const struct control_reply *reply, HostedClassic__Message message,
                       uint8_t *buf, size_t size)
{
    HostedClassic__RespGetMode body = HOSTED_CLASSIC__RESP_GET_MODE__INIT;
    HostedExtension__Identity identity;

    body.has_resp = true;
    body.resp = reply->result;
    if (reply->result == CONTROL_SUCCESS) {
        body.has_mode = true;
        body.mode = reply->mode.value;
        dialect_fill_identity(&identity, &reply->mode.identity);
        body.identity = &identity;
    }
    body.has_extension = reply->extension != NULL;
    body.extension = dialect_extension(reply);
    message.resp_get_mode = &body;
    return pack(&message, buf, size);
}

static int encode_ap(const struct control_reply *reply, HostedClassic__Message message,
                     uint8_t *buf, size_t size)
{
    HostedClassic__RespGetAp body = HOSTED_CLASSIC__RESP_GET_AP__INIT;

    body.has_resp = true;
    body.resp = reply->result;
    if (reply->result == CONTROL_SUCCESS) {
        body.has_ssid = body.has_bssid = body.has_rssi = true;
        body.has_channel = body.has_encryption = true;
        body.ssid = dialect_text(reply->ap.ssid);
        body.bssid = dialect_text(reply->ap.bssid);
        body.rssi = reply->ap.rssi;
        body.channel = reply->ap.channel;
        body.encryption = reply->ap.encryption;
    }
    message.resp_get_ap = &body;
    return pack(&message, buf, size);
}

static void fill_access_point(HostedClassic__AccessPoint *to, const struct control_ap *from)
{
    hosted_classic__access_point__init(to);
    to->has_ssid = to->has_channel = to->has_rssi = to->has_bssid = to->has_encryption = true;
    to->ssid = dialect_text(from->ssid);
    to->channel = (uint32_t)from->channel;
    to->rssi = from->rssi;
    to->bssid = dialect_text(from->bssid);
    to->encryption = from->encryption;
}

static int encode_scan(const struct control_reply *reply, HostedClassic__Message message,
                       uint8_t *buf, size_t size)
{
    static HostedClassic__AccessPoint s_points[CONTROL_SCAN_MAX]; /* too much for a task's stack */
    static HostedClassic__AccessPoint *s_entries[CONTROL_SCAN_MAX];
    HostedClassic__RespScan body = HOSTED_CLASSIC__RESP_SCAN__INIT;

    body.has_resp = true;
    body.resp = reply->result;
    if (reply->result == CONTROL_SUCCESS) {
        body.has_count = true;
        body.count = (uint32_t)reply->scan.count;
        body.n_entries = reply->scan.count;
        body.entries = s_entries;
        for (size_t i = 0; i < reply->scan.count; i++) {
            fill_access_point(&s_points[i], &reply->scan.list[i]);
            s_entries[i] = &s_points[i];
        }
    }
    body.has_extension = reply->extension != NULL;
    body.extension = dialect_extension(reply);
    message.resp_scan = &body;
    return pack(&message, buf, size);
}

static int encode_refusal(HostedClassic__Message message, uint8_t *buf, size_t size)
{
    HostedClassic__RefusalAt1 at1 = HOSTED_CLASSIC__REFUSAL_AT1__INIT;
    HostedClassic__RefusalAt2 at2 = HOSTED_CLASSIC__REFUSAL_AT2__INIT;
    HostedClassic__RefusalAt3 at3 = HOSTED_CLASSIC__REFUSAL_AT3__INIT;
    HostedClassic__RefusalAt8 at8 = HOSTED_CLASSIC__REFUSAL_AT8__INIT;

    at1.has_resp = at2.has_resp = at3.has_resp = at8.has_resp = true;
    at1.resp = at2.resp = at3.resp = at8.resp = CONTROL_FAILURE;
    switch (message.payload_case) {
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_SOFT_AP:
        message.resp_get_soft_ap = &at8;
        break;
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_STATIONS:
        message.resp_get_stations = &at3;
        break;
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_POWER_SAVE:
        message.resp_get_power_save = &at2;
        break;
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_TX_POWER:
        message.resp_get_tx_power = &at2;
        break;
    default: /* the others share a shape, and so a place in the union */
        message.resp_set_soft_ap = &at1;
        break;
    }
    return pack(&message, buf, size);
}

static int classic_encode(const struct control_reply *reply, uint8_t *buf, size_t size)
{
    HostedClassic__Message message = HOSTED_CLASSIC__MESSAGE__INIT;
    HostedClassic__RespOnly body = HOSTED_CLASSIC__RESP_ONLY__INIT;

    message.has_msg = true;
    message.msg = reply->origin.message + 1;
    message.payload_case = reply_field(reply->origin.message);

    switch (reply->op) {
    case CONTROL_GET_MAC:
        return encode_mac(reply, message, buf, size);
    case CONTROL_GET_MODE:
        return encode_mode(reply, message, buf, size);
    case CONTROL_GET_AP:
        return encode_ap(reply, message, buf, size);
    case CONTROL_SCAN:
        return encode_scan(reply, message, buf, size);
    case CONTROL_UNSUPPORTED:
        return encode_refusal(message, buf, size);
    default:
        body.has_resp = true;
        body.resp = reply->result;
        body.has_extension = reply->extension != NULL;
        body.extension = dialect_extension(reply);
        message.resp_set_mode = &body; /* all that say only `resp` share a place in the union */
        return pack(&message, buf, size);
    }
}

const struct control_dialect control_dialect_classic = {
    .endpoint = "control",
    .initial_mode = WIFI_MODE_NULL,
    .decode = classic_decode,
    .encode = classic_encode,
    .put_init = init_event_put_classic,
};
