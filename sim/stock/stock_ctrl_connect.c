/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ctrl stock firmware: joining and leaving an access point. The reply to a request says nothing;
 * how it ended is told by events, and whatever ended is tried again, for ever.
 *
 * On a chip a failed attempt takes seconds and is followed by the next at once. Here the radio
 * answers sooner, or in no time at all, so the seconds lie between two attempts, on a timer of the
 * firmware's kind: where time is computed, `advance` brings the next.
 */
#include <string.h>

#include "esp_event.h"
#include "esp_private/wifi.h"
#include "stock_ctrl.h"
#include "timers.h"
#include "world.h"

#define RETRY_US 2500000 /* about what listening on all channels takes */

static bool s_connected;
static bool s_trying; /* an attempt is with the driver */

/* A configuration that the host has given and the driver has not got, as far as the firmware can
 * tell: it is not sure of one that it gave away itself. */
static wifi_config_t s_new;
static bool s_is_new;

static bool s_proven; /* the driver's configuration has led to a connection */
static wifi_event_sta_connected_t s_last;

/* A request leaves at most one connection or attempt by itself; what follows that comes at once. */
static bool s_leaving;

static void retry(void *ctx);

static struct sim_timer s_retry = {.fire = retry};

bool stock_ctrl_is_connected(void)
{
    return s_connected;
}

bool stock_ctrl_is_retrying(void)
{
    return s_retry.armed;
}

void stock_ctrl_forget_config(void)
{
    s_proven = false;
    s_new = (wifi_config_t){0};
}

static void attempt(void)
{
    if (esp_wifi_connect() == ESP_OK)
        s_trying = true;
}

static void retry(void *ctx)
{
    (void)ctx;
    attempt();
}

static void apply_new(void)
{
    if (s_is_new && esp_wifi_set_config(WIFI_IF_STA, &s_new) == ESP_OK)
        s_is_new = false;
}

static void on_disconnected(const wifi_event_sta_disconnected_t *event)
{
    const bool at_once = s_leaving && event->reason == WIFI_REASON_ASSOC_LEAVE;

    s_connected = s_trying = s_leaving = false;
    stock_ctrl_send_disconnected(event);
    apply_new();
    if (at_once && !s_is_new)
        attempt();
    else
        sim_timer_arm(&s_retry, SIM_TIMER_FIRMWARE, world_now_us() + RETRY_US);
}

/* With a new configuration still about, this connection may be the wrong one. */
static void on_connected(const wifi_event_sta_connected_t *event)
{
    s_trying = false;
    if (s_is_new) {
        apply_new();
        esp_wifi_disconnect();
        return;
    }
    s_leaving = false;
    s_proven = true;
    s_connected = true;
    s_last = *event;
    stock_ctrl_send_connected(event);
    esp_wifi_internal_reg_rxcb(WIFI_IF_STA, stock_station_rx);
}

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    if (id == WIFI_EVENT_STA_DISCONNECTED)
        on_disconnected(data);
    else if (id == WIFI_EVENT_STA_CONNECTED)
        on_connected(data);
    else if (id == WIFI_EVENT_STA_START && !s_connected && !s_trying && !s_retry.armed)
        attempt();
}

esp_err_t stock_ctrl_station_start(void)
{
    return esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_event, NULL);
}

/* Turns to station mode. Returns false when that fails; *ret_changed: it was not. */
static bool ready_station(bool *ret_changed)
{
    wifi_mode_t mode;

    if (esp_wifi_get_mode(&mode) != ESP_OK)
        return false;
    *ret_changed = mode != WIFI_MODE_STA && mode != WIFI_MODE_APSTA;
    return !*ret_changed || esp_wifi_set_mode(WIFI_MODE_STA) == ESP_OK;
}

/* Strings are terminated: a name of 32 bytes loses its last. */
static bool make_config(const HostedCtrl__ReqConnectAp *request, wifi_sta_config_t *ret)
{
    stock_put_text(ret->ssid, sizeof(ret->ssid) - 1, request->ssid);
    stock_put_text(ret->password, sizeof(ret->password) - 1, request->password);
    if (!stock_put_bssid(ret, request->bssid))
        return false;
    ret->pmf_cfg.capable = request->is_wpa3_supported;
    if (request->listen_interval >= 0)
        ret->listen_interval = (uint16_t)request->listen_interval;
    return true;
}

static bool is_same(const wifi_sta_config_t *a, const wifi_sta_config_t *b)
{
    return memcmp(a->ssid, b->ssid, sizeof(a->ssid)) == 0 &&
           memcmp(a->password, b->password, sizeof(a->password)) == 0 &&
           a->bssid_set == b->bssid_set &&
           (!a->bssid_set || memcmp(a->bssid, b->bssid, sizeof(a->bssid)) == 0);
}

/* The driver gets a configuration at once only if it has none. */
static void take_config(wifi_config_t *config)
{
    wifi_config_t current = {0};

    esp_wifi_get_config(WIFI_IF_STA, &current);
    if (current.sta.ssid[0] == '\0')
        esp_wifi_set_config(WIFI_IF_STA, config);
    if (is_same(&config->sta, &current.sta))
        return;
    s_proven = false;
    s_new = *config;
    s_is_new = true;
}

/* A retry that waits is an attempt under way on a chip: it ends with the driver. */
static void abort_retry(void)
{
    wifi_event_sta_disconnected_t event = {.reason = WIFI_REASON_ASSOC_LEAVE};
    wifi_config_t config = {0};

    sim_timer_disarm(&s_retry);
    esp_wifi_get_config(WIFI_IF_STA, &config);
    memcpy(event.ssid, config.sta.ssid, sizeof(event.ssid));
    event.ssid_len = (uint8_t)strnlen((const char *)event.ssid, sizeof(event.ssid));
    esp_event_post(WIFI_EVENT, WIFI_EVENT_STA_DISCONNECTED, &event, sizeof(event), portMAX_DELAY);
}

/* Where something was under way, the event of its end is what brings the new attempt. */
static void restart_station(void)
{
    const bool idle = !s_connected && !s_trying && !s_retry.armed;

    s_leaving = true;
    if (s_retry.armed)
        abort_retry();
    esp_wifi_stop();
    esp_wifi_set_mode(WIFI_MODE_STA);
    esp_wifi_start();
    if (idle)
        attempt();
}

/* What is connected as asked is reported once more; what tries as asked is left to it. */
static void begin_connect(wifi_config_t *config, bool changed)
{
    take_config(config);
    if (changed || !s_proven)
        restart_station();
    else if (s_connected)
        esp_event_post(WIFI_EVENT, WIFI_EVENT_STA_CONNECTED, &s_last, sizeof(s_last),
                       portMAX_DELAY);
}

/* A success, whatever happens; the address is missing when it did not come so far. */
bool stock_ctrl_connect_ap(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    static HostedCtrl__RespConnectAp payload;
    static char mac[STOCK_MAC_TEXT_BYTES];
    wifi_config_t config = {0};
    bool changed;

    if (request->payload_case != HOSTED_CTRL__MESSAGE__PAYLOAD_REQ_CONNECT_AP)
        return false;
    hosted_ctrl__resp_connect_ap__init(&payload);
    if (ready_station(&changed) && make_config(request->req_connect_ap, &config.sta) &&
        stock_get_mac_text(WIFI_MODE_STA, mac)) {
        payload.mac = stock_ctrl_text(mac, strlen(mac));
        begin_connect(&config, changed);
    }
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_CONNECT_AP;
    reply->resp_connect_ap = &payload;
    return true;
}

/* It leaves, and comes back by itself, as after any other loss. */
bool stock_ctrl_disconnect_ap(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    static HostedCtrl__RespOnly payload;

    (void)request;
    hosted_ctrl__resp_only__init(&payload);
    if (s_connected && esp_wifi_disconnect() == ESP_OK)
        s_connected = s_proven = false;
    else
        payload.resp = STOCK_FAILURE;
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_DISCONNECT_AP;
    reply->resp_disconnect_ap = &payload;
    return true;
}
