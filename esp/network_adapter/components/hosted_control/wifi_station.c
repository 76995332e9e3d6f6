/* SPDX-License-Identifier: Apache-2.0 */
#include "wifi_station.h"

#include <string.h>

#include "esp_event.h"
#include "esp_wifi.h"
#include "mac_text.h"
#include "pending_reply.h"
#include "station_events.h"
#include "station_link.h"

static struct control_ap s_scan[CONTROL_SCAN_MAX];
static wifi_ap_record_t s_records[CONTROL_SCAN_MAX];

static int32_t result_of(esp_err_t err)
{
    return err == ESP_OK ? CONTROL_SUCCESS : CONTROL_FAILURE;
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
    if (mode < WIFI_MODE_NULL || mode > WIFI_MODE_APSTA)
        return CONTROL_FAILURE;

    const esp_err_t err = esp_wifi_set_mode((wifi_mode_t)mode);

    if (err == ESP_OK && mode != WIFI_MODE_STA && mode != WIFI_MODE_APSTA)
        station_link_drop();
    return result_of(err);
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

    if (!station_link_is_up())
        return CONTROL_NOT_CONNECTED;

    const esp_err_t err = esp_wifi_sta_get_ap_info(&record);

    if (err == ESP_ERR_WIFI_NOT_CONNECT)
        return CONTROL_NOT_CONNECTED;
    if (err == ESP_OK)
        take_record(ret, &record);
    return result_of(err);
}

static bool start_scan(const struct control_request *request, struct control_reply *reply)
{
    esp_err_t err = ESP_FAIL;

    if (!pending_reply_is_active())
        err = station_link_ensure_mode();
    if (err == ESP_OK)
        err = station_link_give_way();
    if (err == ESP_OK)
        err = esp_wifi_scan_start(NULL, false);
    if (err != ESP_OK) {
        reply->result = CONTROL_FAILURE;
        return true;
    }
    pending_reply_start(request);
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
        return station_link_connect(request, reply);
    case CONTROL_DISCONNECT:
        reply->result = station_link_disconnect();
        return true;
    case CONTROL_SCAN:
        return start_scan(request, reply);
    default:
        reply->result = CONTROL_FAILURE;
        return true;
    }
}

static void on_scan_done(const wifi_event_sta_scan_done_t *event)
{
    uint16_t count = CONTROL_SCAN_MAX;

    if (!pending_reply_is(CONTROL_SCAN) || event->status != 0 ||
        esp_wifi_scan_get_ap_records(&count, s_records) != ESP_OK) {
        esp_wifi_clear_ap_list(); /* or the driver keeps it */
        pending_reply_conclude(CONTROL_SCAN, CONTROL_FAILURE);
        return;
    }
    for (uint16_t i = 0; i < count; i++)
        take_record(&s_scan[i], &s_records[i]);
    pending_reply_conclude_scan(s_scan, count);
}

void wifi_station_on_event(int32_t event_id, const void *event_data)
{
    switch (event_id) {
    case WIFI_EVENT_STA_CONNECTED:
        station_link_on_connected(event_data);
        break;
    case WIFI_EVENT_STA_DISCONNECTED:
        station_link_on_disconnected(event_data);
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
    if (pending_reply_is_overdue()) {
        if (pending_reply_is(CONTROL_SCAN)) {
            esp_wifi_scan_stop();
            pending_reply_conclude(CONTROL_SCAN, CONTROL_FAILURE);
        } else {
            station_link_give_up();
        }
    }
    station_link_on_tick();
}

bool wifi_station_is_connected(void)
{
    return station_link_is_up();
}

static esp_err_t bring_up(wifi_mode_t mode)
{
    const wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();
    esp_err_t err = esp_wifi_init(&config);

    if (err == ESP_OK)
        err = esp_wifi_set_storage(WIFI_STORAGE_RAM); /* the host configures, every time */
    if (err == ESP_OK)
        err = esp_wifi_set_mode(mode);
    if (err == ESP_OK)
        err = esp_wifi_start();
    return err;
}

static esp_err_t take_down(void)
{
    station_link_drop();
    pending_reply_conclude(CONTROL_SCAN, CONTROL_FAILURE);

    const esp_err_t err = esp_wifi_stop();

    return err == ESP_OK ? esp_wifi_deinit() : err;
}

int32_t wifi_station_enable(bool enable)
{
    wifi_mode_t mode;
    const bool is_up = esp_wifi_get_mode(&mode) != ESP_ERR_WIFI_NOT_INIT;

    if (enable == is_up)
        return CONTROL_SUCCESS;
    return result_of(enable ? bring_up(WIFI_MODE_NULL) : take_down());
}

esp_err_t wifi_station_start(int32_t mode, wifi_station_replier replier,
                             wifi_station_notifier notifier)
{
    pending_reply_init(replier);
    station_events_init(notifier);
    return bring_up((wifi_mode_t)mode);
}
