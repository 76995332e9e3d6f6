/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_spi.h"

#include <stdlib.h>
#include <string.h>

#include "driver/gpio.h"
#include "driver/spi_slave.h"
#include "esp_attr.h"
#include "esp_heap_caps.h"
#include "esp_intr_alloc.h"
#include "esp_private/spi_slave_internal.h"
#include "frame.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "sdkconfig.h"
#include "serial_tlv.h"

#define TRANSACTION_BYTES FRAME_MAX_BYTES
#define RECEIVE_BUFFERS   CONFIG_HOSTED_RECEIVE_BUFFERS
#define SEND_BUFFERS      10
#define CONTROL_BUFFERS   4 /* of those, not for station traffic */
#define SEND_LIMIT_MS     1000
#define TASK_STACK_BYTES  4096
#define TASK_PRIORITY     22 /* below Wi-Fi's 23, above everything of ours */

/* What the host takes for "nothing": no interface has this type. */
#define DUMMY_INTERFACE 0xff

/* A whole reply finds room although the receiver, who sends it, has all receive buffers. */
_Static_assert(CONTROL_BUFFERS *FRAME_FRAGMENT_BYTES >= SERIAL_TLV_MAX_BYTES, "and one frame");

static QueueHandle_t s_free; /* uint8_t *: buffers for frames to the host */
static uint8_t *s_dummy;
static bus_spi_receiver s_receiver;

/* Each with its receive buffer for good. */
static spi_slave_transaction_t s_transactions[RECEIVE_BUFFERS];

/*
 * What the interrupt works on, which goes on while the flash is written and every task stands
 * still: it arms the next transaction itself, so that the host gets rid of as many frames as there
 * are buffers. Arming several ahead would do that too, but then a reply would wait behind all of
 * them; so it waits behind one.
 */
static portMUX_TYPE s_lock = portMUX_INITIALIZER_UNLOCKED;
static bool s_armed;
static spi_slave_transaction_t *s_idle[RECEIVE_BUFFERS]; /* nobody has them, in no order */
static size_t s_idle_count;
static uint8_t *s_waiting[SEND_BUFFERS]; /* frames for the host: a ring */
static size_t s_first_waiting, s_waiting_count;

static void IRAM_ATTR on_armed(spi_slave_transaction_t *transaction)
{
    (void)transaction;
    gpio_set_level(CONFIG_HOSTED_GPIO_HANDSHAKE, 1);
}

/*
 * The next frame for the host, or the dummy: only then the line falls. While the last frame is
 * armed and not yet fetched it is all that tells the host to come for it. With the lock held.
 */
static uint8_t *IRAM_ATTR next_frame(void)
{
    if (s_waiting_count == 0) {
        gpio_set_level(CONFIG_HOSTED_GPIO_DATA_READY, 0);
        return s_dummy;
    }

    uint8_t *const frame = s_waiting[s_first_waiting];

    s_first_waiting = s_first_waiting + 1 < SEND_BUFFERS ? s_first_waiting + 1 : 0;
    s_waiting_count--;
    return frame;
}

/* The one to arm now, or NULL: one is armed, or there is no buffer. With the lock held. */
static spi_slave_transaction_t *IRAM_ATTR take_idle(void)
{
    if (s_armed || s_idle_count == 0)
        return NULL;

    spi_slave_transaction_t *const transaction = s_idle[--s_idle_count];

    transaction->tx_buffer = next_frame();
    s_armed = true;
    return transaction;
}

/* Refused are only transactions that are wrong in themselves, and then every one is: after the
 * reset, an image on probation is rolled back. */
static void IRAM_ATTR check(esp_err_t err)
{
    if (err != ESP_OK)
        abort(); /* which the interrupt, too, may do while there is no flash */
}

static void IRAM_ATTR on_done(spi_slave_transaction_t *transaction)
{
    (void)transaction;
    gpio_set_level(CONFIG_HOSTED_GPIO_HANDSHAKE, 0);
    portENTER_CRITICAL_ISR(&s_lock);
    s_armed = false;

    const spi_slave_transaction_t *const next = take_idle();

    portEXIT_CRITICAL_ISR(&s_lock);
    if (next != NULL)
        check(spi_slave_queue_trans_isr(SPI2_HOST, next));
}

/* Nobody needs the bytes any more. Arms the transaction, if none is armed. */
static void put_back(spi_slave_transaction_t *transaction)
{
    /* A transaction cut short leaves no old frame. */
    memset(transaction->rx_buffer, 0, FRAME_HEADER_BYTES);
    taskENTER_CRITICAL(&s_lock);
    s_idle[s_idle_count++] = transaction;

    const spi_slave_transaction_t *const next = take_idle();

    taskEXIT_CRITICAL(&s_lock);
    if (next != NULL)
        check(spi_slave_queue_trans(SPI2_HOST, next, portMAX_DELAY));
}

void bus_spi_give_back(const uint8_t *frame)
{
    for (size_t i = 0; i < RECEIVE_BUFFERS; i++) {
        if (s_transactions[i].rx_buffer == frame)
            put_back(&s_transactions[i]);
    }
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
    taskENTER_CRITICAL(&s_lock);
    s_waiting[(s_first_waiting + s_waiting_count++) % SEND_BUFFERS] = buf;
    gpio_set_level(CONFIG_HOSTED_GPIO_DATA_READY, 1);
    taskEXIT_CRITICAL(&s_lock);
}

/* Waits until the host has clocked a transaction. */
static void collect(void)
{
    spi_slave_transaction_t *done;

    check(spi_slave_get_trans_result(SPI2_HOST, &done, portMAX_DELAY));
    if (done->tx_buffer != s_dummy)
        xQueueSend(s_free, &done->tx_buffer, portMAX_DELAY);
    if (!s_receiver(done->rx_buffer, TRANSACTION_BYTES))
        put_back(done);
}

static void run(void *arg)
{
    (void)arg;
    for (;;)
        collect();
}

static esp_err_t make_send_buffers(void)
{
    s_free = xQueueCreate(SEND_BUFFERS, sizeof(uint8_t *));
    s_dummy = heap_caps_calloc(1, TRANSACTION_BYTES, MALLOC_CAP_DMA);
    if (s_free == NULL || s_dummy == NULL)
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

static esp_err_t make_receive_buffers(void)
{
    for (size_t i = 0; i < RECEIVE_BUFFERS; i++) {
        s_transactions[i] = (spi_slave_transaction_t){
            .length = TRANSACTION_BYTES * 8,
            .rx_buffer = heap_caps_malloc(TRANSACTION_BYTES, MALLOC_CAP_DMA),
        };
        if (s_transactions[i].rx_buffer == NULL)
            return ESP_ERR_NO_MEM;
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
        /* One transaction follows the other also while the flash is erased. */
        .intr_flags = ESP_INTR_FLAG_IRAM,
    };
    const spi_slave_interface_config_t slave = {
        .spics_io_num = CONFIG_HOSTED_GPIO_CS,
        /* One is armed; but so many may have ended before the task comes to fetch them. */
        .queue_size = RECEIVE_BUFFERS,
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
    esp_err_t err = make_send_buffers();

    s_receiver = receiver;
    if (err == ESP_OK)
        err = make_receive_buffers();
    if (err == ESP_OK)
        err = set_up_lines();
    if (err == ESP_OK)
        err = set_up_spi();
    if (err == ESP_OK &&
        xTaskCreate(run, "bus_spi", TASK_STACK_BYTES, NULL, TASK_PRIORITY, NULL) != pdPASS)
        err = ESP_ERR_NO_MEM;
    for (size_t i = 0; err == ESP_OK && i < RECEIVE_BUFFERS; i++)
        put_back(&s_transactions[i]);
    return err;
}
