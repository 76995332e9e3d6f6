/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STATION_LINK_H
#define STATION_LINK_H
/*
 * The station's connection: made at the host's request, made again when it breaks, until the host
 * takes it back. The outcome of a connect is told later, by its reply or by an event; that a
 * connection has ended is told once, by an event.
 */
#include <stdbool.h>

#include "control_message.h"
#include "esp_err.h"
#include "esp_wifi.h"

/* As wifi_station_handle(). */
bool station_link_connect(const struct control_request *request, struct control_reply *reply);

/* CONTROL_FAILURE when there was nothing to take back. */
int32_t station_link_disconnect(void);

bool station_link_is_up(void);

/* A station needs the station's part of the mode; an access point beside it stays. */
esp_err_t station_link_ensure_mode(void);

/* The station was switched off: its connection is gone, and nobody wants it back. */
void station_link_drop(void);

/* The driver does not scan beside a try to connect: such a try gives way, and is made later. Not
 * while a connect is pending. */
esp_err_t station_link_give_way(void);

/* The host will not wait longer for a connect. */
void station_link_give_up(void);

void station_link_on_connected(const wifi_event_sta_connected_t *event);
void station_link_on_disconnected(const wifi_event_sta_disconnected_t *event);
void station_link_on_tick(void);

#endif
