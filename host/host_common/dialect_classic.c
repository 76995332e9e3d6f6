/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESP-Hosted-FG up to February 2022. Peers of that time put zero values on the wire, so every
 * has_* is set here; in what comes in, a field that is not there is zero.
 */
#include "dialect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_read.h"
#include "hosted_classic.pb-c.h"

#define ENDPOINT "control"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t request_ids[] = {
    [CTRL_GET_MAC] = HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_MAC,
    [CTRL_GET_MODE] = HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_MODE,
    [CTRL_SET_MODE] = HOSTED_CLASSIC__MESSAGE_ID__REQ_SET_MODE,
    [CTRL_GET_AP] = HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_AP,
    [CTRL_CONNECT] = HOSTED_CLASSIC__MESSAGE_ID__REQ_CONNECT_AP,
    [CTRL_DISCONNECT] = HOSTED_CLASSIC__MESSAGE_ID__REQ_DISCONNECT_AP,
    [CTRL_SCAN] = HOSTED_CLASSIC__MESSAGE_ID__REQ_SCAN,
    [CTRL_SET_MAC] = HOSTED_CLASSIC__MESSAGE_ID__REQ_SET_MAC,
    [CTRL_OTA_BEGIN] = HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_BEGIN,
    [CTRL_OTA_WRITE] = HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_WRITE,
    [CTRL_OTA_END] = HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_END,
};

static int pack(const HostedClassic__Message *msg, uint8_t *buf, size_t size)
{
    const size_t len = hosted_classic__message__get_packed_size(msg);
    const int head = serial_tlv_head(ENDPOINT, len, buf, size);

    if (head < 0)
        return head;
    return head + (int)hosted_classic__message__pack(msg, buf + head);
}

static int encode(const struct ctrl_request *request, int32_t uid, uint8_t *buf, size_t size)
{
    HostedClassic__Empty empty = HOSTED_CLASSIC__EMPTY__INIT;
    HostedClassic__ReqMode mode = HOSTED_CLASSIC__REQ_MODE__INIT;
    HostedClassic__ReqSetMac set_mac = HOSTED_CLASSIC__REQ_SET_MAC__INIT;
    HostedClassic__ReqConnectAp connect = HOSTED_CLASSIC__REQ_CONNECT_AP__INIT;
    HostedClassic__ReqOtaWrite write = HOSTED_CLASSIC__REQ_OTA_WRITE__INIT;
    HostedClassic__Message msg = HOSTED_CLASSIC__MESSAGE__INIT;

    (void)uid; /* this dialect has none */
    if (request->command >= COUNT_OF(request_ids))
        return -ENOTSUP;
    msg.has_msg = true;
    msg.msg = request_ids[request->command];

    switch (request->command) {
    case CTRL_GET_MAC:
    case CTRL_SET_MODE:
        mode.has_mode = true;
        mode.mode = (int32_t)request->mode;
        msg.req_get_mac = &mode; /* the same place in the union as req_set_mode */
        break;
    case CTRL_SET_MAC:
        set_mac.has_mac = true;
        set_mac.mac.data = (uint8_t *)request->set_mac.mac;
        set_mac.mac.len = strlen(request->set_mac.mac);
        set_mac.has_mode = true;
        set_mac.mode = (int32_t)request->set_mac.mode;
        msg.req_set_mac = &set_mac;
        break;
    case CTRL_CONNECT:
        connect.ssid = (char *)request->network.ssid;
        connect.password = (char *)request->network.password;
        connect.bssid = (char *)request->network.bssid;
        connect.has_is_wpa3_supported = true;
        connect.is_wpa3_supported = request->network.wpa3;
        connect.has_listen_interval = true;
        connect.listen_interval = request->network.listen_interval;
        msg.req_connect_ap = &connect;
        break;
    case CTRL_OTA_WRITE:
        write.has_data = true;
        write.data.data = (uint8_t *)request->write.data;
        write.data.len = request->write.len;
        write.has_extension = request->extension != NULL;
        write.extension.data = (uint8_t *)request->extension;
        write.extension.len = request->extension_len;
        msg.req_ota_write = &write;
        break;
    default:
        if (request->extension == NULL)
            return pack(&msg, buf, size); /* no payload field at all, as upstream's tools */
        empty.has_extension = true;
        empty.extension.data = (uint8_t *)request->extension;
        empty.extension.len = request->extension_len;
        msg.req_get_mode = &empty; /* all payloads share a place in the union */
        break;
    }
    /* A payload's field number is 10 above its message number. */
    msg.payload_case = (HostedClassic__Message__PayloadCase)(msg.msg + 10);
    return pack(&msg, buf, size);
}

/* What is not there is zero. */
static void read_resp(bool has, int32_t code, struct ctrl_reply *reply)
{
    read_result(has ? code : 0, reply);
}

static void read_ap(const HostedClassic__RespGetAp *in, struct ctrl_reply *reply)
{
    struct hosted_ap *ap = &reply->ap;

    read_resp(in->has_resp, in->resp, reply);
    if (reply->code == HOSTED_CLASSIC__RESULT__NOT_CONNECTED)
        reply->outcome = CTRL_NOT_CONNECTED;
    ap->ssid_len = read_ssid(ap->ssid, &in->ssid);
    read_bytes(ap->bssid, sizeof(ap->bssid), &in->bssid);
    ap->rssi = in->rssi;
    ap->channel = in->channel;
    ap->encryption = (enum hosted_encryption)in->encryption;
}

static int read_scan(const HostedClassic__RespScan *in, struct ctrl_reply *reply)
{
    read_resp(in->has_resp, in->resp, reply);
    read_extension(&in->extension, reply);
    if (in->n_entries == 0)
        return 0;

    struct hosted_ap *list = calloc(in->n_entries, sizeof(*list));

    if (list == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < in->n_entries; i++) {
        const HostedClassic__AccessPoint *entry = in->entries[i];

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

static void read_yes_or_no(const HostedClassic__RespOnly *in, struct ctrl_reply *reply)
{
    read_resp(in->has_resp, in->resp, reply);
    read_extension(&in->extension, reply);
}

static void read_connect(const HostedClassic__RespOnly *in, struct ctrl_reply *reply)
{
    read_yes_or_no(in, reply);
    if (reply->code == HOSTED_CLASSIC__RESULT__NO_AP_FOUND)
        reply->outcome = CTRL_NO_AP_FOUND;
    if (reply->code == HOSTED_CLASSIC__RESULT__CONNECTION_FAIL)
        reply->outcome = CTRL_BAD_PASSWORD;
}

/* `msg` has the payload of its message number. */
static int read_payload(const HostedClassic__Message *msg, struct ctrl_reply *reply)
{
    switch (reply->command) {
    case CTRL_GET_MAC:
        read_resp(msg->resp_get_mac->has_resp, msg->resp_get_mac->resp, reply);
        read_bytes(reply->mac, sizeof(reply->mac), &msg->resp_get_mac->mac);
        return 0;
    case CTRL_GET_MODE:
        read_resp(msg->resp_get_mode->has_resp, msg->resp_get_mode->resp, reply);
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
        read_connect(msg->resp_connect_ap, reply);
        return 0;
    case CTRL_SET_MODE:
    case CTRL_DISCONNECT:
    case CTRL_SET_MAC:
    case CTRL_OTA_BEGIN:
    case CTRL_OTA_WRITE:
    case CTRL_OTA_END: /* all are RespOnly, in one place of the union */
        read_yes_or_no(msg->resp_ota_end, reply);
        return 0;
    default:
        return -ENOMSG;
    }
}

static int command_of(int32_t reply_id)
{
    for (size_t i = 0; i < sizeof(request_ids); i++)
        if (request_ids[i] + 1 == reply_id)
            return (int)i;
    return -ENOMSG;
}

static int read_message(const HostedClassic__Message *msg, struct ctrl_message *ret)
{
    const int32_t id = msg->has_msg ? msg->msg : 0;
    const int command = command_of(id);

    if (command < 0)
        return command;

    struct ctrl_reply reply = {.command = (enum ctrl_command)command};

    ret->is_event = false;
    ret->reply = reply;
    if ((int32_t)msg->payload_case != id + 10)
        return -EPROTO;

    const int err = read_payload(msg, &reply);

    if (err == 0)
        ret->reply = reply;
    return err;
}

static int decode(const struct serial_tlv *tlv, struct ctrl_message *ret)
{
    HostedClassic__Message *msg = hosted_classic__message__unpack(NULL, tlv->data_len, tlv->data);

    if (msg == NULL)
        return -EBADMSG;

    const int err = read_message(msg, ret);

    hosted_classic__message__free_unpacked(msg, NULL);
    return err;
}

const struct dialect dialect_classic = {
    .id = HOSTED_DIALECT_CLASSIC,
    .endpoint = ENDPOINT,
    .encode = encode,
    .decode = decode,
};
