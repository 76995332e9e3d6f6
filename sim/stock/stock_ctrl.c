/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl stock firmware: dispatch of requests, and its start. */
#include "stock_ctrl.h"

#include <errno.h>

#include "esp_event.h"
#include "esp_log.h"
#include "world.h"

#define ENDPOINT "ctrlResp"

#define REPLY_OFFSET  100
#define FIRST_REFUSED 109
#define LAST_REQUEST  HOSTED_CTRL__MESSAGE_ID__REQ_LAST

/* A reply that comes to nothing is freed by its number. These "requests" make that the number of
 * an event, whose submessage is then taken for granted. */
#define FIRST_DEADLY 203
#define LAST_DEADLY  206

#define CAPABILITIES  (STOCK_CAPABILITY_WLAN_SPI | STOCK_CAPABILITY_CHECKSUM)
#define VERSION_BYTES 8

#define TICK_US 1000 /* its control task looks for a message at each */

static const char TAG[] = "stock";

static stock_ctrl_handler *find_handler(int32_t request)
{
    static const struct {
        int32_t request;
        stock_ctrl_handler *handle;
    } handlers[] = {
        {HOSTED_CTRL__MESSAGE_ID__REQ_GET_MAC, stock_ctrl_get_mac},
        {HOSTED_CTRL__MESSAGE_ID__REQ_SET_MAC, stock_ctrl_set_mac},
        {HOSTED_CTRL__MESSAGE_ID__REQ_GET_MODE, stock_ctrl_get_mode},
        {HOSTED_CTRL__MESSAGE_ID__REQ_SET_MODE, stock_ctrl_set_mode},
        {HOSTED_CTRL__MESSAGE_ID__REQ_SCAN, stock_ctrl_scan},
        {HOSTED_CTRL__MESSAGE_ID__REQ_GET_AP, stock_ctrl_get_ap},
        {HOSTED_CTRL__MESSAGE_ID__REQ_CONNECT_AP, stock_ctrl_connect_ap},
        {HOSTED_CTRL__MESSAGE_ID__REQ_DISCONNECT_AP, stock_ctrl_disconnect_ap},
        {HOSTED_CTRL__MESSAGE_ID__REQ_OTA_BEGIN, stock_ctrl_ota_begin},
        {HOSTED_CTRL__MESSAGE_ID__REQ_OTA_WRITE, stock_ctrl_ota_write},
        {HOSTED_CTRL__MESSAGE_ID__REQ_OTA_END, stock_ctrl_ota_end},
        {HOSTED_CTRL__MESSAGE_ID__REQ_SET_HEARTBEAT, stock_ctrl_set_heartbeat},
        {HOSTED_CTRL__MESSAGE_ID__REQ_SET_FEATURE, stock_ctrl_set_feature},
        {HOSTED_CTRL__MESSAGE_ID__REQ_GET_VERSION, stock_ctrl_get_version},
    };

    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (handlers[i].request == request)
            return handlers[i].handle;
    }
    return request >= FIRST_REFUSED && request <= LAST_REQUEST ? stock_ctrl_refuse : NULL;
}

/* The type that the request carries is not looked at. */
static void handle(const HostedCtrl__Message *request)
{
    stock_ctrl_handler *const handler = find_handler(request->id);
    HostedCtrl__Message reply = HOSTED_CTRL__MESSAGE__INIT;

    if (request->id >= FIRST_DEADLY && request->id <= LAST_DEADLY)
        stock_panic("the reply to no request is freed as an event");
    if (handler != NULL) {
        reply.type = HOSTED_CTRL__MESSAGE_TYPE__REPLY;
        reply.id = request->id + REPLY_OFFSET;
        reply.uid = request->uid;
        if (handler(request, &reply)) {
            stock_serial_send(ENDPOINT, &reply.base);
            return;
        }
    }
    ESP_LOGE(TAG, "request %d is not answered", (int)request->id);
}

/*
 * Upstream's parser trusts the lengths in a message. What is read behind the end of one that was
 * cut short is not defined; here that is the end.
 */
static void take(const uint8_t *message, size_t len)
{
    struct serial_tlv parts;
    const int rc = stock_tlv_find(message, len, &parts);

    sim_clock_wait_tick(&world->clock, world->tick_us);
    if (rc == -EOVERFLOW)
        stock_panic("a message is read beyond its end");
    if (rc < 0 || !stock_tlv_is_for(&parts, ENDPOINT)) {
        ESP_LOGE(TAG, "a message that is for nobody");
        return;
    }

    HostedCtrl__Message *const request =
        hosted_ctrl__message__unpack(NULL, parts.data_len, parts.data);

    if (request == NULL) {
        ESP_LOGE(TAG, "a request that does not decode");
        return;
    }
    handle(request);
    hosted_ctrl__message__free_unpacked(request, NULL);
}

/* ESP-Hosted, struct fw_version: a name of two characters, and five numbers, a byte each. */
static void send_private_init(void)
{
    struct release release;
    uint8_t tlvs[11 + VERSION_BYTES] = {
        STOCK_TAG_CHIP,
        1,
        (uint8_t)world->chip_id,
        STOCK_TAG_CAPABILITY,
        1,
        CAPABILITIES,
        STOCK_TAG_RAW_THROUGHPUT,
        1,
        0,
        STOCK_TAG_VERSION,
        VERSION_BYTES,
    };
    uint8_t *const version = tlvs + sizeof(tlvs) - VERSION_BYTES;

    stock_ctrl_release(&release);
    stock_put_text(version, 2, release.name);
    for (size_t i = 0; i < RELEASE_NUMBERS; i++)
        version[3 + i] = (uint8_t)release.numbers[i];
    stock_serial_send_init(tlvs, sizeof(tlvs));
}

static void send_init(void)
{
    send_private_init();
    stock_ctrl_send_started();
}

static int start(void)
{
    static const struct stock_receiver receiver = {
        .take = take,
        .station_is_connected = stock_ctrl_is_connected,
    };
    const wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();

    world->tick_us = TICK_US;
    world->yield_us = STOCK_YIELD_US;
    stock_serial_start(&receiver);
    if (esp_event_loop_create_default() != ESP_OK || esp_wifi_init(&config) != ESP_OK ||
        esp_wifi_set_storage(WIFI_STORAGE_FLASH) != ESP_OK ||
        stock_ctrl_station_start() != ESP_OK || esp_wifi_set_mode(WIFI_MODE_STA) != ESP_OK ||
        esp_wifi_set_ps(WIFI_PS_NONE) != ESP_OK || esp_wifi_start() != ESP_OK)
        return -1;
    return 0;
}

const struct program stock_ctrl_program = {
    .start = start,
    .send_init = send_init,
    .on_frame = stock_serial_on_frame,
};
