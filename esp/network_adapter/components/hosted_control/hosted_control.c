/* SPDX-License-Identifier: Apache-2.0 */
#include "hosted_control.h"

#include "control_endpoint.h"
#include "esp_log.h"
#include "esp_private/wifi.h"
#include "esp_wifi.h"
#include "frame.h"
#include "heartbeat.h"
#include "ota_device.h"
#include "ota_extension.h"
#include "wifi_station.h"

/* ESP-Hosted, adapter.h */
enum {
    INIT_EVENT = 0,
    PRIVATE_EVENT_PACKET = 0,
};

#define ETHERNET_HEADER_BYTES 14

static const char s_tag[] = "hosted";

static struct hosted_control_port s_port;
static struct hosted_control_counters s_counters;

static int send_frame(void *ctx, const uint8_t *frame, size_t len)
{
    (void)ctx;
    s_port.send_frame(s_port.ctx, frame, len);
    return 0;
}

esp_err_t hosted_control_start(const struct hosted_control_port *port)
{
    s_port = *port;
    ota_device_start(); /* unless the application has, which it should first of all */
    ota_extension_grant_window(port->window);
    control_endpoint_init(port->dialect, send_frame, NULL);
    heartbeat_init(control_endpoint_notify);
    return wifi_station_start(port->dialect->initial_mode, control_endpoint_reply,
                              control_endpoint_notify);
}

static void send_private_init(void)
{
    uint8_t event[2 + CONTROL_INIT_MAX_BYTES] = {INIT_EVENT};
    const size_t len = s_port.dialect->put_init(&s_port, event + 2);
    const struct frame frame = {
        .interface_type = FRAME_PRIVATE,
        .packet_type = PRIVATE_EVENT_PACKET,
        .length = (uint16_t)(2 + len),
        .payload = event,
    };
    uint8_t buf[FRAME_HEADER_BYTES + sizeof(event)];

    event[1] = (uint8_t)len;
    s_port.send_frame(s_port.ctx, buf, (size_t)frame_build(&frame, buf, sizeof(buf)));
}

void hosted_control_send_init(void)
{
    send_private_init();
    control_endpoint_notify(&(struct control_event){.kind = CONTROL_EVENT_INIT});
}

static void station_tx(const struct frame *frame)
{
    /* The driver copies. A frame that it has no room for is lost, as on any Ethernet. */
    if (wifi_station_is_connected() && frame->length >= ETHERNET_HEADER_BYTES)
        esp_wifi_internal_tx(WIFI_IF_STA, (void *)frame->payload, frame->length);
}

void hosted_control_on_frame(const uint8_t *bytes, size_t len)
{
    struct frame frame;

    if (frame_parse(bytes, len, &frame) < 0) {
        s_counters.bad_frames++;
        return;
    }
    switch (frame.interface_type) {
    case FRAME_SERIAL:
        control_endpoint_on_frame(&frame, &s_counters);
        break;
    case FRAME_STATION:
        station_tx(&frame);
        break;
    default:
        s_counters.bad_frames++;
        ESP_LOGD(s_tag, "a frame for interface %u dropped", frame.interface_type);
        break;
    }
}

void hosted_control_on_wifi_event(int32_t event_id, const void *event_data)
{
    wifi_station_on_event(event_id, event_data);
}

void hosted_control_on_tick(void)
{
    wifi_station_on_tick();
    heartbeat_on_tick();
    ota_device_tick();
}

void hosted_control_on_station_rx(const void *ethernet, size_t len)
{
    uint8_t buf[FRAME_MAX_BYTES];
    const struct frame frame = {
        .interface_type = FRAME_STATION,
        .length = (uint16_t)len,
        .payload = ethernet,
    };

    /* One without a payload would be no frame to the host. */
    if (len < ETHERNET_HEADER_BYTES || len > FRAME_MAX_BYTES - FRAME_HEADER_BYTES)
        return;
    s_port.send_frame(s_port.ctx, buf, (size_t)frame_build(&frame, buf, sizeof(buf)));
}

void hosted_control_get_counters(struct hosted_control_counters *ret)
{
    *ret = s_counters;
}
