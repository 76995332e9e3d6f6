/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STATION_EVENTS_H
#define STATION_EVENTS_H
/* What the host is told of the station's connection, in dialects that have events. */
#include "control_message.h"
#include "esp_wifi.h"

/* `notifier` takes the events. */
void station_events_init(void (*notifier)(const struct control_event *event));

void station_events_connected(const wifi_event_sta_connected_t *event);
void station_events_disconnected(const wifi_event_sta_disconnected_t *event);

#endif
