/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_STOCK_CTRL_H
#define SIM_STOCK_CTRL_H
/*
 * Upstream's firmware of April 2026. What it does not know or cannot decode it logs and does not
 * answer; but some requests make it follow a null pointer, which is a stock_panic() here.
 *
 * It is taken as built without an access point of its own to try (CONFIG_ESP_WIFI_SSID empty; the
 * default is "myssid", which it would try, and report, for ever) and without Bluetooth.
 */
#include "hosted_ctrl.pb-c.h"
#include "release.h"
#include "stock.h"

/*
 * Handlers; `reply` has its number and uid already. Submessages are static: one request at a time.
 * A handler returns false when there is no reply.
 */
typedef bool stock_ctrl_handler(const HostedCtrl__Message *request, HostedCtrl__Message *reply);

stock_ctrl_handler stock_ctrl_get_mac, stock_ctrl_set_mac;
stock_ctrl_handler stock_ctrl_get_mode, stock_ctrl_set_mode;
stock_ctrl_handler stock_ctrl_scan, stock_ctrl_get_ap;
stock_ctrl_handler stock_ctrl_connect_ap, stock_ctrl_disconnect_ap;
stock_ctrl_handler stock_ctrl_ota_begin, stock_ctrl_ota_write, stock_ctrl_ota_end;
stock_ctrl_handler stock_ctrl_set_heartbeat, stock_ctrl_set_feature, stock_ctrl_get_version;

/* A command that is not modelled: its result is a failure. */
bool stock_ctrl_refuse(const HostedCtrl__Message *request, HostedCtrl__Message *reply);

/* Events to the host. */
void stock_ctrl_send_started(void);
void stock_ctrl_send_heartbeat(int32_t number);
void stock_ctrl_send_disconnected(const wifi_event_sta_disconnected_t *event);
void stock_ctrl_send_connected(const wifi_event_sta_connected_t *event);

/* The station, as its events have told; they are listened to from the start on. */
esp_err_t stock_ctrl_station_start(void);
bool stock_ctrl_is_connected(void);

/* Between two attempts of the many. On a chip there is next to no time between them. */
bool stock_ctrl_is_retrying(void);

/* The mode was left in which the driver's configuration counted. */
void stock_ctrl_forget_config(void);

/* What the booted image's descriptor says; "FG" and zeros when that has not the form. */
void stock_ctrl_release(struct release *ret);

static inline ProtobufCBinaryData stock_ctrl_text(const char *text, size_t len)
{
    return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)text};
}

#endif
