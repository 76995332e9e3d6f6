/* SPDX-License-Identifier: Apache-2.0 */
/* The ctrl dialect on the ESP32's side: requests in. */
#include "dialect_ctrl.h"

#include <errno.h>

#include "dialect_support.h"
#include "esp_wifi.h"
#include "hosted_control.h"
#include "init_event.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The requests that this firmware has a part for. Where there is something to say about what is
 * asked, that is in the payload of the same number: upstream's panics when it is missing. */
static const struct {
    int message;
    bool needs_payload;
    enum control_op op;
} s_requests[] = {
    {HOSTED_CTRL__MESSAGE_ID__REQ_GET_MAC, true, CONTROL_GET_MAC},
    {HOSTED_CTRL__MESSAGE_ID__REQ_SET_MAC, true, CONTROL_SET_MAC},
    {HOSTED_CTRL__MESSAGE_ID__REQ_GET_MODE, false, CONTROL_GET_MODE},
    {HOSTED_CTRL__MESSAGE_ID__REQ_SET_MODE, true, CONTROL_SET_MODE},
    {HOSTED_CTRL__MESSAGE_ID__REQ_SCAN, false, CONTROL_SCAN},
    {HOSTED_CTRL__MESSAGE_ID__REQ_GET_AP, false, CONTROL_GET_AP},
    {HOSTED_CTRL__MESSAGE_ID__REQ_CONNECT_AP, true, CONTROL_CONNECT},
    {HOSTED_CTRL__MESSAGE_ID__REQ_DISCONNECT_AP, false, CONTROL_DISCONNECT},
    {HOSTED_CTRL__MESSAGE_ID__REQ_OTA_BEGIN, false, CONTROL_OTA_BEGIN},
    {HOSTED_CTRL__MESSAGE_ID__REQ_OTA_WRITE, true, CONTROL_OTA_WRITE},
    {HOSTED_CTRL__MESSAGE_ID__REQ_OTA_END, false, CONTROL_OTA_END},
    {HOSTED_CTRL__MESSAGE_ID__REQ_SET_HEARTBEAT, true, CONTROL_SET_HEARTBEAT},
    {HOSTED_CTRL__MESSAGE_ID__REQ_SET_FEATURE, true, CONTROL_SET_FEATURE},
    {HOSTED_CTRL__MESSAGE_ID__REQ_GET_VERSION, false, CONTROL_GET_VERSION},
};

/* Sets ret->op, and ret->unusable when the payload is missing. */
static int take_operation(const HostedCtrl__Message *message, struct control_request *ret)
{
    if (message->id < HOSTED_CTRL__MESSAGE_ID__REQ_GET_MAC ||
        message->id > HOSTED_CTRL__MESSAGE_ID__REQ_LAST)
        return -EBADMSG;
    for (size_t i = 0; i < COUNT_OF(s_requests); i++) {
        if (s_requests[i].message != message->id)
            continue;
        ret->op = s_requests[i].op;
        ret->unusable = s_requests[i].needs_payload && (int)message->payload_case != message->id;
        return 0;
    }
    ret->op = CONTROL_UNSUPPORTED; /* rather than let a host wait */
    return 0;
}

static int take_connect(const HostedCtrl__ReqConnectAp *from, struct control_request *to)
{
    to->connect.wpa3 = from->is_wpa3_supported;
    to->connect.listen_interval = from->listen_interval;
    if (dialect_take_string(to->connect.ssid, sizeof(to->connect.ssid), from->ssid) < 0 ||
        dialect_take_string(to->connect.password, sizeof(to->connect.password), from->password) < 0)
        return -EBADMSG;
    return dialect_take_string(to->connect.bssid, sizeof(to->connect.bssid), from->bssid);
}

/* An empty field is none. */
static void take_bytes(const ProtobufCBinaryData *from, struct control_request *to)
{
    if (from->len > 0)
        dialect_take_extension(to, from);
}

/* Of requests without arguments the payload may be absent, or another's. */
static void take_extension(const HostedCtrl__Message *from, struct control_request *to)
{
    if ((int)from->payload_case != from->id)
        return;
    switch (from->payload_case) {
    case HOSTED_CTRL__MESSAGE__PAYLOAD_REQ_GET_MODE:
        take_bytes(&from->req_get_mode->extension, to);
        break;
    case HOSTED_CTRL__MESSAGE__PAYLOAD_REQ_OTA_BEGIN:
        take_bytes(&from->req_ota_begin->extension, to);
        break;
    case HOSTED_CTRL__MESSAGE__PAYLOAD_REQ_OTA_WRITE:
        take_bytes(&from->req_ota_write->extension, to);
        break;
    case HOSTED_CTRL__MESSAGE__PAYLOAD_REQ_OTA_END:
        take_bytes(&from->req_ota_end->extension, to);
        break;
    default:
        break;
    }
}

static int take_payload(const HostedCtrl__Message *from, struct control_request *to)
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
    case CONTROL_SET_HEARTBEAT:
        to->heartbeat.enable = from->req_set_heartbeat->enable;
        to->heartbeat.seconds = from->req_set_heartbeat->seconds;
        return 0;
    case CONTROL_SET_FEATURE:
        to->feature.number = from->req_set_feature->feature;
        to->feature.enable = from->req_set_feature->enable;
        return 0;
    default:
        return 0;
    }
}

static int ctrl_decode(const uint8_t *data, size_t len, struct control_request *ret)
{
    struct control_request request = {.op = CONTROL_UNSUPPORTED};
    const HostedCtrl__Message *message =
        hosted_ctrl__message__unpack(dialect_fresh_memory(), len, data);

    if (message == NULL || take_operation(message, &request) < 0)
        return -EBADMSG;
    request.origin.message = message->id;
    request.origin.uid = message->uid;
    if (!request.unusable)
        request.unusable = take_payload(message, &request) < 0;
    *ret = request;
    return 0;
}

const struct control_dialect control_dialect_ctrl = {
    .endpoint = "ctrlResp",
    .event_endpoint = "ctrlEvnt",
    .initial_mode = WIFI_MODE_STA,
    .connect_by_event = true,
    .decode = ctrl_decode,
    .encode = dialect_ctrl_encode,
    .encode_event = dialect_ctrl_encode_event,
    .put_init = init_event_put_ctrl,
};
