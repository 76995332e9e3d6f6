/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl stock firmware: addresses, mode, scan, the access point of the connection. */
#include <string.h>

#include "stock_ctrl.h"

bool stock_ctrl_get_mac(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    static HostedCtrl__RespGetMac payload;
    static char text[STOCK_MAC_TEXT_BYTES];

    if (request->payload_case != HOSTED_CTRL__MESSAGE__PAYLOAD_REQ_GET_MAC)
        return false;
    hosted_ctrl__resp_get_mac__init(&payload);
    if (stock_get_mac_text(request->req_get_mac->mode, text))
        payload.mac = stock_ctrl_text(text, strlen(text));
    else
        payload.resp = STOCK_FAILURE;
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_MAC;
    reply->resp_get_mac = &payload;
    return true;
}

bool stock_ctrl_set_mac(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    static HostedCtrl__RespOnly payload;
    const HostedCtrl__ReqSetMac *const set = request->req_set_mac;

    if (request->payload_case != HOSTED_CTRL__MESSAGE__PAYLOAD_REQ_SET_MAC || set->mac.len == 0)
        return false;
    hosted_ctrl__resp_only__init(&payload);
    payload.resp = stock_set_mac_text(set->mode, set->mac.data, set->mac.len);
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_SET_MAC;
    reply->resp_set_mac = &payload;
    return true;
}

bool stock_ctrl_get_mode(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    static HostedCtrl__RespGetMode payload;
    wifi_mode_t mode;

    (void)request;
    hosted_ctrl__resp_get_mode__init(&payload);
    if (esp_wifi_get_mode(&mode) == ESP_OK)
        payload.mode = (int32_t)mode;
    else
        payload.resp = STOCK_FAILURE;
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_MODE;
    reply->resp_get_mode = &payload;
    return true;
}

static int32_t set_mode(int32_t wanted)
{
    wifi_mode_t mode;

    if (esp_wifi_get_mode(&mode) != ESP_OK || wanted < WIFI_MODE_NULL || wanted >= WIFI_MODE_MAX)
        return STOCK_FAILURE;
    if ((wifi_mode_t)wanted == mode)
        return STOCK_SUCCESS;
    if (wanted != WIFI_MODE_STA && stock_ctrl_is_connected())
        esp_wifi_disconnect();
    if (esp_wifi_set_mode((wifi_mode_t)wanted) != ESP_OK)
        return STOCK_FAILURE;
    if (mode == WIFI_MODE_STA || mode == WIFI_MODE_APSTA)
        stock_ctrl_forget_config();
    return STOCK_SUCCESS;
}

bool stock_ctrl_set_mode(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    static HostedCtrl__RespOnly payload;

    if (request->payload_case != HOSTED_CTRL__MESSAGE__PAYLOAD_REQ_SET_MODE)
        return false;
    hosted_ctrl__resp_only__init(&payload);
    payload.resp = set_mode(request->req_set_mode->mode);
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_SET_MODE;
    reply->resp_set_mode = &payload;
    return true;
}

static void describe(struct stock_ap *ap, HostedCtrl__AccessPoint *ret)
{
    hosted_ctrl__access_point__init(ret);
    ret->ssid = stock_ctrl_text((const char *)ap->record.ssid,
                                strnlen((const char *)ap->record.ssid, sizeof(ap->record.ssid)));
    ret->channel = ap->record.primary;
    ret->rssi = ap->record.rssi;
    ret->bssid = stock_ctrl_text(ap->bssid, strlen(ap->bssid));
    ret->encryption = (int32_t)ap->record.authmode;
}

/* No scan while the station tries to join; and it tries for ever. */
bool stock_ctrl_scan(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    static HostedCtrl__RespScan payload;
    static struct stock_ap found[STOCK_MAX_FOUND];
    static HostedCtrl__AccessPoint described[STOCK_MAX_FOUND];
    static HostedCtrl__AccessPoint *entries[STOCK_MAX_FOUND];
    const size_t count = stock_ctrl_is_retrying() ? 0 : stock_scan(found);

    (void)request;
    hosted_ctrl__resp_scan__init(&payload);
    payload.resp = count > 0 ? STOCK_SUCCESS : STOCK_FAILURE;
    payload.count = (uint32_t)count;
    payload.n_entries = count;
    payload.entries = entries;
    for (size_t i = 0; i < count; i++) {
        describe(&found[i], &described[i]);
        entries[i] = &described[i];
    }
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_SCAN;
    reply->resp_scan = &payload;
    return true;
}

/* The name goes out with its NUL. */
static void fill_ap(wifi_ap_record_t *ap, char bssid[STOCK_MAC_TEXT_BYTES],
                    HostedCtrl__RespGetAp *ret)
{
    const char *const ssid = (const char *)ap->ssid;

    stock_mac_text(ap->bssid, bssid);
    ret->ssid = stock_ctrl_text(ssid, strlen(ssid) + 1);
    ret->bssid = stock_ctrl_text(bssid, strlen(bssid));
    ret->rssi = ap->rssi;
    ret->channel = ap->primary;
    ret->encryption = (int32_t)ap->authmode;
}

bool stock_ctrl_get_ap(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    static HostedCtrl__RespGetAp payload;
    static wifi_ap_record_t ap;
    static char bssid[STOCK_MAC_TEXT_BYTES];

    (void)request;
    hosted_ctrl__resp_get_ap__init(&payload);
    if (stock_ctrl_is_connected() && esp_wifi_sta_get_ap_info(&ap) == ESP_OK)
        fill_ap(&ap, bssid, &payload);
    else
        payload.resp = HOSTED_CTRL__RESULT__NOT_CONNECTED;
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_AP;
    reply->resp_get_ap = &payload;
    return true;
}
