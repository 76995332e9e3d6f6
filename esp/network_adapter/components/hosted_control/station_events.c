/* SPDX-License-Identifier: Apache-2.0 */
#include "station_events.h"

#include <string.h>

#include "mac_text.h"

static void (*s_notifier)(const struct control_event *event);

void station_events_init(void (*notifier)(const struct control_event *event))
{
    s_notifier = notifier;
}

static void set_access_point(struct control_event *to, const uint8_t ssid[CONTROL_SSID_BYTES],
                             size_t ssid_len, const uint8_t bssid[6])
{
    to->station.ssid_len = ssid_len < CONTROL_SSID_BYTES ? ssid_len : CONTROL_SSID_BYTES;
    memcpy(to->station.ssid, ssid, to->station.ssid_len);
    mac_to_text(bssid, to->station.bssid);
}

void station_events_connected(const wifi_event_sta_connected_t *event)
{
    struct control_event told = {.kind = CONTROL_EVENT_CONNECTED};

    set_access_point(&told, event->ssid, event->ssid_len, event->bssid);
    told.station.channel = event->channel;
    told.station.encryption = event->authmode;
    told.station.association = event->aid;
    s_notifier(&told);
}

void station_events_disconnected(const wifi_event_sta_disconnected_t *event)
{
    struct control_event told = {.kind = CONTROL_EVENT_DISCONNECTED};

    set_access_point(&told, event->ssid, event->ssid_len, event->bssid);
    told.station.reason = event->reason;
    told.station.rssi = event->rssi;
    s_notifier(&told);
}
