/* SPDX-License-Identifier: Apache-2.0 */
/* Stock firmware at its bus: frames, fragments, station traffic, the INIT event. */
#include <string.h>

#include "esp_event.h"
#include "esp_private/wifi.h"
#include "frame.h"
#include "stock.h"
#include "world.h"

#define MESSAGE_BYTES 4096 /* its receive buffer */

/* ESP-Hosted, the private INIT event. */
#define EVENT_INIT          0
#define TAG_CAPABILITY      0
#define TAG_SPI_CLOCK_MHZ   1
#define TAG_CHIP            2
#define CAPABILITY_WLAN_SPI 0x20

static uint8_t s_message[MESSAGE_BYTES];
static size_t s_len;
static uint16_t s_sequence; /* of the message that s_message is filled with */
static uint16_t s_sent;     /* sequence number of the next fragment to the host */

static int put_on_bus(void *ctx, const uint8_t *frame, size_t len)
{
    (void)ctx;
    world_send_frame(frame, len);
    return 0;
}

void stock_serial_send(const uint8_t *message, size_t len)
{
    frame_send_serial(message, len, 1, &s_sent, put_on_bus, NULL);
}

static void hand_over(void)
{
    const size_t len = s_len;

    s_len = 0;
    stock_control_take(s_message, len);
}

/* A fragment of another message ends the one that is there, as it is, and is itself lost. */
static void take_fragment(const struct frame *frame)
{
    if (s_len == 0)
        s_sequence = frame->sequence;
    if (frame->sequence != s_sequence) {
        hand_over();
        return;
    }
    if (frame->length > sizeof(s_message) - s_len)
        stock_panic("a message beyond the receive buffer");
    memcpy(s_message + s_len, frame->payload, frame->length);
    s_len += frame->length;
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

static void on_frame(const uint8_t *bytes, size_t len)
{
    struct frame frame;

    if (frame_parse(bytes, len, &frame) < 0)
        return;
    if (bytes[6] == 0 && bytes[7] == 0 &&
        !sum_is_zero(bytes, (size_t)(frame.payload - bytes) + frame.length))
        return;
    if (frame.interface_type == FRAME_SERIAL)
        take_fragment(&frame);
    else if (frame.interface_type == FRAME_STATION && stock_station_is_connected())
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

static void send_init(void)
{
    const uint8_t event[] = {
        EVENT_INIT,     9, /* bytes that follow */
        TAG_CHIP,       1, (uint8_t)world->chip_id, TAG_SPI_CLOCK_MHZ, 1, world->bus_mhz,
        TAG_CAPABILITY, 1, CAPABILITY_WLAN_SPI,
    };
    const struct frame frame = {
        .interface_type = FRAME_PRIVATE, .length = sizeof(event), .payload = event};

    send_frame(&frame);
}

static int start(void)
{
    const wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();

    s_sent = 1;
    if (esp_event_loop_create_default() != ESP_OK || esp_wifi_init(&config) != ESP_OK ||
        esp_wifi_set_mode(WIFI_MODE_NULL) != ESP_OK || esp_wifi_start() != ESP_OK)
        return -1;
    return 0;
}

/* While its control task waits for Wi-Fi, the next message fills the only buffer there is, and
 * nothing more is taken from the bus. */
static bool takes_frames(void)
{
    return !stock_control_is_busy();
}

const struct program stock_program = {
    .start = start,
    .send_init = send_init,
    .on_frame = on_frame,
    .takes_frames = takes_frames,
};
