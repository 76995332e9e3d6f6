/* SPDX-License-Identifier: Apache-2.0 */
/* The Wi-Fi driver's scan. */
#include <stdlib.h>
#include <string.h>

#include "air.h"
#include "esp_wifi.h"
#include "timers.h"
#include "wifi_driver.h"
#include "world.h"

#define SCAN_US 300000 /* a real one takes seconds */

static wifi_ap_record_t s_found[AIR_MAX_APS];
static uint16_t s_found_count;
static bool s_scanning;

static void scan_is_done(void *ctx);

static struct sim_timer s_done = {.fire = scan_is_done};

void wifi_describe_ap(const struct air_ap *ap, wifi_ap_record_t *ret)
{
    static const wifi_auth_mode_t modes[] = {[AIR_OPEN] = WIFI_AUTH_OPEN,
                                             [AIR_WPA2] = WIFI_AUTH_WPA2_PSK,
                                             [AIR_WPA3] = WIFI_AUTH_WPA3_PSK};
    const wifi_cipher_type_t cipher =
        ap->security == AIR_OPEN ? WIFI_CIPHER_TYPE_NONE : WIFI_CIPHER_TYPE_CCMP;

    *ret = (wifi_ap_record_t){
        .primary = ap->channel,
        .rssi = ap->rssi,
        .authmode = modes[ap->security],
        .pairwise_cipher = cipher,
        .group_cipher = cipher,
        .phy_11b = 1,
        .phy_11g = 1,
        .phy_11n = 1,
        .bandwidth = WIFI_BW_HT20,
    };
    memcpy(ret->bssid, ap->bssid, sizeof(ret->bssid));
    strcpy((char *)ret->ssid, ap->ssid);
}

static bool is_wanted(const struct air_ap *ap, const wifi_scan_config_t *config)
{
    if (ap->off)
        return false;
    return config == NULL ||
           ((config->channel == 0 || config->channel == ap->channel) &&
            (config->ssid == NULL || strcmp((const char *)config->ssid, ap->ssid) == 0) &&
            (config->bssid == NULL || memcmp(config->bssid, ap->bssid, 6) == 0));
}

/* The strongest first. */
static int compare(const void *a, const void *b)
{
    return ((const wifi_ap_record_t *)b)->rssi - ((const wifi_ap_record_t *)a)->rssi;
}

static void listen(const wifi_scan_config_t *config)
{
    s_found_count = 0;
    for (int i = 0; i < world->air.count; i++) {
        if (is_wanted(&world->air.aps[i], config))
            wifi_describe_ap(&world->air.aps[i], &s_found[s_found_count++]);
    }
    qsort(s_found, s_found_count, sizeof(s_found[0]), compare);
}

static void scan_is_done(void *ctx)
{
    const wifi_event_sta_scan_done_t event = {.status = 0, .number = (uint8_t)s_found_count};

    (void)ctx;
    s_scanning = false;
    wifi_driver_post(WIFI_EVENT_SCAN_DONE, &event, sizeof(event));
}

esp_err_t esp_wifi_scan_start(const wifi_scan_config_t *config, bool block)
{
    const esp_err_t rc = wifi_driver_check_station();

    if (rc != ESP_OK)
        return rc;
    if (s_scanning || wifi_station_is_connecting())
        return ESP_ERR_WIFI_STATE;
    listen(config);
    if (block) {
        sim_clock_spend_us(&world->clock, SPENT_SLEEP, SCAN_US);
        scan_is_done(NULL);
    } else {
        s_scanning = true;
        wifi_driver_arm(&s_done, SCAN_US);
    }
    return ESP_OK;
}

esp_err_t esp_wifi_scan_stop(void)
{
    const esp_err_t rc = wifi_driver_check_station();

    if (rc != ESP_OK)
        return rc;
    if (s_scanning) {
        sim_timer_disarm(&s_done);
        s_found_count = 0;
        scan_is_done(NULL);
    }
    return ESP_OK;
}

static esp_err_t check_results(const void *argument)
{
    if (!wifi_driver.initialised)
        return ESP_ERR_WIFI_NOT_INIT;
    if (!wifi_driver.started)
        return ESP_ERR_WIFI_NOT_STARTED;
    return argument != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_wifi_scan_get_ap_num(uint16_t *number)
{
    const esp_err_t rc = check_results(number);

    if (rc == ESP_OK)
        *number = s_found_count;
    return rc;
}

esp_err_t esp_wifi_scan_get_ap_records(uint16_t *number, wifi_ap_record_t *ap_records)
{
    const esp_err_t rc = check_results(number);

    if (rc != ESP_OK)
        return rc;
    if (ap_records == NULL)
        return ESP_ERR_INVALID_ARG;
    if (*number > s_found_count)
        *number = s_found_count;
    memcpy(ap_records, s_found, *number * sizeof(s_found[0]));
    s_found_count = 0; /* the driver frees them */
    return ESP_OK;
}

esp_err_t esp_wifi_scan_get_ap_record(wifi_ap_record_t *ap_record)
{
    const esp_err_t rc = check_results(ap_record);

    if (rc != ESP_OK)
        return rc;
    if (s_found_count == 0)
        return ESP_FAIL;
    *ap_record = s_found[0];
    s_found_count--;
    memmove(s_found, s_found + 1, s_found_count * sizeof(s_found[0]));
    return ESP_OK;
}

esp_err_t esp_wifi_clear_ap_list(void)
{
    const esp_err_t rc = check_results(s_found);

    if (rc == ESP_OK)
        s_found_count = 0;
    return rc;
}
