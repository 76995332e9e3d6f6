/* SPDX-License-Identifier: Apache-2.0 */
/* Classic stock firmware: its control task (framing, dispatch, replies), and its start. */
#include "stock_classic.h"
#include "fw_image.h"
#include "world.h"

#define ENDPOINT     "control"
#define LAST_REQUEST 38

/* Its control task looks for a message at each tick, of 400 Hz on the ESP32 and else of 100. */
#define TICK_US_ESP32 2500
#define TICK_US       10000

static int s_reply_number; /* of the request that waits; 0: none */

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

struct handler {
    int32_t request;
    stock_classic_handler *handle;
};

static const struct handler *find_handler(int32_t request)
{
    static const struct handler handlers[] = {
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_MAC, stock_classic_get_mac},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_MODE, stock_classic_get_mode},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_SET_MODE, stock_classic_set_mode},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_GET_AP, stock_classic_get_ap},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_CONNECT_AP, stock_classic_connect_ap},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_DISCONNECT_AP, stock_classic_disconnect_ap},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_SCAN, stock_classic_scan},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_SET_MAC, stock_classic_set_mac},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_BEGIN, stock_classic_ota_begin},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_WRITE, stock_classic_ota_write},
        {HOSTED_CLASSIC__MESSAGE_ID__REQ_OTA_END, stock_classic_ota_end},
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
        stock_serial_send(ENDPOINT, &reply.base);
        return true;
    case STOCK_REPLIES_LATER:
        s_reply_number = reply.msg;
        return true;
    case STOCK_FAILS:
        break;
    }
    return false;
}

static void take(const uint8_t *message, size_t len)
{
    struct serial_tlv parts;

    sim_clock_wait_tick(&world->clock, world->tick_us);
    if (stock_tlv_find(message, len, &parts) < 0)
        stock_panic("not endpoint and data");
    if (!stock_tlv_is_for(&parts, ENDPOINT))
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

void stock_classic_finish(HostedClassic__Message *reply)
{
    reply->has_msg = true;
    reply->msg = s_reply_number;
    s_reply_number = 0;
    stock_serial_send(ENDPOINT, &reply->base);
}

static void send_init(void)
{
    const uint8_t tlvs[] = {
        STOCK_TAG_CHIP,          1, (uint8_t)world->chip_id,
        STOCK_TAG_SPI_CLOCK_MHZ, 1, world->bus_mhz,
        STOCK_TAG_CAPABILITY,    1, STOCK_CAPABILITY_WLAN_SPI,
    };

    stock_serial_send_init(tlvs, sizeof(tlvs));
}

static int start(void)
{
    static const struct stock_receiver receiver = {
        .take = take,
        .station_is_connected = stock_classic_is_connected,
    };
    const wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();

    world->tick_us = world->chip_id == FW_CHIP_ESP32 ? TICK_US_ESP32 : TICK_US;
    world->yield_us = STOCK_YIELD_US;
    stock_serial_start(&receiver);
    if (esp_event_loop_create_default() != ESP_OK || esp_wifi_init(&config) != ESP_OK ||
        esp_wifi_set_mode(WIFI_MODE_NULL) != ESP_OK || esp_wifi_start() != ESP_OK)
        return -1;
    return 0;
}

/* While its control task waits for Wi-Fi, the next message fills the only buffer there is, and
 * nothing more is taken from the bus. */
static bool takes_frames(void)
{
    return s_reply_number == 0;
}

const struct program stock_classic_program = {
    .start = start,
    .send_init = send_init,
    .on_frame = stock_serial_on_frame,
    .takes_frames = takes_frames,
};
