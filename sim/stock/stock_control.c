/* SPDX-License-Identifier: Apache-2.0 */
/* Stock firmware's control task: endpoint framing, dispatch, replies. */
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "serial_tlv.h"
#include "stock.h"
#include "world.h"

#define ENDPOINT       "control"
#define NAME_MAX_BYTES 14
#define LAST_REQUEST   38

#define TAG_ENDPOINT 1
#define TAG_DATA     2

static const char TAG[] = "stock";

static int s_reply_number; /* of the request that waits; 0: none */

_Noreturn void stock_panic(const char *why)
{
    ESP_LOGE(TAG, "panic: %s", why);
    world_reset(WORLD_RESET_PANIC);
}

/* Its parser takes the two parts in any order, and the last of each if there are several. */
static bool find_parts(const uint8_t *message, size_t len, struct serial_tlv *ret)
{
    struct serial_tlv found = {0};

    while (len > 0) {
        if (len < 3)
            return false;

        const size_t part = (size_t)(message[1] | message[2] << 8);

        if (part > len - 3)
            return false;
        if (message[0] == TAG_ENDPOINT) {
            found.endpoint = message + 3;
            found.endpoint_len = part;
        } else if (message[0] == TAG_DATA) {
            found.data = message + 3;
            found.data_len = part;
        } else {
            return false;
        }
        message += 3 + part;
        len -= 3 + part;
    }
    *ret = found;
    return found.endpoint_len <= NAME_MAX_BYTES && found.data_len > 0;
}

/*
 * Commands outside what is modelled here (soft-AP, power save, vendor elements, transmit power):
 * they fail, as several do on the real one as long as no soft-AP runs.
 */
static bool fail_unmodelled(HostedClassic__Message *reply)
{
    static HostedClassic__RefusalAt1 at_1 = HOSTED_CLASSIC__REFUSAL_AT1__INIT;
    static HostedClassic__RefusalAt2 at_2 = HOSTED_CLASSIC__REFUSAL_AT2__INIT;
    static HostedClassic__RefusalAt3 at_3 = HOSTED_CLASSIC__REFUSAL_AT3__INIT;
    static HostedClassic__RefusalAt8 at_8 = HOSTED_CLASSIC__REFUSAL_AT8__INIT;

    at_1.has_resp = at_2.has_resp = at_3.has_resp = at_8.has_resp = true;
    at_1.resp = at_2.resp = at_3.resp = at_8.resp = STOCK_FAILURE;
    reply->payload_case = (HostedClassic__Message__PayloadCase)(reply->msg + 10);
    switch (reply->payload_case) {
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SET_SOFT_AP:
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_STOP_SOFT_AP:
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SET_POWER_SAVE:
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SET_VENDOR_ELEMENT:
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SET_TX_POWER:
        reply->resp_set_soft_ap = &at_1;
        return true;
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_POWER_SAVE:
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_TX_POWER:
        reply->resp_get_power_save = &at_2;
        return true;
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_STATIONS:
        reply->resp_get_stations = &at_3;
        return true;
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_SOFT_AP:
        reply->resp_get_soft_ap = &at_8;
        return true;
    default:
        return false;
    }
}

static void send_reply(const HostedClassic__Message *reply)
{
    const size_t len = hosted_classic__message__get_packed_size(reply);
    const size_t size = SERIAL_TLV_OVERHEAD(sizeof(ENDPOINT)) + len;
    uint8_t *const message = malloc(size);
    const int head = message != NULL ? serial_tlv_head(ENDPOINT, len, message, size) : -1;

    if (head < 0)
        stock_panic("no memory for a reply");
    hosted_classic__message__pack(reply, message + head);
    stock_serial_send(message, (size_t)head + len);
    free(message);
}

struct handler {
    int32_t request;
    enum stock_outcome (*handle)(const HostedClassic__Message *, HostedClassic__Message *);
};

static const struct handler *find_handler(int32_t request)
{
    static const struct handler handlers[] = {
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_MAC, stock_get_mac},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_MODE, stock_get_mode},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_SET_MODE, stock_set_mode},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_AP, stock_get_ap},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_CONNECT_AP, stock_connect_ap},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_DISCONNECT_AP, stock_disconnect_ap},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_SCAN, stock_scan},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_SET_MAC, stock_set_mac},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_BEGIN, stock_ota_begin},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_WRITE, stock_ota_write},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_END, stock_ota_end},
    };

    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (handlers[i].request == request)
            return &handlers[i];
    }
    return NULL;
}

/* Returns false when the control task ends over the request. */
static bool handle(const HostedClassic__Message *request)
{
    const struct handler *const handler = find_handler(request->msg);
    HostedClassic__Message reply = HOSTED_CLASSIC__MESSAGE__INIT;
    enum stock_outcome outcome;

    if (request->msg < 0 || request->msg > LAST_REQUEST)
        return false;
    reply.has_msg = true;
    reply.msg = request->msg + 1;
    if (handler == NULL)
        outcome = fail_unmodelled(&reply) ? STOCK_REPLIES : STOCK_FAILS;
    else
        outcome = handler->handle(request, &reply);
    switch (outcome) {
    case STOCK_REPLIES:
        send_reply(&reply);
        return true;
    case STOCK_REPLIES_LATER:
        s_reply_number = reply.msg;
        return true;
    case STOCK_FAILS:
        break;
    }
    return false;
}

void stock_control_take(const uint8_t *message, size_t len)
{
    struct serial_tlv parts;

    if (!find_parts(message, len, &parts))
        stock_panic("not endpoint and data");
    if (parts.endpoint_len != strlen(ENDPOINT) ||
        memcmp(parts.endpoint, ENDPOINT, parts.endpoint_len) != 0)
        stock_panic("no such endpoint");

    HostedClassic__Message *const request =
        hosted_classic__message__unpack(NULL, parts.data_len, parts.data);

    if (request == NULL)
        stock_panic("a request that does not decode");

    const bool handled = handle(request);

    hosted_classic__message__free_unpacked(request, NULL);
    if (!handled)
        stock_panic("a request that cannot be handled");
}

bool stock_control_is_busy(void)
{
    return s_reply_number != 0;
}

void stock_control_finish(HostedClassic__Message *reply)
{
    reply->has_msg = true;
    reply->msg = s_reply_number;
    s_reply_number = 0;
    send_reply(reply);
}
