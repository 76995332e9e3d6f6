/* SPDX-License-Identifier: Apache-2.0 */
/* Classic stock firmware: the messages of an update. */
#include "stock_classic.h"
#include "world.h"

/* Before each step it sleeps, to give the transport a chance (its CONFIG_ESP_OTA_WORKAROUND). */
#define SLEEP_US 40000

static void sleep_before_flash(void)
{
    sim_clock_spend_us(&world->clock, SPENT_SLEEP, SLEEP_US);
}

/* What Wi-Fi received while the update was busy is dropped. */
static void discard_received(void)
{
    if (world->clock.mode == SIM_CLOCK_REAL)
        air_discard_received(&world->air);
}

static HostedClassic__RespOnly *payload(esp_err_t rc)
{
    static HostedClassic__RespOnly resp;

    discard_received();
    hosted_classic__resp_only__init(&resp);
    resp.has_resp = true;
    resp.resp = rc == ESP_OK ? STOCK_SUCCESS : STOCK_FAILURE;
    return &resp;
}

enum stock_outcome stock_classic_ota_begin(const HostedClassic__Message *request,
                                           HostedClassic__Message *reply)
{
    (void)request;
    sleep_before_flash();
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_OTA_BEGIN;
    reply->resp_ota_begin = payload(stock_ota_begin());
    return STOCK_REPLIES;
}

enum stock_outcome stock_classic_ota_write(const HostedClassic__Message *request,
                                           HostedClassic__Message *reply)
{
    if (request->payload_case != HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_OTA_WRITE)
        stock_panic("OTA write: the payload is not looked for before it is read");

    const ProtobufCBinaryData *const data = &request->req_ota_write->data;

    sleep_before_flash();
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_OTA_WRITE;
    reply->resp_ota_write = payload(stock_ota_write(data->data, data->len));
    return STOCK_REPLIES;
}

enum stock_outcome stock_classic_ota_end(const HostedClassic__Message *request,
                                         HostedClassic__Message *reply)
{
    (void)request;
    sleep_before_flash();
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_OTA_END;
    reply->resp_ota_end = payload(stock_ota_end());
    return STOCK_REPLIES;
}
