/* SPDX-License-Identifier: Apache-2.0 */
#include "wifi_station.h"

#include <stdio.h>
#include <string.h>

#include "esp_event.h"
#include "esp_log.h"
#include "esp_timer.h"
#include "esp_wifi.h"

/* Hosts wait 30 s for an answer: it must be there by then, whatever the radio does. */
#define OUTCOME_LIMIT_US (25 * 1000 * 1000)

#define CONNECT_TRIES 5

/* A lost access point is looked for again, at this pace. */
#define RECONNECT_PAUSE_US (3 * 1000 * 1000)

static const char s_tag[] = "station";

static wifi_station_replier s_replier;
static bool s_connected;
static bool s_wanted;             /* the host asked for a connection and has not taken it back */
static int s_tries_left;          /* of the connect that is pending */
static int64_t s_reconnect_at_us; /* 0: not planned */

/* The request whose outcome the radio still owes; one at a time. */
static struct {
    bool active;
    struct control_reply reply;
    int64_t deadline_us;
} s_pending;

static struct control_ap s_scan[CONTROL_SCAN_MAX];
static wifi_ap_record_t s_records[CONTROL_SCAN_MAX];

static void pend(const struct control_request *request)
{
    s_pending.active = true;
    s_pending.reply = (struct control_reply){.origin = request->origin, .op = request->op};
    s_pending.deadline_us = esp_timer_get_time() + OUTCOME_LIMIT_US;
}

static void conclude(int32_t result)
{
    if (!s_pending.active)
        return;
    s_pending.active = false;
    s_pending.reply.result = result;
    s_replier(&s_pending.reply);
}

static int32_t result_of(esp_err_t err)
{
    return err == ESP_OK ? CONTROL_SUCCESS : CONTROL_FAILURE;
}

static void mac_to_text(const uint8_t mac[6], char text[CONTROL_MAC_CHARS + 1])
{
    snprintf(text, CONTROL_MAC_CHARS + 1, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool mac_from_text(const char *text, uint8_t mac[6])
{
    if (strlen(text) != CONTROL_MAC_CHARS)
        return false;
    for (int i = 0; i < 6; i++, text += 3) {
        const int high = hex_value(text[0]);
        const int low = hex_value(text[1]);

        if (high < 0 || low < 0 || text[2] != (i < 5 ? ':' : '\0'))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* -1 for what is neither of the two interfaces. */
static int interface_of(int32_t mode)
{
    if (mode == WIFI_MODE_STA)
        return WIFI_IF_STA;
    return mode == WIFI_MODE_AP ? WIFI_IF_AP : -1;
}

static int32_t get_mac(int32_t mode, char text[CONTROL_MAC_CHARS + 1])
{
    const int interface = interface_of(mode);
    uint8_t mac[6];

    if (interface < 0 || esp_wifi_get_mac((wifi_interface_t)interface, mac) != ESP_OK)
        return CONTROL_FAILURE;
    mac_to_text(mac, text);
    return CONTROL_SUCCESS;
}

static int32_t set_mac(int32_t mode, const char *text)
{
    const int interface = interface_of(mode);
    uint8_t mac[6];

    if (interface < 0 || !mac_from_text(text, mac))
        return CONTROL_FAILURE;
    return result_of(esp_wifi_set_mac((wifi_interface_t)interface, mac));
}

static int32_t get_mode(int32_t *ret)
{
    wifi_mode_t mode;
    const esp_err_t err = esp_wifi_get_mode(&mode);

    if (err == ESP_OK)
        *ret = mode;
    return result_of(err);
}

static int32_t set_mode(int32_t mode)
{
    if (mode < WIFI_MODE_NULL || mode >= WIFI_MODE_MAX)
        return CONTROL_FAILURE;
    return result_of(esp_wifi_set_mode((wifi_mode_t)mode));
}

static void take_record(struct control_ap *to, const wifi_ap_record_t *from)
{
    const size_t len = strnlen((const char *)from->ssid, CONTROL_SSID_BYTES);

    memcpy(to->ssid, from->ssid, len);
    to->ssid[len] = '\0';
    mac_to_text(from->bssid, to->bssid);
    to->rssi = from->rssi;
    to->channel = from->primary;
    to->encryption = from->authmode;
}

static int32_t get_ap(struct control_ap *ret)
{
    wifi_ap_record_t record;

    if (!s_connected)
        return CONTROL_NOT_CONNECTED;

    const esp_err_t err = esp_wifi_sta_get_ap_info(&record);

    if (err == ESP_ERR_WIFI_NOT_CONNECT)
        return CONTROL_NOT_CONNECTED;
    if (err == ESP_OK)
        take_record(ret, &record);
    return result_of(err);
}

/* A station needs the station's part of the mode; an access point beside it stays. */
static esp_err_t ensure_station(void)
{
    wifi_mode_t mode;
    esp_err_t err = esp_wifi_get_mode(&mode);

    if (err == ESP_OK && mode == WIFI_MODE_NULL)
        err = esp_wifi_set_mode(WIFI_MODE_STA);
    else if (err == ESP_OK && mode == WIFI_MODE_AP)
        err = esp_wifi_set_mode(WIFI_MODE_APSTA);
    return err;
}

static esp_err_t configure(const struct control_request *request)
{
    wifi_config_t config = {0};
    const size_t password_len = strlen(request->connect.password);

    if (password_len > sizeof(config.sta.password))
        return ESP_ERR_INVALID_ARG;
    /* Both fields may be filled to the last byte, without a NUL. */
    memcpy(config.sta.ssid, request->connect.ssid, strlen(request->connect.ssid));
    memcpy(config.sta.password, request->connect.password, password_len);
    if (request->connect.bssid[0] != '\0') {
        if (!mac_from_text(request->connect.bssid, config.sta.bssid))
            return ESP_ERR_INVALID_ARG;
        config.sta.bssid_set = true;
    }
    config.sta.pmf_cfg.capable = request->connect.wpa3;
    if (request->connect.listen_interval > 0)
        config.sta.listen_interval = (uint16_t)request->connect.listen_interval;
    return esp_wifi_set_config(WIFI_IF_STA, &config);
}

static bool start_connect(const struct control_request *request, struct control_reply *reply)
{
    esp_err_t err = ESP_OK;

    reply->result = CONTROL_FAILURE;
    if (s_pending.active || request->connect.ssid[0] == '\0')
        return true;

    s_wanted = false;
    if (s_connected)
        err = esp_wifi_disconnect();
    s_connected = false;
    if (err == ESP_OK)
        err = ensure_station();
    if (err == ESP_OK)
        err = configure(request);
    if (err == ESP_OK)
        err = esp_wifi_connect();
    if (err != ESP_OK) {
        ESP_LOGW(s_tag, "connect: %s", esp_err_to_name(err));
        return true;
    }
    s_wanted = true;
    s_tries_left = CONNECT_TRIES;
    s_reconnect_at_us = 0;
    pend(request);
    return false;
}

static int32_t disconnect(void)
{
    const bool was_connected = s_connected;

    s_wanted = false;
    s_connected = false;
    s_reconnect_at_us = 0;
    if (!was_connected)
        return CONTROL_FAILURE;
    return result_of(esp_wifi_disconnect());
}

static bool start_scan(const struct control_request *request, struct control_reply *reply)
{
    esp_err_t err = ESP_FAIL;

    if (!s_pending.active)
        err = ensure_station();
    if (err == ESP_OK)
        err = esp_wifi_scan_start(NULL, false);
    if (err != ESP_OK) {
        reply->result = CONTROL_FAILURE;
        return true;
    }
    pend(request);
    return false;
}

bool wifi_station_handle(const struct control_request *request, struct control_reply *reply)
{
    switch (request->op) {
    case CONTROL_GET_MAC:
        reply->result = get_mac(request->mode, reply->mac);
        return true;
    case CONTROL_SET_MAC:
        reply->result = set_mac(request->set_mac.mode, request->set_mac.text);
        return true;
    case CONTROL_GET_MODE:
        reply->result = get_mode(&reply->mode.value);
        return true;
    case CONTROL_SET_MODE:
        reply->result = set_mode(request->mode);
        return true;
    case CONTROL_GET_AP:
        reply->result = get_ap(&reply->ap);
        return true;
    case CONTROL_CONNECT:
        return start_connect(request, reply);
    case CONTROL_DISCONNECT:
        reply->result = disconnect();
        return true;
    case CONTROL_SCAN:
        return start_scan(request, reply);
    default:
        reply->result = CONTROL_FAILURE;
        return true;
    }
}

static void on_connected(void)
{
    s_connected = true;
    s_reconnect_at_us = 0;
    ESP_LOGI(s_tag, "connected");
    if (s_pending.reply.op == CONTROL_CONNECT)
        conclude(CONTROL_SUCCESS);
}

/* What a host can act on; the rest is just a failure. */
static int32_t result_of_reason(uint8_t reason)
{
    switch (reason) {
    case WIFI_REASON_NO_AP_FOUND:
        return CONTROL_NO_AP_FOUND;
    case WIFI_REASON_4WAY_HANDSHAKE_TIMEOUT:
    case WIFI_REASON_HANDSHAKE_TIMEOUT:
    case WIFI_REASON_AUTH_FAIL:
    case WIFI_REASON_CONNECTION_FAIL:
    case WIFI_REASON_NOT_AUTHED:
        return CONTROL_WRONG_PASSWORD;
    default:
        return CONTROL_FAILURE;
    }
}

static void on_disconnected(const wifi_event_sta_disconnected_t *event)
{
    const bool connecting = s_pending.active && s_pending.reply.op == CONTROL_CONNECT;

    s_connected = false;
    if (!s_wanted || event->reason == WIFI_REASON_ASSOC_LEAVE) /* our own leaving, told late */
        return;
    ESP_LOGI(s_tag, "disconnected, reason %u", event->reason);
    if (!connecting) {
        s_reconnect_at_us = esp_timer_get_time() + RECONNECT_PAUSE_US;
    } else if (--s_tries_left <= 0 || esp_wifi_connect() != ESP_OK) {
        s_wanted = false;
        conclude(result_of_reason(event->reason));
    }
}

static void on_scan_done(const wifi_event_sta_scan_done_t *event)
{
    uint16_t count = CONTROL_SCAN_MAX;

    if (!s_pending.active || s_pending.reply.op != CONTROL_SCAN)
        return;
    if (event->status != 0 || esp_wifi_scan_get_ap_records(&count, s_records) != ESP_OK) {
        conclude(CONTROL_FAILURE);
        return;
    }
    for (uint16_t i = 0; i < count; i++)
        take_record(&s_scan[i], &s_records[i]);
    s_pending.reply.scan.list = s_scan;
    s_pending.reply.scan.count = count;
    conclude(CONTROL_SUCCESS);
}

void wifi_station_on_event(int32_t event_id, const void *event_data)
{
    switch (event_id) {
    case WIFI_EVENT_STA_CONNECTED:
        on_connected();
        break;
    case WIFI_EVENT_STA_DISCONNECTED:
        on_disconnected(event_data);
        break;
    case WIFI_EVENT_SCAN_DONE:
        on_scan_done(event_data);
        break;
    default:
        break;
    }
}

void wifi_station_on_tick(void)
{
    const int64_t now = esp_timer_get_time();

    if (s_pending.active && now >= s_pending.deadline_us) {
        if (s_pending.reply.op == CONTROL_CONNECT) {
            s_wanted = false;
            esp_wifi_disconnect();
        }
        conclude(CONTROL_FAILURE);
    }
    if (s_reconnect_at_us != 0 && now >= s_reconnect_at_us) {
        s_reconnect_at_us = now + RECONNECT_PAUSE_US;
        if (esp_wifi_connect() != ESP_OK)
            ESP_LOGW(s_tag, "cannot connect again yet");
    }
}

bool wifi_station_is_connected(void)
{
    return s_connected;
}

esp_err_t wifi_station_start(wifi_station_replier replier)
{
    const wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();
    esp_err_t err = esp_wifi_init(&config);

    s_replier = replier;
    if (err == ESP_OK)
        err = esp_wifi_set_storage(WIFI_STORAGE_RAM); /* the host configures, every time */
    if (err == ESP_OK)
        err = esp_wifi_set_mode(WIFI_MODE_NULL);
    if (err == ESP_OK)
        err = esp_wifi_start();
    return err;
}
