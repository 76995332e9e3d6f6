/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <string.h>

#include "chip_time.h"
#include "esp_event.h"
#include "esp_private/wifi.h"
#include "frame.h"
#include "hosted_control.h"
#include "life.h"
#include "wire.h"

#define CAPABILITIES 0x68
#define BUS_MHZ      30

uint8_t peer_frame[1600];
size_t peer_frame_len, peer_frames;

struct message peer_events[PEER_MAX_EVENTS];
size_t peer_event_count;

static bool s_ctrl;
static struct message s_partial, s_answer;
static size_t s_answers;
static uint16_t s_from_device; /* the sequence number that its next fragment must have */
static bool s_from_device_known;
static uint16_t s_to_device;

static void take_message(const struct message *message)
{
    static const char event_head[] = "\x01\x08\x00"
                                     "ctrlEvnt";

    if (memcmp(message->bytes, event_head, sizeof(event_head) - 1) != 0) {
        s_answer = *message;
        s_answers++;
        return;
    }
    if (peer_event_count >= PEER_MAX_EVENTS) {
        fail_msg("%d events and one more", PEER_MAX_EVENTS);
        return;
    }
    peer_events[peer_event_count++] = *message;
}

static void take_fragment(const struct frame *frame)
{
    if (s_from_device_known)
        assert_int_equal(frame->sequence, s_from_device);
    s_from_device = (uint16_t)(frame->sequence + 1);
    s_from_device_known = true;
    assert_true(frame->length <= sizeof(s_partial.bytes) - s_partial.len);
    memcpy(s_partial.bytes + s_partial.len, frame->payload, frame->length);
    s_partial.len += frame->length;
    if (frame->flags & FRAME_FLAG_MORE_FRAGMENT)
        return;
    take_message(&s_partial);
    s_partial.len = 0;
}

static void on_frame(void *ctx, const uint8_t *bytes, size_t len)
{
    struct frame frame;

    (void)ctx;
    assert_int_equal(frame_parse(bytes, len, &frame), 0);
    assert_ptr_equal(frame.payload, bytes + FRAME_HEADER_BYTES);
    assert_int_equal(len, FRAME_HEADER_BYTES + frame.length);
    if (frame.interface_type == FRAME_SERIAL) {
        take_fragment(&frame);
        return;
    }
    memcpy(peer_frame, bytes, len);
    peer_frame_len = len;
    peer_frames++;
}

static void on_wifi_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    hosted_control_on_wifi_event(id, data);
}

static esp_err_t on_station_rx(void *buffer, uint16_t len, void *eb)
{
    hosted_control_on_station_rx(buffer, len);
    esp_wifi_internal_free_rx_buffer(eb);
    return ESP_OK;
}

static void start_firmware(const struct control_dialect *dialect)
{
    const struct hosted_control_port port = {
        .dialect = dialect,
        .send_frame = on_frame,
        .capabilities = CAPABILITIES,
        .spi_clock_mhz = BUS_MHZ,
        .window = 3,
    };

    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    assert_int_equal(esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_wifi_event, NULL),
                     ESP_OK);
    assert_int_equal(hosted_control_start(&port), ESP_OK);
    assert_int_equal(esp_wifi_internal_reg_rxcb(WIFI_IF_STA, on_station_rx), ESP_OK);
}

void peer_start_firmware(void)
{
    start_firmware(&control_dialect_classic);
}

void peer_start_ctrl_firmware(void)
{
    s_ctrl = true;
    start_firmware(&control_dialect_ctrl);
}

struct air_ap *peer_put_up(const char *ssid, const char *password, int8_t rssi)
{
    struct air_ap *const ap = &world->air.aps[world->air.count++];

    *ap = (struct air_ap){
        .bssid = {0x11, 0x22, 0x33, 0x44, 0x55, (uint8_t)world->air.count},
        .channel = 6,
        .rssi = rssi,
        .security = password[0] != '\0' ? AIR_WPA2 : AIR_OPEN,
        .tap = -1,
    };
    strcpy(ap->ssid, ssid);
    strcpy(ap->password, password);
    return ap;
}

void peer_send_frame(const uint8_t *frame, size_t len)
{
    hosted_control_on_frame(frame, len);
}

static int to_device(void *ctx, const uint8_t *frame, size_t len)
{
    (void)ctx;
    peer_send_frame(frame, len);
    return 0;
}

void peer_send(const uint8_t *bytes, size_t len)
{
    assert_int_equal(frame_send_serial(bytes, len, 0, &s_to_device, to_device, NULL), 0);
}

void peer_send_request(const char *endpoint, const uint8_t *protobuf, size_t len)
{
    uint8_t message[2 * SERIAL_TLV_MAX_BYTES];
    const int head = serial_tlv_head(endpoint, len, message, sizeof(message));

    assert_true(head > 0);
    memcpy(message + head, protobuf, len);
    peer_send(message, (size_t)head + len);
}

void peer_settle(void)
{
    world_settle();
}

size_t peer_take_answers(struct message *ret)
{
    const size_t answers = s_answers;

    s_answers = 0;
    if (ret != NULL)
        *ret = s_answer;
    return answers;
}

const struct message *peer_ask(const uint8_t *protobuf, size_t len)
{
    static struct message s_taken;

    peer_take_answers(NULL);
    peer_send_request(s_ctrl ? "ctrlResp" : "control", protobuf, len);
    peer_settle();

    const size_t answers = peer_take_answers(&s_taken);

    assert_true(answers <= 1);
    return answers == 1 ? &s_taken : NULL;
}

size_t peer_unhex(const char *hex, uint8_t *ret, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t count = 0;

    for (; *hex != '\0'; hex++) {
        const char *digit = strchr(digits, *hex);

        if (*hex == ' ')
            continue;
        assert_non_null(digit);
        assert_true(count / 2 < size);
        const uint8_t high = count % 2 == 0 ? 0 : ret[count / 2];

        ret[count / 2] = (uint8_t)(high << 4 | (digit - digits));
        count++;
    }
    assert_int_equal(count % 2, 0);
    return count / 2;
}

const struct message *peer_ask_hex(const char *hex)
{
    uint8_t bytes[SERIAL_TLV_MAX_BYTES];

    return peer_ask(bytes, peer_unhex(hex, bytes, sizeof(bytes)));
}

int64_t peer_result(const char *hex, unsigned field)
{
    const struct message *answer = peer_ask_hex(hex);
    uint8_t request[SERIAL_TLV_MAX_BYTES];
    struct serial_tlv tlv;

    peer_unhex(hex, request, sizeof(request));
    assert_non_null(answer);
    assert_int_equal(serial_tlv_parse(answer->bytes, answer->len, &tlv), answer->len);

    const uint8_t *at = tlv.data;
    const struct wire_field number = wire_take(&at, tlv.data + tlv.data_len);
    const struct wire_field payload = wire_take(&at, tlv.data + tlv.data_len);

    assert_int_equal(number.number, 1);
    assert_int_equal(number.value, request[1] + 1);
    assert_int_equal(payload.number, number.value + 10);
    assert_ptr_equal(at, tlv.data + tlv.data_len);

    at = payload.bytes;
    while (at < payload.bytes + payload.len) {
        const struct wire_field inner = wire_take(&at, payload.bytes + payload.len);

        if (inner.number == field)
            return (int64_t)inner.value;
    }
    fail_msg("the answer has no field %u", field);
    return 0;
}

void peer_check_alive(void)
{
    if (s_ctrl)
        assert_non_null(peer_ask_hex("1067"));
    else
        assert_int_equal(peer_result("0802", 2), 0);
}
