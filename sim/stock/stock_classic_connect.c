/* SPDX-License-Identifier: Apache-2.0 */
/* Classic stock firmware: joining and leaving an access point. */
#include "esp_event.h"
#include "esp_private/wifi.h"
#include "stock_classic.h"

#define MAX_RETRIES 5

static bool s_connected; /* as the firmware sees it: set by a connect, cleared by a disconnect */

/* Reset by a success only: after one failed request, later ones get no retries. */
static int s_retries;

bool stock_classic_is_connected(void)
{
    return s_connected;
}

static void on_station_event(void *arg, esp_event_base_t base, int32_t id, void *data);

static void reply_to_connect(int32_t result)
{
    HostedClassic__RespOnly payload = HOSTED_CLASSIC__RESP_ONLY__INIT;
    HostedClassic__Message reply = HOSTED_CLASSIC__MESSAGE__INIT;

    /* Listened for during this request only, so that a lost connection goes unnoticed later. */
    esp_event_handler_unregister(WIFI_EVENT, WIFI_EVENT_STA_CONNECTED, on_station_event);
    esp_event_handler_unregister(WIFI_EVENT, WIFI_EVENT_STA_DISCONNECTED, on_station_event);
    payload.has_resp = true;
    payload.resp = result;
    reply.payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_CONNECT_AP;
    reply.resp_connect_ap = &payload;
    stock_classic_finish(&reply);
}

static int32_t result_of(uint8_t reason)
{
    switch (reason) {
    case WIFI_REASON_NO_AP_FOUND:
    case WIFI_REASON_NO_AP_FOUND_W_COMPATIBLE_SECURITY: /* ESP-IDF v4.3: the same as the former */
        return HOSTED_CLASSIC__RESULT__NO_AP_FOUND;
    case WIFI_REASON_CONNECTION_FAIL:
    case WIFI_REASON_NOT_AUTHED:
        return HOSTED_CLASSIC__RESULT__CONNECTION_FAIL;
    default:
        return STOCK_FAILURE;
    }
}

static void on_station_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    if (id == WIFI_EVENT_STA_CONNECTED) {
        esp_wifi_internal_reg_rxcb(WIFI_IF_STA, stock_station_rx);
        s_retries = 0;
        s_connected = true;
        reply_to_connect(STOCK_SUCCESS);
    } else if (s_retries < MAX_RETRIES) {
        esp_wifi_connect();
        s_retries++;
    } else {
        esp_wifi_internal_reg_rxcb(WIFI_IF_STA, NULL);
        reply_to_connect(result_of(((const wifi_event_sta_disconnected_t *)data)->reason));
    }
}

static bool make_config(const HostedClassic__ReqConnectAp *request, wifi_sta_config_t *ret)
{
    stock_put_text(ret->ssid, sizeof(ret->ssid), request->ssid);
    stock_put_text(ret->password, sizeof(ret->password), request->password);
    if (!stock_put_bssid(ret, request->bssid))
        return false;
    ret->pmf_cfg.capable = request->is_wpa3_supported;
    if (request->listen_interval >= 0)
        ret->listen_interval = (uint16_t)request->listen_interval;
    return true;
}

/* Returns true when an answer from the radio is on its way. */
static bool begin_connect(const HostedClassic__ReqConnectAp *request)
{
    wifi_config_t config = {0};

    if (s_connected && esp_wifi_disconnect() != ESP_OK)
        return false;
    s_connected = false;
    if (esp_wifi_set_mode(WIFI_MODE_STA) != ESP_OK || !make_config(request, &config.sta) ||
        esp_wifi_set_config(WIFI_IF_STA, &config) != ESP_OK)
        return false;

    esp_event_handler_register(WIFI_EVENT, WIFI_EVENT_STA_CONNECTED, on_station_event, NULL);
    esp_event_handler_register(WIFI_EVENT, WIFI_EVENT_STA_DISCONNECTED, on_station_event, NULL);
    if (esp_wifi_connect() == ESP_OK)
        return true;
    esp_event_handler_unregister(WIFI_EVENT, WIFI_EVENT_STA_CONNECTED, on_station_event);
    esp_event_handler_unregister(WIFI_EVENT, WIFI_EVENT_STA_DISCONNECTED, on_station_event);
    return false;
}

enum stock_outcome stock_classic_connect_ap(const HostedClassic__Message *request,
                                            HostedClassic__Message *reply)
{
    static HostedClassic__RespOnly payload;

    if (request->payload_case != HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_CONNECT_AP)
        return STOCK_FAILS;
    if (begin_connect(request->req_connect_ap))
        return STOCK_REPLIES_LATER;
    hosted_classic__resp_only__init(&payload);
    payload.has_resp = true;
    payload.resp = s_connected ? STOCK_SUCCESS : STOCK_FAILURE;
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_CONNECT_AP;
    reply->resp_connect_ap = &payload;
    return STOCK_REPLIES;
}

enum stock_outcome stock_classic_disconnect_ap(const HostedClassic__Message *request,
                                               HostedClassic__Message *reply)
{
    static HostedClassic__RespOnly payload;

    (void)request;
    hosted_classic__resp_only__init(&payload);
    payload.has_resp = true;
    payload.resp = STOCK_FAILURE;
    if (s_connected && esp_wifi_disconnect() == ESP_OK) {
        payload.resp = STOCK_SUCCESS;
        s_connected = false;
    }
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_DISCONNECT_AP;
    reply->resp_disconnect_ap = &payload;
    return STOCK_REPLIES;
}
