/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESP-Hosted-MCU, whose hosts are microcontrollers: recognised, so that it can be said. The one
 * request that is known of it is that for its version, and the Wi-Fi mode, which every device is
 * asked first, is asked by it: any answer tells who is there.
 */
#include <errno.h>
#include <stdio.h>

#include "dialect.h"
#include "dialect_read.h"
#include "hosted_mcu.pb-c.h"

#define ENDPOINT "RPCRsp"

#define TYPE_REQUEST 1

static int encode(const struct ctrl_request *request, int32_t uid, uint8_t *buf, size_t size)
{
    HostedMcu__Empty empty = HOSTED_MCU__EMPTY__INIT;
    HostedMcu__Message msg = HOSTED_MCU__MESSAGE__INIT;

    if (request->command != CTRL_GET_MODE && request->command != CTRL_GET_VERSION)
        return -ENOTSUP;
    msg.type = TYPE_REQUEST;
    msg.id = HOSTED_MCU__MESSAGE_ID__REQ_GET_VERSION;
    msg.uid = (uint32_t)uid;
    msg.payload_case = HOSTED_MCU__MESSAGE__PAYLOAD_REQ_GET_VERSION;
    msg.req_get_version = &empty;

    const size_t len = hosted_mcu__message__get_packed_size(&msg);
    const int head = serial_tlv_head(ENDPOINT, len, buf, size);

    if (head < 0)
        return head;
    return head + (int)hosted_mcu__message__pack(&msg, buf + head);
}

static int read_message(const HostedMcu__Message *msg, struct ctrl_message *ret)
{
    struct ctrl_reply reply = {.command = CTRL_GET_MODE, .uid = (int32_t)msg->uid};

    if (msg->id != HOSTED_MCU__MESSAGE_ID__RESP_GET_VERSION &&
        msg->id != HOSTED_MCU__MESSAGE_ID__RESP_UNKNOWN)
        return -ENOMSG;
    *ret = (struct ctrl_message){.reply = reply};
    return 0;
}

static int decode(const struct serial_tlv *tlv, struct ctrl_message *ret)
{
    HostedMcu__Message *msg = hosted_mcu__message__unpack(NULL, tlv->data_len, tlv->data);

    if (msg == NULL)
        return -EBADMSG;

    const int err = read_message(msg, ret);

    hosted_mcu__message__free_unpacked(msg, NULL);
    return err;
}

const struct dialect dialect_mcu = {
    .id = HOSTED_DIALECT_MCU,
    .endpoint = ENDPOINT,
    .event_endpoint = "RPCEvt",
    .has_uids = true,
    .encode = encode,
    .decode = decode,
};
