/* SPDX-License-Identifier: Apache-2.0 */
#include "station_link.h"

#include <string.h>

#include "esp_log.h"
#include "esp_timer.h"
#include "mac_text.h"
#include "pending_reply.h"
#include "station_events.h"

#define CONNECT_TRIES 5 /* upstream's; the first included */

/* A lost access point is looked for again, at this pace. */
#define RETRY_PAUSE_US (3 * 1000 * 1000)

/* IEEE 802.11, class 2 frame from a station that is not authenticated. ESP-IDF v6 has another name
 * for it than v5. */
#define REASON_NOT_AUTHENTICATED 6

static const char s_tag[] = "station";

_Static_assert(CONTROL_SSID_BYTES == sizeof(((wifi_sta_config_t *)0)->ssid), "as the driver's");
_Static_assert(CONTROL_PASSWORD_BYTES == sizeof(((wifi_sta_config_t *)0)->password),
               "as the driver's");

static enum {
    LINK_DOWN,
    LINK_TRYING, /* the driver owes an event */
    LINK_UP,
} s_link;

static bool s_wanted;         /* the host asked for a connection and has not taken it back */
static bool s_leaving;        /* the driver owes the event of a disconnect of our own */
static int s_tries_left;      /* of the connect that is pending */
static int64_t s_retry_at_us; /* 0: not planned */
static bool s_told_up;        /* the host was told of a connection, and not yet of its end */

/* Why the connect that is pending has come to nothing so far: for its reply, and for its event. */
static struct {
    int32_t result;
    wifi_event_sta_disconnected_t event;
} s_failure;

static esp_err_t try_to_connect(void)
{
    const esp_err_t err = esp_wifi_connect();

    if (err == ESP_OK)
        s_link = LINK_TRYING;
    return err;
}

static esp_err_t leave(void)
{
    if (s_link == LINK_DOWN)
        return ESP_OK;

    const esp_err_t err = esp_wifi_disconnect();

    s_leaving = err == ESP_OK;
    s_link = LINK_DOWN;
    return err;
}

esp_err_t station_link_ensure_mode(void)
{
    wifi_mode_t mode;
    esp_err_t err = esp_wifi_get_mode(&mode);

    if (err == ESP_OK && mode == WIFI_MODE_NULL)
        err = esp_wifi_set_mode(WIFI_MODE_STA);
    else if (err == ESP_OK && mode == WIFI_MODE_AP)
        err = esp_wifi_set_mode(WIFI_MODE_APSTA);
    return err;
}

/* The pending connect has come to nothing, for the reason in s_failure. */
static void conclude_failure(void)
{
    if (!pending_reply_is(CONTROL_CONNECT))
        return;
    pending_reply_conclude(CONTROL_CONNECT, s_failure.result);
    station_events_disconnected(&s_failure.event);
}

/* The same, because the host wants something else now. */
static void conclude_given_up(void)
{
    s_failure.result = CONTROL_FAILURE;
    s_failure.event.reason = WIFI_REASON_ASSOC_LEAVE;
    conclude_failure();
}

/* False: no driver could do anything with this. */
static bool fill_config(const struct control_request *request, wifi_config_t *ret)
{
    wifi_sta_config_t *const sta = &ret->sta;

    *ret = (wifi_config_t){0};
    if (request->connect.ssid[0] == '\0')
        return false;
    /* Both fields may be filled to the last byte, without a NUL. */
    memcpy(sta->ssid, request->connect.ssid, strlen(request->connect.ssid));
    memcpy(sta->password, request->connect.password, strlen(request->connect.password));
    if (request->connect.bssid[0] != '\0') {
        if (!mac_from_text(request->connect.bssid, sta->bssid))
            return false;
        sta->bssid_set = true;
    }
    /* Of several access points of the name, the strongest. */
    sta->scan_method = WIFI_ALL_CHANNEL_SCAN;
    sta->sort_method = WIFI_CONNECT_AP_BY_SIGNAL;
    if (request->connect.wpa3) {
        sta->pmf_cfg.capable = true;
        sta->sae_pwe_h2e = WPA3_SAE_PWE_BOTH;
    }
    if (request->connect.listen_interval > 0 && request->connect.listen_interval <= UINT16_MAX)
        sta->listen_interval = (uint16_t)request->connect.listen_interval;
    return true;
}

/* One outcome at a time is owed. A host that had its answer may change its mind. */
static bool is_free_for(const struct control_request *request)
{
    if (request->origin.dialect->connect_by_event)
        conclude_given_up();
    return !pending_reply_is_active();
}

/* What is told of a connect that the driver says nothing about. */
static void expect_nothing(const struct control_request *request)
{
    const size_t len = strlen(request->connect.ssid);

    s_failure.result = CONTROL_FAILURE;
    s_failure.event = (wifi_event_sta_disconnected_t){
        .ssid_len = (uint8_t)len,
        .reason = WIFI_REASON_CONNECTION_FAIL,
    };
    memcpy(s_failure.event.ssid, request->connect.ssid, len);
}

/*
 * The answer to a host that will wait for an event. Upstream's firmware first tells of the end of
 * what was before, also when that was nothing; the reason tells this from a failure.
 */
static void answer_at_once(void)
{
    wifi_event_sta_disconnected_t left = s_failure.event;
    char text[CONTROL_MAC_CHARS + 1] = "";
    uint8_t mac[6];

    if (esp_wifi_get_mac(WIFI_IF_STA, mac) == ESP_OK)
        mac_to_text(mac, text);
    pending_reply_promise(text);
    if (s_told_up) /* the driver will say it, and knows of what */
        return;
    left.reason = WIFI_REASON_ASSOC_LEAVE;
    station_events_disconnected(&left);
}

static esp_err_t begin_to_connect(wifi_config_t *config)
{
    esp_err_t err = leave(); /* the driver takes no configuration while it tries */

    if (err == ESP_OK)
        err = station_link_ensure_mode();
    if (err == ESP_OK)
        err = esp_wifi_set_config(WIFI_IF_STA, config);
    return err == ESP_OK ? try_to_connect() : err;
}

bool station_link_connect(const struct control_request *request, struct control_reply *reply)
{
    wifi_config_t config;

    reply->result = CONTROL_FAILURE;
    if (!fill_config(request, &config) || !is_free_for(request))
        return true;

    s_wanted = false;
    s_retry_at_us = 0;

    const esp_err_t err = begin_to_connect(&config);

    if (err != ESP_OK) {
        ESP_LOGW(s_tag, "connect: %s", esp_err_to_name(err));
        return true;
    }
    s_wanted = true;
    s_tries_left = CONNECT_TRIES;
    expect_nothing(request);
    pending_reply_start(request);
    if (request->origin.dialect->connect_by_event)
        answer_at_once();
    return false;
}

int32_t station_link_disconnect(void)
{
    const bool was_wanted = s_wanted;

    s_wanted = false;
    s_retry_at_us = 0;
    conclude_given_up();
    if (leave() != ESP_OK)
        return CONTROL_FAILURE;
    return was_wanted ? CONTROL_SUCCESS : CONTROL_FAILURE;
}

bool station_link_is_up(void)
{
    return s_link == LINK_UP;
}

void station_link_drop(void)
{
    if (s_link != LINK_DOWN)
        s_leaving = true;
    s_link = LINK_DOWN;
    s_wanted = false;
    s_retry_at_us = 0;
    conclude_given_up();
}

esp_err_t station_link_give_way(void)
{
    if (s_link != LINK_TRYING)
        return ESP_OK;
    s_retry_at_us = esp_timer_get_time() + RETRY_PAUSE_US;
    return leave();
}

void station_link_give_up(void)
{
    s_wanted = false;
    leave();
    conclude_failure();
}

void station_link_on_connected(const wifi_event_sta_connected_t *event)
{
    wifi_ap_record_t record;

    s_leaving = false;
    /* Events queue: this may be the word of a connection that was given up since. */
    if (esp_wifi_sta_get_ap_info(&record) != ESP_OK)
        return;
    s_link = LINK_UP;
    s_retry_at_us = 0;
    ESP_LOGI(s_tag, "connected");
    pending_reply_conclude(CONTROL_CONNECT, CONTROL_SUCCESS);
    station_events_connected(event);
    s_told_up = true;
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
    case REASON_NOT_AUTHENTICATED:
        return CONTROL_WRONG_PASSWORD;
    default:
        return CONTROL_FAILURE;
    }
}

void station_link_on_disconnected(const wifi_event_sta_disconnected_t *event)
{
    if (s_told_up)
        station_events_disconnected(event);
    s_told_up = false;
    if (s_leaving && event->reason == WIFI_REASON_ASSOC_LEAVE) {
        s_leaving = false;
        return;
    }
    s_link = LINK_DOWN;
    if (!s_wanted)
        return;
    ESP_LOGI(s_tag, "disconnected, reason %u", event->reason);
    if (!pending_reply_is(CONTROL_CONNECT)) {
        s_retry_at_us = esp_timer_get_time() + RETRY_PAUSE_US;
        return;
    }
    s_failure.result = result_of_reason(event->reason);
    if (event->reason != WIFI_REASON_CONNECTION_FAIL) /* after the first try, the driver's word */
        s_failure.event = *event;                     /* for "again"; it says less than that one */
    if (--s_tries_left <= 0 || try_to_connect() != ESP_OK)
        station_link_give_up();
}

void station_link_on_tick(void)
{
    const int64_t now = esp_timer_get_time();

    if (s_retry_at_us == 0 || now < s_retry_at_us || pending_reply_is_active())
        return;

    const esp_err_t err = try_to_connect();

    s_retry_at_us = err == ESP_OK ? 0 : now + RETRY_PAUSE_US;
    if (err != ESP_OK)
        ESP_LOGW(s_tag, "cannot connect again yet: %s", esp_err_to_name(err));
}
