/* SPDX-License-Identifier: Apache-2.0 */
/* Stock firmware at its bus: frames, fragments, station traffic, the INIT event. */
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "esp_private/wifi.h"
#include "frame.h"
#include "stock.h"
#include "world.h"

#define EVENT_INIT       0 /* ESP-Hosted, private events */
#define EVENT_HEAD_BYTES 2

static const struct stock_receiver *s_receiver;
static uint8_t s_message[SERIAL_TLV_MAX_BYTES]; /* its receive buffer */
static size_t s_len;
static uint16_t s_sequence; /* of the message that s_message is filled with */
static uint16_t s_sent;     /* sequence number of the next fragment to the host */

_Noreturn void stock_panic(const char *why)
{
    ESP_LOGE("stock", "panic: %s", why);
    world_reset(WORLD_RESET_PANIC);
}

void stock_serial_start(const struct stock_receiver *receiver)
{
    s_receiver = receiver;
    s_sent = 1;
}

static int put_on_bus(void *ctx, const uint8_t *frame, size_t len)
{
    (void)ctx;
    world_send_frame(frame, len);
    return 0;
}

void stock_serial_send(const char *endpoint, const ProtobufCMessage *body)
{
    const size_t len = protobuf_c_message_get_packed_size(body);
    const size_t size = SERIAL_TLV_OVERHEAD(strlen(endpoint)) + len;
    uint8_t *const message = malloc(size);
    const int head = message != NULL ? serial_tlv_head(endpoint, len, message, size) : -1;

    if (head < 0)
        stock_panic("no memory for a message");
    protobuf_c_message_pack(body, message + head);
    frame_send_serial(message, size, 1, &s_sent, put_on_bus, NULL);
    free(message);
}

static void hand_over(void)
{
    const size_t len = s_len;

    s_len = 0;
    s_receiver->take(s_message, len);
}

/* A fragment of another message ends the one that is there, as it is, and is itself lost. What does
 * not fit into the receive buffer is cut off. */
static void take_fragment(const struct frame *frame)
{
    const size_t room = sizeof(s_message) - s_len;
    const size_t len = frame->length < room ? frame->length : room;

    if (s_len == 0)
        s_sequence = frame->sequence;
    if (frame->sequence != s_sequence) {
        hand_over();
        return;
    }
    memcpy(s_message + s_len, frame->payload, len);
    s_len += len;
    if ((frame->flags & FRAME_FLAG_MORE_FRAGMENT) == 0)
        hand_over();
}

/* The common reader lets a checksum of 0 pass as none; this firmware always looks at it. */
static bool sum_is_zero(const uint8_t *bytes, size_t len)
{
    uint16_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum = (uint16_t)(sum + bytes[i]);
    return sum == 0;
}

void stock_serial_on_frame(const uint8_t *bytes, size_t len)
{
    struct frame frame;

    if (frame_parse(bytes, len, &frame) < 0)
        return;
    if (bytes[6] == 0 && bytes[7] == 0 &&
        !sum_is_zero(bytes, (size_t)(frame.payload - bytes) + frame.length))
        return;
    if (frame.interface_type == FRAME_SERIAL)
        take_fragment(&frame);
    else if (frame.interface_type == FRAME_STATION && s_receiver->station_is_connected())
        esp_wifi_internal_tx(WIFI_IF_STA, (void *)frame.payload, frame.length);
}

static void send_frame(const struct frame *frame)
{
    uint8_t bytes[FRAME_MAX_BYTES];
    const int len = frame_build(frame, bytes, sizeof(bytes));

    if (len > 0)
        world_send_frame(bytes, (size_t)len);
}

esp_err_t stock_station_rx(void *buffer, uint16_t len, void *eb)
{
    const struct frame frame = {.interface_type = FRAME_STATION, .length = len, .payload = buffer};

    send_frame(&frame);
    esp_wifi_internal_free_rx_buffer(eb);
    return ESP_OK;
}

void stock_serial_send_init(const uint8_t *tlvs, uint8_t len)
{
    uint8_t event[EVENT_HEAD_BYTES + UINT8_MAX] = {EVENT_INIT, len};
    const struct frame frame = {.interface_type = FRAME_PRIVATE,
                                .length = (uint16_t)(EVENT_HEAD_BYTES + len),
                                .payload = event};

    memcpy(event + EVENT_HEAD_BYTES, tlvs, len);
    send_frame(&frame);
}
