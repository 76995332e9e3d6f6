/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network adapter: wires the bus and Wi-Fi to hosted_control. The main task is the control
 * task; everything that others produce comes to it through one queue.
 */
#include <string.h>

#include "bus_spi.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_private/wifi.h"
#include "esp_wifi.h"
#include "frame.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "hosted_control.h"
#include "nvs_flash.h"
#include "ota_device.h"
#include "sdkconfig.h"

#define RECEIVE_BUFFERS CONFIG_HOSTED_RECEIVE_BUFFERS
#define RADIO_FRAMES    10 /* that may wait in the queue: a host's never wait for them */
#define WIFI_EVENTS     4
#define QUEUE_LENGTH    (RADIO_FRAMES + WIFI_EVENTS + RECEIVE_BUFFERS)
#define TICK_MS         1000

#define CAPABILITY_WLAN_SPI 0x20 /* ESP-Hosted, adapter.h */

#if defined(CONFIG_HOSTED_DIALECT_CTRL)
#define DIALECT control_dialect_ctrl
#elif defined(CONFIG_HOSTED_DIALECT_CLASSIC)
#define DIALECT control_dialect_classic
#else
#error "no dialect is configured"
#endif

static const char s_tag[] = "network_adapter";

enum event_kind {
    EVENT_FRAME,      /* from the host; `data` is to be given back to the bus */
    EVENT_STATION_RX, /* from the radio; `owner` is to be given back to the driver */
    EVENT_WIFI,
};

struct event {
    enum event_kind kind;
    int32_t wifi_id;
    size_t len;
    void *data;
    void *owner;
    union { /* of an EVENT_WIFI: the loop's own copy is gone by the time it is looked at */
        wifi_event_sta_connected_t connected;
        wifi_event_sta_disconnected_t disconnected;
        wifi_event_sta_scan_done_t scan_done;
    } wifi;
};

static QueueHandle_t s_events;

/* Frames of the radio: the one is counted by its task alone, the other by the control task. */
static volatile uint32_t s_radio_came, s_radio_handled;

static bool on_frame(const uint8_t *frame, size_t len)
{
    struct frame parsed;
    const struct event event = {.kind = EVENT_FRAME, .data = (void *)frame, .len = len};

    if (frame_parse(frame, len, &parsed) < 0)
        return false; /* most often the host's dummy: not worth a wake-up of another task */
    return xQueueSend(s_events, &event, portMAX_DELAY) == pdPASS;
}

static esp_err_t on_station_rx(void *buffer, uint16_t len, void *eb)
{
    const struct event event = {.kind = EVENT_STATION_RX, .data = buffer, .len = len, .owner = eb};

    /*
     * The radio does not wait: what the host is too slow for is lost, as on any Ethernet. Nor does
     * it take the places of the host's frames: the bus's task would wait with one, and give back no
     * buffer that a reply may be waiting for.
     */
    if (s_radio_came - s_radio_handled >= RADIO_FRAMES || xQueueSend(s_events, &event, 0) != pdPASS)
        esp_wifi_internal_free_rx_buffer(eb);
    else
        s_radio_came = s_radio_came + 1;
    return ESP_OK;
}

static void on_wifi_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    struct event event = {.kind = EVENT_WIFI, .wifi_id = id};

    (void)arg;
    (void)base;
    if (id == WIFI_EVENT_STA_CONNECTED)
        memcpy(&event.wifi.connected, data, sizeof(event.wifi.connected));
    else if (id == WIFI_EVENT_STA_DISCONNECTED)
        memcpy(&event.wifi.disconnected, data, sizeof(event.wifi.disconnected));
    else if (id == WIFI_EVENT_SCAN_DONE)
        memcpy(&event.wifi.scan_done, data, sizeof(event.wifi.scan_done));
    else
        return;
    xQueueSend(s_events, &event, portMAX_DELAY);
}

static void send_frame(void *ctx, const uint8_t *frame, size_t len)
{
    (void)ctx;
    bus_spi_send(frame, len);
}

static void handle(const struct event *event)
{
    switch (event->kind) {
    case EVENT_FRAME:
        hosted_control_on_frame(event->data, event->len);
        bus_spi_give_back(event->data);
        break;
    case EVENT_STATION_RX:
        hosted_control_on_station_rx(event->data, event->len);
        esp_wifi_internal_free_rx_buffer(event->owner);
        s_radio_handled = s_radio_handled + 1;
        break;
    case EVENT_WIFI:
        /* With each connection anew: the driver may have forgotten it over the last one's end. */
        if (event->wifi_id == WIFI_EVENT_STA_CONNECTED)
            esp_wifi_internal_reg_rxcb(WIFI_IF_STA, on_station_rx);
        hosted_control_on_wifi_event(event->wifi_id, &event->wifi);
        break;
    }
}

/* Nothing in NVS is worth a boot loop: Wi-Fi's calibration data, made anew when it is missing. */
static esp_err_t init_nvs(void)
{
    esp_err_t err = nvs_flash_init();

    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        err = nvs_flash_erase();
        if (err == ESP_OK)
            err = nvs_flash_init();
    }
    return err;
}

static void start(void)
{
    const struct hosted_control_port port = {
        .dialect = &DIALECT,
        .send_frame = send_frame,
        .capabilities = CAPABILITY_WLAN_SPI,
        .spi_clock_mhz = CONFIG_HOSTED_SPI_CLOCK_MHZ,
        .window = HOSTED_CONTROL_WINDOW(RECEIVE_BUFFERS),
    };

    s_events = xQueueCreate(QUEUE_LENGTH, sizeof(struct event));
    ESP_ERROR_CHECK(s_events != NULL ? ESP_OK : ESP_ERR_NO_MEM);
    ESP_ERROR_CHECK(init_nvs());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_wifi_event, NULL));
    ESP_ERROR_CHECK(bus_spi_start(on_frame));
    ESP_ERROR_CHECK(hosted_control_start(&port));
    hosted_control_send_init();
    ESP_LOGI(s_tag, "ready");
}

void app_main(void); /* ESP-IDF calls it, and declares it nowhere */

void app_main(void)
{
    TickType_t last_tick;

    ota_device_start(); /* what fails from here on is this image's failure */
    start();
    last_tick = xTaskGetTickCount();
    for (;;) {
        struct event event;

        if (xQueueReceive(s_events, &event, pdMS_TO_TICKS(TICK_MS)) == pdPASS)
            handle(&event);
        if (xTaskGetTickCount() - last_tick >= pdMS_TO_TICKS(TICK_MS)) {
            last_tick = xTaskGetTickCount();
            hosted_control_on_tick();
            /* The queue of an update that is sent ahead is never empty. This lets the idle task
             * have its turn, whose watchdog waits for five seconds. */
            vTaskDelay(1);
        }
    }
}
