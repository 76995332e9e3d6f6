/* SPDX-License-Identifier: Apache-2.0 */
/* The Wi-Fi driver's station: joining an access point, losing it, frames. */
#include <stdlib.h>
#include <string.h>

#include "air.h"
#include "esp_private/wifi.h"
#include "timers.h"
#include "wifi_driver.h"
#include "world.h"

/* Far below what a real station needs, as nobody learns anything from waiting. */
#define JOIN_US   100000
#define REFUSE_US 300000

#define ETHERNET_MIN_BYTES 14

static enum {
    STATION_IDLE,
    STATION_CONNECTING,
    STATION_CONNECTED,
} s_state;

static struct air_ap s_ap; /* connected: the access point, as it was then */
static bool s_refused;     /* the last attempt with this configuration met a wrong password */
static wifi_rxcb_t s_rx;

static void answer_comes(void *ctx);

static struct sim_timer s_answer = {.fire = answer_comes};

static void post_disconnected(uint8_t reason)
{
    const wifi_sta_config_t *const config = &wifi_driver.config[WIFI_IF_STA].sta;
    wifi_event_sta_disconnected_t event = {.reason = reason, .rssi = s_ap.rssi};

    memcpy(event.ssid, config->ssid, sizeof(event.ssid));
    event.ssid_len = (uint8_t)strnlen((const char *)config->ssid, sizeof(config->ssid));
    memcpy(event.bssid, s_ap.bssid, sizeof(event.bssid));
    wifi_driver_post(WIFI_EVENT_STA_DISCONNECTED, &event, sizeof(event));
}

static void post_connected(void)
{
    wifi_ap_record_t ap;
    wifi_event_sta_connected_t event = {.channel = s_ap.channel, .aid = 1};

    wifi_describe_ap(&s_ap, &ap);
    event.ssid_len = (uint8_t)strlen(s_ap.ssid);
    memcpy(event.ssid, s_ap.ssid, event.ssid_len);
    memcpy(event.bssid, s_ap.bssid, sizeof(event.bssid));
    event.authmode = ap.authmode;
    wifi_driver_post(WIFI_EVENT_STA_CONNECTED, &event, sizeof(event));
}

static enum air_answer ask_air(void)
{
    const wifi_sta_config_t *const config = &wifi_driver.config[WIFI_IF_STA].sta;
    char ssid[sizeof(config->ssid) + 1] = "";
    char password[sizeof(config->password) + 1] = "";

    memcpy(ssid, config->ssid, sizeof(config->ssid));
    memcpy(password, config->password, sizeof(config->password));
    return air_join(&world->air, ssid, config->bssid_set ? config->bssid : NULL, password);
}

/* The handshake fails first; the access point is then on the driver's list of those to avoid, and
 * the next attempts end in the general failure. */
static uint8_t reason_of(enum air_answer answer)
{
    if (answer == AIR_NOT_FOUND)
        return WIFI_REASON_NO_AP_FOUND;
    if (answer == AIR_OTHER_SECURITY)
        return WIFI_REASON_NO_AP_FOUND_W_COMPATIBLE_SECURITY;
    return s_refused ? WIFI_REASON_CONNECTION_FAIL : WIFI_REASON_4WAY_HANDSHAKE_TIMEOUT;
}

static void answer_comes(void *ctx)
{
    const enum air_answer answer = ask_air();

    (void)ctx;
    if (answer == AIR_JOINED) {
        s_state = STATION_CONNECTED;
        s_ap = world->air.aps[world->air.joined];
        s_refused = false;
        air_discard_received(&world->air); /* what came before was not for us */
        post_connected();
    } else {
        s_state = STATION_IDLE;
        post_disconnected(reason_of(answer));
        s_refused = answer == AIR_WRONG_PASSWORD;
    }
}

static void leave(uint8_t reason)
{
    if (s_state == STATION_IDLE)
        return;
    s_state = STATION_IDLE;
    sim_timer_disarm(&s_answer);
    air_leave(&world->air);
    if (reason == WIFI_REASON_ASSOC_LEAVE) /* upstream's handlers were told of no access point */
        s_ap = (struct air_ap){0};
    post_disconnected(reason);
    s_ap = (struct air_ap){0};
}

static void on_lost(void)
{
    leave(WIFI_REASON_BEACON_TIMEOUT);
}

/* A station hears what is for it or for a group, and not its own words from the access point. */
static bool is_for_us(const uint8_t *ethernet, size_t len)
{
    const uint8_t *const mac = wifi_driver.mac[WIFI_IF_STA];

    return len >= ETHERNET_MIN_BYTES && memcmp(ethernet + 6, mac, 6) != 0 &&
           ((ethernet[0] & 1) != 0 || memcmp(ethernet, mac, 6) == 0);
}

static void on_frame(const uint8_t *ethernet, size_t len)
{
    if (s_state != STATION_CONNECTED || s_rx == NULL || !is_for_us(ethernet, len))
        return;

    void *const buffer = malloc(len);

    if (buffer == NULL)
        return;
    memcpy(buffer, ethernet, len);
    s_rx(buffer, (uint16_t)len, buffer);
}

void wifi_station_power(bool on)
{
    static const struct air_station station = {.on_frame = on_frame, .on_lost = on_lost};

    if (!on)
        leave(WIFI_REASON_ASSOC_LEAVE);
    air_set_station(on ? &station : NULL);
}

bool wifi_station_is_connecting(void)
{
    return s_state == STATION_CONNECTING;
}

esp_err_t esp_wifi_connect(void)
{
    const esp_err_t rc = wifi_driver_check_station();

    if (rc != ESP_OK)
        return rc;
    if (s_state != STATION_IDLE)
        return ESP_ERR_WIFI_CONN;
    if (wifi_driver.config[WIFI_IF_STA].sta.ssid[0] == '\0')
        return ESP_ERR_WIFI_SSID;

    const enum air_answer outlook = ask_air();

    air_leave(&world->air); /* not yet */
    s_state = STATION_CONNECTING;
    wifi_driver_arm(&s_answer, outlook == AIR_JOINED ? JOIN_US : REFUSE_US);
    return ESP_OK;
}

esp_err_t esp_wifi_disconnect(void)
{
    const esp_err_t rc = wifi_driver_check_station();

    if (rc == ESP_OK)
        leave(WIFI_REASON_ASSOC_LEAVE);
    return rc;
}

esp_err_t esp_wifi_sta_get_ap_info(wifi_ap_record_t *ap_info)
{
    if (ap_info == NULL)
        return ESP_ERR_INVALID_ARG;
    if (wifi_driver_check_station() != ESP_OK)
        return ESP_ERR_WIFI_CONN;
    if (s_state != STATION_CONNECTED)
        return ESP_ERR_WIFI_NOT_CONNECT;
    wifi_describe_ap(&s_ap, ap_info);
    return ESP_OK;
}

int esp_wifi_internal_tx(wifi_interface_t wifi_if, void *buffer, uint16_t len)
{
    if (wifi_if != WIFI_IF_STA)
        return ESP_ERR_WIFI_IF;
    if (buffer == NULL || len < ETHERNET_MIN_BYTES)
        return ESP_ERR_INVALID_ARG;
    if (s_state != STATION_CONNECTED)
        return ESP_ERR_WIFI_NOT_ASSOC;
    air_send(&world->air, buffer, len);
    return ESP_OK;
}

esp_err_t esp_wifi_internal_reg_rxcb(wifi_interface_t ifx, wifi_rxcb_t fn)
{
    if (ifx != WIFI_IF_STA)
        return ESP_ERR_WIFI_IF;
    s_rx = fn;
    return ESP_OK;
}

void esp_wifi_internal_free_rx_buffer(void *buffer)
{
    free(buffer);
}
