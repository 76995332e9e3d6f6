/* SPDX-License-Identifier: Apache-2.0 */
/* The ctrl dialect on the ESP32's side: events out, byte for byte as upstream's. */
#include <string.h>

#include "dialect_ctrl.h"
#include "dialect_support.h"

static ProtobufCBinaryData ssid_of(const struct control_event *event)
{
    return (ProtobufCBinaryData){.len = event->station.ssid_len,
                                 .data = (uint8_t *)event->station.ssid};
}

/* Upstream's leaves ssid_len out here, and hosts go by the field itself. */
static void fill_disconnected(HostedCtrl__EventDisconnected *to, const struct control_event *from)
{
    hosted_ctrl__event_disconnected__init(to);
    to->ssid = ssid_of(from);
    to->bssid = dialect_text(from->station.bssid);
    to->reason = from->station.reason;
    to->rssi = from->station.rssi;
}

static void fill_connected(HostedCtrl__EventConnected *to, const struct control_event *from)
{
    hosted_ctrl__event_connected__init(to);
    to->ssid = ssid_of(from);
    to->ssid_len = (uint32_t)from->station.ssid_len;
    to->bssid = dialect_text(from->station.bssid);
    to->channel = from->station.channel;
    to->encryption = from->station.encryption;
    to->association = from->station.association;
}

int dialect_ctrl_encode_event(const struct control_event *event, uint8_t *buf, size_t size)
{
    HostedCtrl__Message message = HOSTED_CTRL__MESSAGE__INIT;
    HostedCtrl__EventInit init = HOSTED_CTRL__EVENT_INIT__INIT;
    HostedCtrl__EventHeartbeat heartbeat = HOSTED_CTRL__EVENT_HEARTBEAT__INIT;
    HostedCtrl__EventDisconnected disconnected;
    HostedCtrl__EventConnected connected;

    message.type = HOSTED_CTRL__MESSAGE_TYPE__EVENT;
    switch (event->kind) {
    case CONTROL_EVENT_INIT:
        message.id = HOSTED_CTRL__MESSAGE_ID__EVENT_INIT;
        message.event_init = &init;
        break;
    case CONTROL_EVENT_HEARTBEAT:
        message.id = HOSTED_CTRL__MESSAGE_ID__EVENT_HEARTBEAT;
        heartbeat.number = event->heartbeat;
        message.event_heartbeat = &heartbeat;
        break;
    case CONTROL_EVENT_DISCONNECTED:
        message.id = HOSTED_CTRL__MESSAGE_ID__EVENT_DISCONNECTED;
        fill_disconnected(&disconnected, event);
        message.event_disconnected = &disconnected;
        break;
    case CONTROL_EVENT_CONNECTED:
        message.id = HOSTED_CTRL__MESSAGE_ID__EVENT_CONNECTED;
        fill_connected(&connected, event);
        message.event_connected = &connected;
        break;
    }
    message.payload_case = (HostedCtrl__Message__PayloadCase)message.id;
    return dialect_ctrl_pack(&message, buf, size);
}
