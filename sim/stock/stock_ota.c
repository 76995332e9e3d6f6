/* SPDX-License-Identifier: Apache-2.0 */
/* Stock firmware: the update, straight on esp_ota_*. */
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "stock.h"
#include "world.h"

#define RESTART_AFTER_US (5 * 1000 * 1000)

/* Before each step it sleeps, to give the transport a chance (its CONFIG_ESP_OTA_WORKAROUND). */
#define SLEEP_US 40000

static esp_ota_handle_t s_handle;
static const esp_partition_t *s_partition;

static void restart(void *arg)
{
    (void)arg;
    esp_restart();
}

static void sleep_before_flash(void)
{
    sim_clock_spend_us(&world->clock, SLEEP_US);
}

/* What Wi-Fi received while the update was busy is dropped. */
static void discard_received(void)
{
    if (world->clock.mode == SIM_CLOCK_REAL)
        air_discard_received(&world->air);
}

static esp_err_t begin(void)
{
    s_partition = esp_ota_get_next_update_partition(NULL);
    if (s_partition == NULL)
        return ESP_ERR_NOT_FOUND;
    sleep_before_flash();

    const esp_err_t rc = esp_ota_begin(s_partition, OTA_SIZE_UNKNOWN, &s_handle);

    discard_received();
    return rc;
}

static esp_err_t write(const ProtobufCBinaryData *data)
{
    sleep_before_flash();

    const esp_err_t rc = esp_ota_write(s_handle, data->data, data->len);

    discard_received();
    return rc;
}

static esp_err_t end(void)
{
    const esp_timer_create_args_t once = {.callback = restart};
    esp_timer_handle_t timer;

    sleep_before_flash();

    esp_err_t rc = esp_ota_end(s_handle);

    discard_received();
    if (rc == ESP_OK)
        rc = esp_ota_set_boot_partition(s_partition);
    if (rc == ESP_OK)
        rc = esp_timer_create(&once, &timer);
    if (rc == ESP_OK)
        rc = esp_timer_start_once(timer, RESTART_AFTER_US);
    return rc;
}

static HostedClassic__RespOnly *payload(esp_err_t rc)
{
    static HostedClassic__RespOnly resp;

    hosted_classic__resp_only__init(&resp);
    resp.has_resp = true;
    resp.resp = rc == ESP_OK ? STOCK_SUCCESS : STOCK_FAILURE;
    return &resp;
}

enum stock_outcome stock_ota_begin(const HostedClassic__Message *request,
                                   HostedClassic__Message *reply)
{
    (void)request;
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_OTA_BEGIN;
    reply->resp_ota_begin = payload(begin());
    return STOCK_REPLIES;
}

enum stock_outcome stock_ota_write(const HostedClassic__Message *request,
                                   HostedClassic__Message *reply)
{
    if (request->payload_case != HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_OTA_WRITE)
        stock_panic("OTA write: the payload is not looked for before it is read");
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_OTA_WRITE;
    reply->resp_ota_write = payload(write(&request->req_ota_write->data));
    return STOCK_REPLIES;
}

enum stock_outcome stock_ota_end(const HostedClassic__Message *request,
                                 HostedClassic__Message *reply)
{
    (void)request;
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_OTA_END;
    reply->resp_ota_end = payload(end());
    return STOCK_REPLIES;
}
