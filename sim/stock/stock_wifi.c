/* SPDX-License-Identifier: Apache-2.0 */
/* Stock firmware: addresses, mode, scan, the access point of the connection. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_wifi.h"
#include "mac.h"
#include "stock.h"

#define MODE_MAX 4 /* ESP-IDF v4.3: what this firmware was built with has no NAN mode */

void stock_mac_text(const uint8_t mac[6], char ret[STOCK_MAC_TEXT_BYTES])
{
    snprintf(ret, STOCK_MAC_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
}

static bool interface_of_mode(int32_t mode, wifi_interface_t *ret)
{
    if (mode != WIFI_MODE_STA && mode != WIFI_MODE_AP)
        return false;
    *ret = mode == WIFI_MODE_STA ? WIFI_IF_STA : WIFI_IF_AP;
    return true;
}

enum stock_outcome stock_get_mac(const HostedClassic__Message *request,
                                 HostedClassic__Message *reply)
{
    static HostedClassic__RespGetMac payload;
    static char text[STOCK_MAC_TEXT_BYTES];
    uint8_t mac[6];
    wifi_interface_t interface;

    if (request->payload_case != HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_GET_MAC)
        return STOCK_FAILS;
    hosted_classic__resp_get_mac__init(&payload);
    payload.has_resp = true;
    payload.resp = STOCK_FAILURE;
    if (interface_of_mode(request->req_get_mac->mode, &interface) &&
        esp_wifi_get_mac(interface, mac) == ESP_OK) {
        stock_mac_text(mac, text);
        payload.has_mac = true;
        payload.mac = (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)text};
        payload.resp = STOCK_SUCCESS;
    }
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_MAC;
    reply->resp_get_mac = &payload;
    return STOCK_REPLIES;
}

static int32_t set_mac(const HostedClassic__ReqSetMac *request)
{
    char text[STOCK_MAC_TEXT_BYTES] = "";
    uint8_t mac[6];
    wifi_interface_t interface;

    if (request->mac.len >= sizeof(text))
        return STOCK_FAILURE;
    memcpy(text, request->mac.data, request->mac.len);
    if (mac_parse(text, mac) < 0 || !interface_of_mode(request->mode, &interface) ||
        esp_wifi_set_mac(interface, mac) != ESP_OK)
        return STOCK_FAILURE;
    return STOCK_SUCCESS;
}

enum stock_outcome stock_set_mac(const HostedClassic__Message *request,
                                 HostedClassic__Message *reply)
{
    static HostedClassic__RespOnly payload;

    if (request->payload_case != HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_SET_MAC ||
        request->req_set_mac->mac.data == NULL)
        return STOCK_FAILS;
    hosted_classic__resp_only__init(&payload);
    payload.has_resp = true;
    payload.resp = set_mac(request->req_set_mac);
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SET_MAC;
    reply->resp_set_mac = &payload;
    return STOCK_REPLIES;
}

enum stock_outcome stock_get_mode(const HostedClassic__Message *request,
                                  HostedClassic__Message *reply)
{
    static HostedClassic__RespGetMode payload;
    wifi_mode_t mode;

    (void)request;
    hosted_classic__resp_get_mode__init(&payload);
    payload.has_resp = true;
    payload.resp = STOCK_FAILURE;
    if (esp_wifi_get_mode(&mode) == ESP_OK) {
        payload.has_mode = true;
        payload.mode = (int32_t)mode;
        payload.resp = STOCK_SUCCESS;
    }
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_MODE;
    reply->resp_get_mode = &payload;
    return STOCK_REPLIES;
}

enum stock_outcome stock_set_mode(const HostedClassic__Message *request,
                                  HostedClassic__Message *reply)
{
    static HostedClassic__RespOnly payload;

    if (request->payload_case != HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_SET_MODE ||
        request->req_set_mode->mode >= MODE_MAX)
        return STOCK_FAILS;
    hosted_classic__resp_only__init(&payload);
    payload.has_resp = true;
    payload.resp = esp_wifi_set_mode((wifi_mode_t)request->req_set_mode->mode) == ESP_OK
                       ? STOCK_SUCCESS
                       : STOCK_FAILURE;
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SET_MODE;
    reply->resp_set_mode = &payload;
    return STOCK_REPLIES;
}

/* One entry of the scan's reply, and what it points to. */
struct scan_entry {
    wifi_ap_record_t ap;
    char bssid[STOCK_MAC_TEXT_BYTES];
    HostedClassic__AccessPoint message;
};

#define MAX_FOUND 32

static void fill_entry(struct scan_entry *entry)
{
    HostedClassic__AccessPoint *const message = &entry->message;

    stock_mac_text(entry->ap.bssid, entry->bssid);
    hosted_classic__access_point__init(message);
    message->has_ssid = true;
    message->ssid =
        (ProtobufCBinaryData){.len = strlen((char *)entry->ap.ssid), .data = entry->ap.ssid};
    message->has_channel = true;
    message->channel = entry->ap.primary;
    message->has_rssi = true;
    message->rssi = entry->ap.rssi;
    message->has_bssid = true;
    message->bssid =
        (ProtobufCBinaryData){.len = strlen(entry->bssid), .data = (uint8_t *)entry->bssid};
    message->has_encryption = true;
    message->encryption = (int32_t)entry->ap.authmode;
}

/* Returns how many were found; none is a failure, as every other trouble. */
static size_t scan(struct scan_entry found[MAX_FOUND])
{
    const wifi_scan_config_t config = {.show_hidden = true};
    size_t count = 0;

    if (esp_wifi_set_mode(WIFI_MODE_STA) != ESP_OK || esp_wifi_scan_start(&config, true) != ESP_OK)
        return 0;
    while (count < MAX_FOUND && esp_wifi_scan_get_ap_record(&found[count].ap) == ESP_OK)
        fill_entry(&found[count++]);
    return count;
}

enum stock_outcome stock_scan(const HostedClassic__Message *request, HostedClassic__Message *reply)
{
    static HostedClassic__RespScan payload;
    static struct scan_entry found[MAX_FOUND];
    static HostedClassic__AccessPoint *entries[MAX_FOUND];
    const size_t count = scan(found);

    (void)request;
    hosted_classic__resp_scan__init(&payload);
    payload.has_resp = true;
    payload.resp = count > 0 ? STOCK_SUCCESS : STOCK_FAILURE;
    payload.has_count = count > 0;
    payload.count = (uint32_t)count;
    payload.n_entries = count;
    payload.entries = entries;
    for (size_t i = 0; i < count; i++)
        entries[i] = &found[i].message;
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SCAN;
    reply->resp_scan = &payload;
    return STOCK_REPLIES;
}

enum stock_outcome stock_get_ap(const HostedClassic__Message *request,
                                HostedClassic__Message *reply)
{
    static HostedClassic__RespGetAp payload;
    static wifi_ap_record_t ap;
    static char bssid[STOCK_MAC_TEXT_BYTES];

    (void)request;
    hosted_classic__resp_get_ap__init(&payload);
    payload.has_resp = true;
    payload.resp = HOSTED_CLASSIC__RESULT__NOT_CONNECTED;
    if (stock_station_is_connected() && esp_wifi_sta_get_ap_info(&ap) == ESP_OK) {
        stock_mac_text(ap.bssid, bssid);
        payload.has_ssid = true;
        payload.ssid = (ProtobufCBinaryData){.len = strlen((char *)ap.ssid), .data = ap.ssid};
        payload.has_bssid = true;
        payload.bssid = (ProtobufCBinaryData){.len = strlen(bssid), .data = (uint8_t *)bssid};
        payload.has_rssi = true;
        payload.rssi = ap.rssi;
        payload.has_channel = true;
        payload.channel = ap.primary;
        payload.has_encryption = true;
        payload.encryption = (int32_t)ap.authmode;
        payload.resp = STOCK_SUCCESS;
    }
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_AP;
    reply->resp_get_ap = &payload;
    return STOCK_REPLIES;
}
