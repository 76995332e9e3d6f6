/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware.h"

#include "esp_event.h"
#include "esp_netif.h"
#include "esp_private/wifi.h"
#include "esp_timer.h"
#include "hosted_control.h"
#include "nvs_flash.h"
#include "ota_device.h"
#include "world.h"

#define CAPABILITY_WLAN_SPI 0x20 /* ESP-Hosted, interface.h */
#define TICK_US             1000000

/* As main/ has it: one buffer is in the control task's hands. */
#define WINDOW HOSTED_CONTROL_WINDOW(CONFIG_HOSTED_RECEIVE_BUFFERS)
#define ARMED  (CONFIG_HOSTED_RECEIVE_BUFFERS - 1)

#define SCHEDULER_TICK_US (1000000 / CONFIG_FREERTOS_HZ)
#define YIELD_US          (1000 * CONFIG_SPI_FLASH_ERASE_YIELD_DURATION_MS)

static void send_frame(void *ctx, const uint8_t *frame, size_t len)
{
    (void)ctx;
    world_send_frame(frame, len);
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

static void tick(void *arg)
{
    (void)arg;
    hosted_control_on_tick();
}

static esp_err_t start_ticking(void)
{
    const esp_timer_create_args_t args = {.callback = tick, .name = "tick"};
    esp_timer_handle_t timer;
    const esp_err_t rc = esp_timer_create(&args, &timer);

    return rc == ESP_OK ? esp_timer_start_periodic(timer, TICK_US) : rc;
}

static int start(void)
{
    const struct hosted_control_port port = {
        .dialect =
            world->dialect == DIALECT_CTRL ? &control_dialect_ctrl : &control_dialect_classic,
        .send_frame = send_frame,
        .capabilities = CAPABILITY_WLAN_SPI,
        .spi_clock_mhz = world->bus_mhz,
        .window = WINDOW,
    };

    world->tick_us = SCHEDULER_TICK_US;
    world->yield_us = YIELD_US;
    bus_time_set_firmware(&world->bus_time, WINDOW, ARMED);
    ota_device_start();
    if (nvs_flash_init() != ESP_OK || esp_netif_init() != ESP_OK ||
        esp_event_loop_create_default() != ESP_OK ||
        esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_wifi_event, NULL) != ESP_OK ||
        hosted_control_start(&port) != ESP_OK ||
        esp_wifi_internal_reg_rxcb(WIFI_IF_STA, on_station_rx) != ESP_OK ||
        start_ticking() != ESP_OK)
        return -1;
    return 0;
}

const struct program firmware_program = {
    .start = start,
    .send_init = hosted_control_send_init,
    .on_frame = hosted_control_on_frame,
};
