/* SPDX-License-Identifier: Apache-2.0 */
/* Classic stock firmware: addresses, mode, scan, the access point of the connection. */
#include <string.h>

#include "stock_classic.h"

#define MODE_MAX 4 /* ESP-IDF v4.3: what this firmware was built with has no NAN mode */

enum stock_outcome stock_classic_get_mac(const HostedClassic__Message *request,
                                         HostedClassic__Message *reply)
{
    static HostedClassic__RespGetMac payload;
    static char text[STOCK_MAC_TEXT_BYTES];

    if (request->payload_case != HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_GET_MAC)
        return STOCK_FAILS;
    hosted_classic__resp_get_mac__init(&payload);
    payload.has_resp = true;
    payload.resp = STOCK_FAILURE;
    if (stock_get_mac_text(request->req_get_mac->mode, text)) {
        payload.has_mac = true;
        payload.mac = (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)text};
        payload.resp = STOCK_SUCCESS;
    }
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_MAC;
    reply->resp_get_mac = &payload;
    return STOCK_REPLIES;
}

enum stock_outcome stock_classic_set_mac(const HostedClassic__Message *request,
                                         HostedClassic__Message *reply)
{
    static HostedClassic__RespOnly payload;
    const HostedClassic__ReqSetMac *const set = request->req_set_mac;

    if (request->payload_case != HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_SET_MAC ||
        set->mac.data == NULL)
        return STOCK_FAILS;
    hosted_classic__resp_only__init(&payload);
    payload.has_resp = true;
    payload.resp = stock_set_mac_text(set->mode, set->mac.data, set->mac.len);
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SET_MAC;
    reply->resp_set_mac = &payload;
    return STOCK_REPLIES;
}

enum stock_outcome stock_classic_get_mode(const HostedClassic__Message *request,
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

enum stock_outcome stock_classic_set_mode(const HostedClassic__Message *request,
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

static void describe(struct stock_ap *ap, HostedClassic__AccessPoint *ret)
{
    wifi_ap_record_t *const record = &ap->record;

    hosted_classic__access_point__init(ret);
    ret->has_ssid = true;
    ret->ssid = (ProtobufCBinaryData){.len = strlen((char *)record->ssid), .data = record->ssid};
    ret->has_channel = true;
    ret->channel = record->primary;
    ret->has_rssi = true;
    ret->rssi = record->rssi;
    ret->has_bssid = true;
    ret->bssid = (ProtobufCBinaryData){.len = strlen(ap->bssid), .data = (uint8_t *)ap->bssid};
    ret->has_encryption = true;
    ret->encryption = (int32_t)record->authmode;
}

enum stock_outcome stock_classic_scan(const HostedClassic__Message *request,
                                      HostedClassic__Message *reply)
{
    static HostedClassic__RespScan payload;
    static struct stock_ap found[STOCK_MAX_FOUND];
    static HostedClassic__AccessPoint described[STOCK_MAX_FOUND];
    static HostedClassic__AccessPoint *entries[STOCK_MAX_FOUND];
    const size_t count = stock_scan(found);

    (void)request;
    hosted_classic__resp_scan__init(&payload);
    payload.has_resp = true;
    payload.resp = count > 0 ? STOCK_SUCCESS : STOCK_FAILURE;
    payload.has_count = count > 0;
    payload.count = (uint32_t)count;
    payload.n_entries = count;
    payload.entries = entries;
    for (size_t i = 0; i < count; i++) {
        describe(&found[i], &described[i]);
        entries[i] = &described[i];
    }
    reply->payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_SCAN;
    reply->resp_scan = &payload;
    return STOCK_REPLIES;
}

enum stock_outcome stock_classic_get_ap(const HostedClassic__Message *request,
                                        HostedClassic__Message *reply)
{
    static HostedClassic__RespGetAp payload;
    static wifi_ap_record_t ap;
    static char bssid[STOCK_MAC_TEXT_BYTES];

    (void)request;
    hosted_classic__resp_get_ap__init(&payload);
    payload.has_resp = true;
    payload.resp = HOSTED_CLASSIC__RESULT__NOT_CONNECTED;
    if (stock_classic_is_connected() && esp_wifi_sta_get_ap_info(&ap) == ESP_OK) {
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
