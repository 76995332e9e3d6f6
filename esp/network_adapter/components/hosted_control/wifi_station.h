/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIFI_STATION_H
#define WIFI_STATION_H
/* The Wi-Fi commands: this firmware is a station. */
#include <stdbool.h>
#include <stdint.h>

#include "control_message.h"
#include "esp_err.h"

/* Takes the outcome of a request that took its time. */
typedef void (*wifi_station_replier)(const struct control_reply *reply);

/* Takes what becomes of the connection. */
typedef void (*wifi_station_notifier)(const struct control_event *event);

/* Brings the Wi-Fi driver up, in that wifi_mode_t. */
esp_err_t wifi_station_start(int32_t mode, wifi_station_replier replier,
                             wifi_station_notifier notifier);

/* Frees the Wi-Fi driver's memory, or brings the driver up again, in no mode. Returns enum
 * control_result. */
int32_t wifi_station_enable(bool enable);

/* True: *reply holds the outcome. False: the outcome goes to the replier later. */
bool wifi_station_handle(const struct control_request *request, struct control_reply *reply);

void wifi_station_on_event(int32_t event_id, const void *event_data);

/* About once a second. */
void wifi_station_on_tick(void);

/* Associated: Ethernet frames can pass. */
bool wifi_station_is_connected(void);

#endif
