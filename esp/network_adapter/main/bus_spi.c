/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_spi.h"

#include <string.h>

#include "driver/gpio.h"
#include "driver/spi_slave.h"
#include "esp_attr.h"
#include "esp_heap_caps.h"
#include "esp_intr_alloc.h"
#include "frame.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#define TRANSACTION_BYTES FRAME_MAX_BYTES
#define SEND_BUFFERS      10
#define CONTROL_BUFFERS   4 /* of those, not for station traffic: a reply has three fragments */
#define SEND_LIMIT_MS     1000
#define TASK_STACK_BYTES  4096
#define TASK_PRIORITY     22 /* below Wi-Fi's 23, above everything of ours */

/* What the host takes for "nothing": no interface has this type. */
#define DUMMY_INTERFACE 0xff

static QueueHandle_t s_waiting; /* uint8_t *: frames for the host, in order */
static QueueHandle_t s_free;    /* uint8_t *: buffers for such frames */
static uint8_t *s_dummy;
static uint8_t *s_received;
static bus_spi_receiver s_receiver;

/* Between looking whether a frame waits and setting the line that says so. */
static portMUX_TYPE s_line_lock = portMUX_INITIALIZER_UNLOCKED;

static void IRAM_ATTR on_armed(spi_slave_transaction_t *transaction)
{
    (void)transaction;
    gpio_set_level(CONFIG_HOSTED_GPIO_HANDSHAKE, 1);
}

static void IRAM_ATTR on_done(spi_slave_transaction_t *transaction)
{
    (void)transaction;
    gpio_set_level(CONFIG_HOSTED_GPIO_HANDSHAKE, 0);
}

/* NULL: there is none for this frame. */
static uint8_t *take_buffer(const uint8_t *frame)
{
    const bool station = (frame[0] & 0x0f) == FRAME_STATION;
    const TickType_t limit = station ? 0 : pdMS_TO_TICKS(SEND_LIMIT_MS);
    uint8_t *buf;

    if (station && uxQueueMessagesWaiting(s_free) <= CONTROL_BUFFERS)
        return NULL;
    return xQueueReceive(s_free, &buf, limit) == pdPASS ? buf : NULL;
}

void bus_spi_send(const uint8_t *frame, size_t len)
{
    uint8_t *buf = len <= TRANSACTION_BYTES ? take_buffer(frame) : NULL;

    if (buf == NULL)
        return;
    memcpy(buf, frame, len);
    memset(buf + len, 0, TRANSACTION_BYTES - len); /* nothing of older frames goes out */
    xQueueSend(s_waiting, &buf, portMAX_DELAY);
    taskENTER_CRITICAL(&s_line_lock);
    gpio_set_level(CONFIG_HOSTED_GPIO_DATA_READY, 1);
    taskEXIT_CRITICAL(&s_line_lock);
}

/*
 * The next frame for the host, or NULL: only then the line falls. While the last frame is armed and
 * not yet fetched it is all that tells the host to come for it.
 */
static uint8_t *next_frame(void)
{
    uint8_t *buf;

    if (xQueueReceive(s_waiting, &buf, 0) == pdPASS)
        return buf;
    taskENTER_CRITICAL(&s_line_lock);
    if (uxQueueMessagesWaiting(s_waiting) == 0)
        gpio_set_level(CONFIG_HOSTED_GPIO_DATA_READY, 0);
    taskEXIT_CRITICAL(&s_line_lock);
    return NULL;
}

/* One transaction: waits until the host has clocked it. */
static void transact(void)
{
    uint8_t *frame = next_frame();
    spi_slave_transaction_t transaction = {
        .length = TRANSACTION_BYTES * 8,
        .tx_buffer = frame != NULL ? frame : s_dummy,
        .rx_buffer = s_received,
    };
    spi_slave_transaction_t *done;

    memset(s_received, 0, FRAME_HEADER_BYTES); /* a transaction cut short leaves no old frame */
    /* Refused are only transactions that are wrong in themselves, and then every one is: after the
     * reset, an image on probation is rolled back. */
    ESP_ERROR_CHECK(spi_slave_queue_trans(SPI2_HOST, &transaction, portMAX_DELAY));
    ESP_ERROR_CHECK(spi_slave_get_trans_result(SPI2_HOST, &done, portMAX_DELAY));
    if (frame != NULL)
        xQueueSend(s_free, &frame, portMAX_DELAY);
    s_receiver(s_received, TRANSACTION_BYTES);
}

static void run(void *arg)
{
    (void)arg;
    for (;;)
        transact();
}

static esp_err_t make_buffers(void)
{
    s_waiting = xQueueCreate(SEND_BUFFERS, sizeof(uint8_t *));
    s_free = xQueueCreate(SEND_BUFFERS, sizeof(uint8_t *));
    s_dummy = heap_caps_calloc(1, TRANSACTION_BYTES, MALLOC_CAP_DMA);
    s_received = heap_caps_calloc(1, TRANSACTION_BYTES, MALLOC_CAP_DMA);
    if (s_waiting == NULL || s_free == NULL || s_dummy == NULL || s_received == NULL)
        return ESP_ERR_NO_MEM;
    s_dummy[0] = DUMMY_INTERFACE;
    for (int i = 0; i < SEND_BUFFERS; i++) {
        uint8_t *buf = heap_caps_malloc(TRANSACTION_BYTES, MALLOC_CAP_DMA);

        if (buf == NULL)
            return ESP_ERR_NO_MEM;
        xQueueSend(s_free, &buf, 0);
    }
    return ESP_OK;
}

static esp_err_t set_up_lines(void)
{
    const gpio_config_t lines = {
        .pin_bit_mask = 1ULL << CONFIG_HOSTED_GPIO_HANDSHAKE | 1ULL
                                                                   << CONFIG_HOSTED_GPIO_DATA_READY,
        .mode = GPIO_MODE_OUTPUT,
    };
    esp_err_t err = gpio_config(&lines);

    if (err == ESP_OK)
        err = gpio_set_level(CONFIG_HOSTED_GPIO_HANDSHAKE, 0);
    if (err == ESP_OK)
        err = gpio_set_level(CONFIG_HOSTED_GPIO_DATA_READY, 0);
    return err;
}

static esp_err_t set_up_spi(void)
{
    const spi_bus_config_t bus = {
        .mosi_io_num = CONFIG_HOSTED_GPIO_MOSI,
        .miso_io_num = CONFIG_HOSTED_GPIO_MISO,
        .sclk_io_num = CONFIG_HOSTED_GPIO_SCLK,
        .quadwp_io_num = -1,
        .quadhd_io_num = -1,
        .max_transfer_sz = TRANSACTION_BYTES,
        /* The end of a transaction lowers the handshake line also while the flash is erased. */
        .intr_flags = ESP_INTR_FLAG_IRAM,
    };
    const spi_slave_interface_config_t slave = {
        .spics_io_num = CONFIG_HOSTED_GPIO_CS,
        .queue_size = 1,
        .mode = CONFIG_HOSTED_SPI_MODE,
        .post_setup_cb = on_armed,
        .post_trans_cb = on_done,
    };
    const gpio_num_t inputs[] = {CONFIG_HOSTED_GPIO_MOSI, CONFIG_HOSTED_GPIO_SCLK,
                                 CONFIG_HOSTED_GPIO_CS};

    /* Without a host the lines float, and noise would look like clocks. */
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        gpio_set_pull_mode(inputs[i], GPIO_PULLUP_ONLY);
    return spi_slave_initialize(SPI2_HOST, &bus, &slave, SPI_DMA_CH_AUTO);
}

esp_err_t bus_spi_start(bus_spi_receiver receiver)
{
    esp_err_t err = make_buffers();

    s_receiver = receiver;
    if (err == ESP_OK)
        err = set_up_lines();
    if (err == ESP_OK)
        err = set_up_spi();
    if (err == ESP_OK &&
        xTaskCreate(run, "bus_spi", TASK_STACK_BYTES, NULL, TASK_PRIORITY, NULL) != pdPASS)
        err = ESP_ERR_NO_MEM;
    return err;
}
