/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl stock firmware: what it tells the host unasked. */
#include <string.h>

#include "stock_ctrl.h"

#define ENDPOINT "ctrlEvnt"

static void send(HostedCtrl__Message *event, HostedCtrl__MessageId id)
{
    event->type = HOSTED_CTRL__MESSAGE_TYPE__EVENT;
    event->id = (int32_t)id;
    event->payload_case = (HostedCtrl__Message__PayloadCase)id;
    stock_serial_send(ENDPOINT, &event->base);
}

void stock_ctrl_send_started(void)
{
    HostedCtrl__EventInit payload = HOSTED_CTRL__EVENT_INIT__INIT;
    HostedCtrl__Message event = HOSTED_CTRL__MESSAGE__INIT;

    event.event_init = &payload;
    send(&event, HOSTED_CTRL__MESSAGE_ID__EVENT_INIT);
}

void stock_ctrl_send_heartbeat(int32_t number)
{
    HostedCtrl__EventHeartbeat payload = HOSTED_CTRL__EVENT_HEARTBEAT__INIT;
    HostedCtrl__Message event = HOSTED_CTRL__MESSAGE__INIT;

    payload.number = number;
    event.event_heartbeat = &payload;
    send(&event, HOSTED_CTRL__MESSAGE_ID__EVENT_HEARTBEAT);
}

/* The length of the name has a field of its own, which this event leaves at 0. */
void stock_ctrl_send_disconnected(const wifi_event_sta_disconnected_t *event)
{
    HostedCtrl__EventDisconnected payload = HOSTED_CTRL__EVENT_DISCONNECTED__INIT;
    HostedCtrl__Message message = HOSTED_CTRL__MESSAGE__INIT;
    char bssid[STOCK_MAC_TEXT_BYTES];

    stock_mac_text(event->bssid, bssid);
    payload.ssid = stock_ctrl_text((const char *)event->ssid, event->ssid_len);
    payload.bssid = stock_ctrl_text(bssid, strlen(bssid));
    payload.reason = event->reason;
    payload.rssi = event->rssi;
    message.event_disconnected = &payload;
    send(&message, HOSTED_CTRL__MESSAGE_ID__EVENT_DISCONNECTED);
}

void stock_ctrl_send_connected(const wifi_event_sta_connected_t *event)
{
    HostedCtrl__EventConnected payload = HOSTED_CTRL__EVENT_CONNECTED__INIT;
    HostedCtrl__Message message = HOSTED_CTRL__MESSAGE__INIT;
    char bssid[STOCK_MAC_TEXT_BYTES];

    stock_mac_text(event->bssid, bssid);
    payload.ssid = stock_ctrl_text((const char *)event->ssid, event->ssid_len);
    payload.ssid_len = event->ssid_len;
    payload.bssid = stock_ctrl_text(bssid, strlen(bssid));
    payload.channel = event->channel;
    payload.encryption = (int32_t)event->authmode;
    payload.association = event->aid;
    message.event_connected = &payload;
    send(&message, HOSTED_CTRL__MESSAGE_ID__EVENT_CONNECTED);
}
