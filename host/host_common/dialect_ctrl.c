/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESP-Hosted-FG since February 2022. A reply's number is its request's + 100, a payload's field
 * number that of its message. Zeros are not on the wire. Requests always have their submessage:
 * stock firmware dereferences some of them unasked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dialect.h"
#include "dialect_read.h"
#include "hosted_ctrl.pb-c.h"
#include "release.h"
#include "text.h"

#define ENDPOINT       "ctrlResp"
#define EVENT_ENDPOINT "ctrlEvnt"

#define REPLY_OFFSET 100
#define LAST_REPLY   300 /* above are the events */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t request_ids[] = {
    [CTRL_GET_MAC] = HOSTED_CTRL__MESSAGE_ID__REQ_GET_MAC,
    [CTRL_GET_MODE] = HOSTED_CTRL__MESSAGE_ID__REQ_GET_MODE,
    [CTRL_SET_MODE] = HOSTED_CTRL__MESSAGE_ID__REQ_SET_MODE,
    [CTRL_GET_AP] = HOSTED_CTRL__MESSAGE_ID__REQ_GET_AP,
    [CTRL_CONNECT] = HOSTED_CTRL__MESSAGE_ID__REQ_CONNECT_AP,
    [CTRL_DISCONNECT] = HOSTED_CTRL__MESSAGE_ID__REQ_DISCONNECT_AP,
    [CTRL_SCAN] = HOSTED_CTRL__MESSAGE_ID__REQ_SCAN,
    [CTRL_SET_MAC] = HOSTED_CTRL__MESSAGE_ID__REQ_SET_MAC,
    [CTRL_OTA_BEGIN] = HOSTED_CTRL__MESSAGE_ID__REQ_OTA_BEGIN,
    [CTRL_OTA_WRITE] = HOSTED_CTRL__MESSAGE_ID__REQ_OTA_WRITE,
    [CTRL_OTA_END] = HOSTED_CTRL__MESSAGE_ID__REQ_OTA_END,
    [CTRL_GET_VERSION] = HOSTED_CTRL__MESSAGE_ID__REQ_GET_VERSION,
    [CTRL_SET_HEARTBEAT] = HOSTED_CTRL__MESSAGE_ID__REQ_SET_HEARTBEAT,
    [CTRL_SET_FEATURE] = HOSTED_CTRL__MESSAGE_ID__REQ_SET_FEATURE,
};

/* Requests: one of these, as the command has it. */
union payload {
    HostedCtrl__Empty empty;
    HostedCtrl__ReqMode mode;
    HostedCtrl__ReqSetMac set_mac;
    HostedCtrl__ReqConnectAp connect;
    HostedCtrl__ReqOtaWrite write;
    HostedCtrl__ReqSetHeartbeat heartbeat;
    HostedCtrl__ReqSetFeature feature;
};

static void fill_connect(const struct hosted_network *network, HostedCtrl__ReqConnectAp *connect)
{
    hosted_ctrl__req_connect_ap__init(connect);
    connect->ssid = (char *)network->ssid;
    connect->password = (char *)network->password;
    connect->bssid = (char *)network->bssid;
    connect->is_wpa3_supported = network->wpa3;
    connect->listen_interval = network->listen_interval;
}

static void fill_payload(const struct ctrl_request *request, union payload *payload)
{
    switch (request->command) {
    case CTRL_GET_MAC:
    case CTRL_SET_MODE:
        hosted_ctrl__req_mode__init(&payload->mode);
        payload->mode.mode = (int32_t)request->mode;
        break;
    case CTRL_SET_MAC:
        hosted_ctrl__req_set_mac__init(&payload->set_mac);
        payload->set_mac.mac.data = (uint8_t *)request->set_mac.mac;
        payload->set_mac.mac.len = strlen(request->set_mac.mac);
        payload->set_mac.mode = (int32_t)request->set_mac.mode;
        break;
    case CTRL_CONNECT:
        fill_connect(&request->network, &payload->connect);
        break;
    case CTRL_OTA_WRITE:
        hosted_ctrl__req_ota_write__init(&payload->write);
        payload->write.data.data = (uint8_t *)request->write.data;
        payload->write.data.len = request->write.len;
        payload->write.extension.data = (uint8_t *)request->extension;
        payload->write.extension.len = request->extension_len;
        break;
    case CTRL_SET_HEARTBEAT:
        hosted_ctrl__req_set_heartbeat__init(&payload->heartbeat);
        payload->heartbeat.enable = request->heartbeat.enable;
        payload->heartbeat.seconds = (int32_t)request->heartbeat.seconds;
        break;
    case CTRL_SET_FEATURE:
        hosted_ctrl__req_set_feature__init(&payload->feature);
        payload->feature.feature = (uint32_t)request->feature.feature;
        payload->feature.enable = request->feature.enable;
        break;
    default:
        hosted_ctrl__empty__init(&payload->empty);
        payload->empty.extension.data = (uint8_t *)request->extension;
        payload->empty.extension.len = request->extension_len;
        break;
    }
}

static int encode(const struct ctrl_request *request, int32_t uid, uint8_t *buf, size_t size)
{
    HostedCtrl__Message msg = HOSTED_CTRL__MESSAGE__INIT;
    union payload payload;

    fill_payload(request, &payload);
    msg.id = request_ids[request->command];
    msg.uid = uid;
    msg.payload_case = (HostedCtrl__Message__PayloadCase)msg.id;
    msg.req_get_mode = &payload.empty; /* all payloads share a place in the union */

    const size_t len = hosted_ctrl__message__get_packed_size(&msg);
    const int head = serial_tlv_head(ENDPOINT, len, buf, size);

    if (head < 0)
        return head;
    return head + (int)hosted_ctrl__message__pack(&msg, buf + head);
}

/* Replies */

static void read_ap(const HostedCtrl__RespGetAp *in, struct ctrl_reply *reply)
{
    struct hosted_ap *ap = &reply->ap;

    read_result(in->resp, reply);
    if (in->resp == HOSTED_CTRL__RESULT__NOT_CONNECTED)
        reply->outcome = CTRL_NOT_CONNECTED;
    ap->ssid_len = read_ssid(ap->ssid, &in->ssid);
    read_bytes(ap->bssid, sizeof(ap->bssid), &in->bssid);
    ap->rssi = in->rssi;
    ap->channel = in->channel;
    ap->encryption = (enum hosted_encryption)in->encryption;
}

/* The list counts, not what `count` says of it. */
static int read_scan(const HostedCtrl__RespScan *in, struct ctrl_reply *reply)
{
    read_result(in->resp, reply);
    read_extension(&in->extension, reply);
    if (in->n_entries == 0)
        return 0;

    struct hosted_ap *list = calloc(in->n_entries, sizeof(*list));

    if (list == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < in->n_entries; i++) {
        const HostedCtrl__AccessPoint *entry = in->entries[i];

        list[i].ssid_len = read_ssid(list[i].ssid, &entry->ssid);
        read_bytes(list[i].bssid, sizeof(list[i].bssid), &entry->bssid);
        list[i].rssi = entry->rssi;
        list[i].channel = (int)entry->channel;
        list[i].encryption = (enum hosted_encryption)entry->encryption;
    }
    reply->scan.list = list;
    reply->scan.count = in->n_entries;
    return 0;
}

static void read_version(const HostedCtrl__RespGetVersion *in, struct ctrl_reply *reply)
{
    struct release release = {
        .numbers = {in->major1, in->major2, in->minor, in->patch1, in->patch2},
    };

    _Static_assert(RELEASE_TEXT_BYTES <= sizeof(reply->version), "a release fits");
    read_result(in->resp, reply);
    text_printable(release.name, sizeof(release.name), in->name, strlen(in->name));
    release_format(&release, reply->version);
}

/* `msg` has the payload of its number. */
static int read_payload(const HostedCtrl__Message *msg, struct ctrl_reply *reply)
{
    switch (reply->command) {
    case CTRL_GET_MAC:
        read_result(msg->resp_get_mac->resp, reply);
        read_bytes(reply->mac, sizeof(reply->mac), &msg->resp_get_mac->mac);
        return 0;
    case CTRL_GET_MODE:
        read_result(msg->resp_get_mode->resp, reply);
        reply->mode.mode = msg->resp_get_mode->mode;
        read_identity(msg->resp_get_mode->identity, reply);
        read_extension(&msg->resp_get_mode->extension, reply);
        return 0;
    case CTRL_GET_AP:
        read_ap(msg->resp_get_ap, reply);
        return 0;
    case CTRL_SCAN:
        return read_scan(msg->resp_scan, reply);
    case CTRL_CONNECT:
        read_result(msg->resp_connect_ap->resp, reply);
        read_extension(&msg->resp_connect_ap->extension, reply);
        return 0;
    case CTRL_GET_VERSION:
        read_version(msg->resp_get_version, reply);
        return 0;
    default: /* all others are RespOnly, in one place of the union */
        read_result(msg->resp_ota_end->resp, reply);
        read_extension(&msg->resp_ota_end->extension, reply);
        return 0;
    }
}

static int command_of(int32_t reply_id)
{
    for (size_t i = 0; i < COUNT_OF(request_ids); i++)
        if (request_ids[i] + REPLY_OFFSET == reply_id)
            return (int)i;
    return -ENOMSG;
}

static int read_reply(const HostedCtrl__Message *msg, struct ctrl_message *ret)
{
    const int command = command_of(msg->id);

    if (command < 0)
        return command;

    struct ctrl_reply reply = {.command = (enum ctrl_command)command, .uid = msg->uid};

    *ret = (struct ctrl_message){.reply = reply};
    if ((int32_t)msg->payload_case != msg->id)
        return -EPROTO;

    const int err = read_payload(msg, &reply);

    if (err == 0)
        ret->reply = reply;
    return err;
}

/* Events */

/* What a stock firmware leaves out of an event is not there; an event without its submessage is an
 * event all the same. */
static void read_event(const HostedCtrl__Message *msg, struct hosted_event *ret)
{
    ret->kind = HOSTED_EVENT_OTHER;
    ret->number = msg->id;
    if (msg->id == HOSTED_CTRL__MESSAGE_ID__EVENT_INIT)
        ret->kind = HOSTED_EVENT_INIT;
    if ((int32_t)msg->payload_case != msg->id)
        return;

    if (msg->id == HOSTED_CTRL__MESSAGE_ID__EVENT_HEARTBEAT) {
        ret->kind = HOSTED_EVENT_HEARTBEAT;
        ret->number = msg->event_heartbeat->number;
    } else if (msg->id == HOSTED_CTRL__MESSAGE_ID__EVENT_CONNECTED) {
        const HostedCtrl__EventConnected *in = msg->event_connected;

        ret->kind = HOSTED_EVENT_CONNECTED;
        ret->ssid_len = read_ssid(ret->ssid, &in->ssid);
        read_bytes(ret->bssid, sizeof(ret->bssid), &in->bssid);
        ret->channel = (int)in->channel;
        ret->encryption = (enum hosted_encryption)in->encryption;
    } else if (msg->id == HOSTED_CTRL__MESSAGE_ID__EVENT_DISCONNECTED) {
        const HostedCtrl__EventDisconnected *in = msg->event_disconnected;

        ret->kind = HOSTED_EVENT_DISCONNECTED;
        ret->ssid_len = read_ssid(ret->ssid, &in->ssid);
        read_bytes(ret->bssid, sizeof(ret->bssid), &in->bssid);
        ret->reason = (int)in->reason;
        ret->rssi = in->rssi;
    }
}

/* The number says what it is. */
static int read_message(const HostedCtrl__Message *msg, struct ctrl_message *ret)
{
    if (msg->id <= LAST_REPLY)
        return read_reply(msg, ret);
    *ret = (struct ctrl_message){.is_event = true};
    read_event(msg, &ret->event);
    return 0;
}

static int decode(const struct serial_tlv *tlv, struct ctrl_message *ret)
{
    HostedCtrl__Message *msg = hosted_ctrl__message__unpack(NULL, tlv->data_len, tlv->data);

    if (msg == NULL)
        return -EBADMSG;

    const int err = read_message(msg, ret);

    hosted_ctrl__message__free_unpacked(msg, NULL);
    return err;
}

const struct dialect dialect_ctrl = {
    .id = HOSTED_DIALECT_CTRL,
    .endpoint = ENDPOINT,
    .event_endpoint = EVENT_ENDPOINT,
    .has_uids = true,
    .encode = encode,
    .decode = decode,
};
