/* SPDX-License-Identifier: Apache-2.0 */
#include "control_endpoint.h"

#include <string.h>

#include "esp_log.h"
#include "identity.h"
#include "ota_commands.h"
#include "ota_device.h"
#include "serial_tlv.h"
#include "wifi_station.h"

static const char s_tag[] = "control";

static const struct control_dialect *const s_dialects[] = {&control_dialect_classic};

static frame_sink s_sink;
static void *s_sink_ctx;
static uint16_t s_sequence; /* of the next fragment to the host */
static bool s_answered;     /* a reply has gone out since boot */

static struct frame_assembly s_assembly;
static uint8_t s_received[SERIAL_TLV_MAX_BYTES];
static uint8_t s_reply[SERIAL_TLV_MAX_BYTES];

void control_endpoint_init(frame_sink sink, void *ctx)
{
    s_sink = sink;
    s_sink_ctx = ctx;
    frame_assembly_init(&s_assembly, s_received, sizeof(s_received));
}

static const struct control_dialect *dialect_of(const struct serial_tlv *tlv)
{
    for (size_t i = 0; i < sizeof(s_dialects) / sizeof(s_dialects[0]); i++) {
        const char *endpoint = s_dialects[i]->endpoint;

        if (strlen(endpoint) == tlv->endpoint_len &&
            memcmp(endpoint, tlv->endpoint, tlv->endpoint_len) == 0)
            return s_dialects[i];
    }
    return NULL;
}

/* True: *reply is to be sent now. False: the handler answers later. */
static bool handle(const struct control_request *request, struct control_reply *reply)
{
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
        identity_read(&reply->mode.identity);
        return wifi_station_handle(request, reply);
    case CONTROL_OTA_BEGIN:
    case CONTROL_OTA_WRITE:
    case CONTROL_OTA_END:
        ota_commands_handle(request, reply);
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
    const int taken = serial_tlv_parse(s_received, len, &tlv);
    const struct control_dialect *dialect = taken == (int)len ? dialect_of(&tlv) : NULL;

    if (dialect == NULL) {
        counters->bad_messages++;
        ESP_LOGW(s_tag, "a message of %u bytes dropped: no known endpoint", (unsigned)len);
        return;
    }
    if (dialect->decode(tlv.data, tlv.data_len, &request) < 0) {
        counters->bad_requests++;
        ESP_LOGW(s_tag, "a request dropped on %s: not understood", dialect->endpoint);
        return;
    }
    request.origin.dialect = dialect;

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

void control_endpoint_reply(const struct control_reply *reply)
{
    const struct control_dialect *dialect = reply->origin.dialect;
    const size_t head = SERIAL_TLV_OVERHEAD(strlen(dialect->endpoint));
    const int len = dialect->encode(reply, s_reply + head, sizeof(s_reply) - head);

    if (len < 0 || serial_tlv_head(dialect->endpoint, (size_t)len, s_reply, sizeof(s_reply)) < 0) {
        ESP_LOGE(s_tag, "a reply does not fit");
        return;
    }
    if (frame_send_serial(s_reply, head + (size_t)len, 1, &s_sequence, s_sink, s_sink_ctx) < 0)
        return;

    if (!s_answered)
        s_answered = ota_device_confirm() == ESP_OK;
}
