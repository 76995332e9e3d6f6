/* SPDX-License-Identifier: Apache-2.0 */
#include "control_endpoint.h"

#include <string.h>

#include "esp_log.h"
#include "heartbeat.h"
#include "identity.h"
#include "ota_commands.h"
#include "ota_device.h"
#include "serial_tlv.h"
#include "wifi_station.h"

static const char s_tag[] = "control";

static const struct control_dialect *s_dialect;

static frame_sink s_sink;
static void *s_sink_ctx;
static uint16_t s_sequence; /* of the next fragment to the host */
static bool s_answered;     /* a reply has gone out since boot */

static struct frame_assembly s_assembly;
static uint8_t s_received[SERIAL_TLV_MAX_BYTES];
static uint8_t s_sent[SERIAL_TLV_MAX_BYTES];

void control_endpoint_init(const struct control_dialect *dialect, frame_sink sink, void *ctx)
{
    s_dialect = dialect;
    s_sink = sink;
    s_sink_ctx = ctx;
    frame_assembly_init(&s_assembly, s_received, sizeof(s_received));
}

static bool is_for_us(const struct serial_tlv *tlv)
{
    return strlen(s_dialect->endpoint) == tlv->endpoint_len &&
           memcmp(s_dialect->endpoint, tlv->endpoint, tlv->endpoint_len) == 0;
}

/* The others are asked for, or switched, for what this firmware has not. */
static int32_t set_feature(uint32_t number, bool enable)
{
    return number == CONTROL_FEATURE_WIFI ? wifi_station_enable(enable) : CONTROL_FAILURE;
}

/* True: *reply is to be sent now. False: the handler answers later. */
static bool handle(const struct control_request *request, struct control_reply *reply)
{
    if (ota_commands_refuse(request->op, reply))
        return true;
    switch (request->op) {
    case CONTROL_GET_MAC:
    case CONTROL_SET_MAC:
    case CONTROL_SET_MODE:
    case CONTROL_GET_AP:
    case CONTROL_CONNECT:
    case CONTROL_DISCONNECT:
    case CONTROL_SCAN:
        return wifi_station_handle(request, reply);
    case CONTROL_GET_MODE:
        ota_commands_handle_on_mode(request, reply);
        identity_read(&reply->mode.identity);
        return wifi_station_handle(request, reply);
    case CONTROL_OTA_BEGIN:
    case CONTROL_OTA_WRITE:
    case CONTROL_OTA_END:
        ota_commands_handle(request, reply);
        return true;
    case CONTROL_SET_HEARTBEAT:
        heartbeat_configure(request->heartbeat.enable, request->heartbeat.seconds);
        return true;
    case CONTROL_SET_FEATURE:
        reply->result = set_feature(request->feature.number, request->feature.enable);
        return true;
    case CONTROL_GET_VERSION:
        identity_release(&reply->release);
        return true;
    case CONTROL_UNSUPPORTED:
        break;
    }
    reply->result = CONTROL_FAILURE;
    return true;
}

static void on_message(size_t len, struct hosted_control_counters *counters)
{
    struct control_request request;
    struct serial_tlv tlv;

    if (serial_tlv_parse(s_received, len, &tlv) != (int)len || !is_for_us(&tlv)) {
        counters->bad_messages++;
        ESP_LOGW(s_tag, "a message of %u bytes dropped: not for %s", (unsigned)len,
                 s_dialect->endpoint);
        return;
    }
    if (s_dialect->decode(tlv.data, tlv.data_len, &request) < 0) {
        counters->bad_requests++;
        ESP_LOGW(s_tag, "a request dropped on %s: not understood", s_dialect->endpoint);
        return;
    }
    request.origin.dialect = s_dialect;

    struct control_reply reply = {.origin = request.origin, .op = request.op};

    if (request.unusable) {
        counters->bad_requests++;
        reply.result = CONTROL_FAILURE;
        control_endpoint_reply(&reply);
    } else if (handle(&request, &reply)) {
        control_endpoint_reply(&reply);
    }
}

void control_endpoint_on_frame(const struct frame *frame, struct hosted_control_counters *counters)
{
    const int len = frame_assembly_add(&s_assembly, frame);

    if (len > 0)
        on_message((size_t)len, counters);
    else if (len < 0)
        counters->bad_messages++;
}

/* Where a message of that endpoint has its protobuf part, with the room for it in *ret_size. */
static uint8_t *message_body(const char *endpoint, size_t *ret_size)
{
    const size_t head = SERIAL_TLV_OVERHEAD(strlen(endpoint));

    *ret_size = sizeof(s_sent) - head;
    return s_sent + head;
}

/* What message_body() has been filled with; `len` may be the error of that. */
static int send_message(const char *endpoint, int len)
{
    const size_t head = SERIAL_TLV_OVERHEAD(strlen(endpoint));

    if (len < 0 || serial_tlv_head(endpoint, (size_t)len, s_sent, sizeof(s_sent)) < 0) {
        ESP_LOGE(s_tag, "a message does not fit");
        return -1;
    }
    return frame_send_serial(s_sent, head + (size_t)len, 1, &s_sequence, s_sink, s_sink_ctx);
}

void control_endpoint_reply(const struct control_reply *reply)
{
    const struct control_dialect *dialect = reply->origin.dialect;
    size_t size;
    uint8_t *const body = message_body(dialect->endpoint, &size);

    if (send_message(dialect->endpoint, dialect->encode(reply, body, size)) < 0)
        return;
    if (!s_answered)
        s_answered = ota_device_confirm() == ESP_OK;
}

void control_endpoint_notify(const struct control_event *event)
{
    const char *const endpoint = s_dialect->event_endpoint;
    size_t size;

    if (endpoint == NULL)
        return;

    uint8_t *const body = message_body(endpoint, &size);

    send_message(endpoint, s_dialect->encode_event(event, body, size));
}
