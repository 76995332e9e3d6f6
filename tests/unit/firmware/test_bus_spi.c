/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SPI bus of main/, against a slave driver, two lines and a host that are made here. The host
 * follows upstream's rule: it clocks a transaction while the handshake line is high, and the data
 * ready line is too or it has something to send.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bus_spi.h"
#include "driver/gpio.h"
#include "driver/spi_slave.h"
#include "esp_heap_caps.h"
#include "esp_intr_alloc.h"
#include "frame.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "life.h"

#define TRANSACTION_BYTES 1600
#define MAX_FRAMES        64

/* FreeRTOS, as far as one task gets with it. */

struct QueueDefinition {
    size_t length, item_size, first, count;
    uint8_t *items;
};

QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_size)
{
    QueueHandle_t queue = calloc(1, sizeof(*queue));

    queue->length = length;
    queue->item_size = item_size;
    queue->items = calloc(length, item_size);
    return queue;
}

BaseType_t xQueueSend(QueueHandle_t queue, const void *item, TickType_t ticks_to_wait)
{
    if (queue->count == queue->length) {
        assert_int_not_equal(ticks_to_wait, portMAX_DELAY); /* nobody would ever make room */
        return pdFAIL;
    }
    memcpy(queue->items + (queue->first + queue->count) % queue->length * queue->item_size, item,
           queue->item_size);
    queue->count++;
    return pdPASS;
}

BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t ticks_to_wait)
{
    if (queue->count == 0) {
        assert_int_not_equal(ticks_to_wait, portMAX_DELAY);
        return pdFAIL;
    }
    memcpy(item, queue->items + queue->first * queue->item_size, queue->item_size);
    queue->first = (queue->first + 1) % queue->length;
    queue->count--;
    return pdPASS;
}

UBaseType_t uxQueueMessagesWaiting(const QueueHandle_t queue)
{
    return (UBaseType_t)queue->count;
}

void taskENTER_CRITICAL(portMUX_TYPE *mux)
{
    (void)mux;
}

void taskEXIT_CRITICAL(portMUX_TYPE *mux)
{
    (void)mux;
}

static TaskFunction_t s_task;

BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack_bytes,
                       void *parameters, UBaseType_t priority, TaskHandle_t *created)
{
    (void)name;
    (void)stack_bytes;
    (void)parameters;
    (void)priority;
    (void)created;
    s_task = code;
    return pdPASS;
}

void *heap_caps_malloc(size_t size, uint32_t caps)
{
    assert_int_equal(caps, MALLOC_CAP_DMA);

    void *const at = malloc(size);

    memset(at, 0xa5, size);
    return at;
}

void *heap_caps_calloc(size_t n, size_t size, uint32_t caps)
{
    assert_int_equal(caps, MALLOC_CAP_DMA);
    return calloc(n, size);
}

/* The pins, and the slave driver: one transaction is armed at a time. */

static bool s_handshake, s_data_ready;

esp_err_t gpio_config(const gpio_config_t *config)
{
    assert_int_equal(config->pin_bit_mask,
                     1 << CONFIG_HOSTED_GPIO_HANDSHAKE | 1 << CONFIG_HOSTED_GPIO_DATA_READY);
    assert_int_equal(config->mode, GPIO_MODE_OUTPUT);
    return ESP_OK;
}

esp_err_t gpio_set_level(gpio_num_t gpio_num, uint32_t level)
{
    if (gpio_num == CONFIG_HOSTED_GPIO_HANDSHAKE)
        s_handshake = level != 0;
    else if (gpio_num == CONFIG_HOSTED_GPIO_DATA_READY)
        s_data_ready = level != 0;
    else
        fail_msg("pin %d", gpio_num);
    return ESP_OK;
}

esp_err_t gpio_set_pull_mode(gpio_num_t gpio_num, gpio_pull_mode_t pull)
{
    assert_int_not_equal(gpio_num, CONFIG_HOSTED_GPIO_MISO); /* the ESP32's flash voltage */
    assert_int_equal(pull, GPIO_PULLUP_ONLY);
    return ESP_OK;
}

static spi_slave_interface_config_t s_slave;
static spi_slave_transaction_t *s_armed;

esp_err_t spi_slave_initialize(spi_host_device_t host, const spi_bus_config_t *bus_config,
                               const spi_slave_interface_config_t *slave_config,
                               spi_dma_chan_t dma_chan)
{
    assert_int_equal(host, SPI2_HOST);
    assert_int_equal(dma_chan, SPI_DMA_CH_AUTO);
    assert_int_equal(bus_config->intr_flags, ESP_INTR_FLAG_IRAM);
    assert_int_equal(bus_config->max_transfer_sz, TRANSACTION_BYTES);
    assert_int_equal(slave_config->mode, CONFIG_HOSTED_SPI_MODE);
    s_slave = *slave_config;
    return ESP_OK;
}

esp_err_t spi_slave_queue_trans(spi_host_device_t host, const spi_slave_transaction_t *trans_desc,
                                uint32_t ticks_to_wait)
{
    (void)host;
    (void)ticks_to_wait;
    assert_null(s_armed);
    assert_int_equal(trans_desc->length, TRANSACTION_BYTES * 8);
    s_armed = (spi_slave_transaction_t *)trans_desc;
    s_slave.post_setup_cb(s_armed);
    return ESP_OK;
}

/* The host. */

static jmp_buf s_nothing_left;
static uint8_t s_to_send[MAX_FRAMES][TRANSACTION_BYTES];
static size_t s_to_send_count, s_sent;
static uint8_t s_got[MAX_FRAMES][TRANSACTION_BYTES]; /* dummies are not among them */
static size_t s_got_count, s_dummies;
static size_t s_clocked_bytes = TRANSACTION_BYTES; /* less: the host stops in the middle */

/* What other tasks of the chip do when the host has nothing to do; NULL: nothing. */
static void (*s_meanwhile)(void);

static bool is_dummy(const uint8_t *frame)
{
    return frame[0] == 0xff && frame[2] == 0 && frame[3] == 0;
}

static void clock_transaction(void)
{
    if (s_got_count >= MAX_FRAMES) {
        fail_msg("the firmware does not stop sending");
        return;
    }
    memcpy(s_got[s_got_count], s_armed->tx_buffer, TRANSACTION_BYTES);
    if (is_dummy(s_got[s_got_count]))
        s_dummies++;
    else
        s_got_count++;
    if (s_sent < s_to_send_count)
        memcpy(s_armed->rx_buffer, s_to_send[s_sent++], s_clocked_bytes);
    else
        memset(s_armed->rx_buffer, 0, s_clocked_bytes);
}

esp_err_t spi_slave_get_trans_result(spi_host_device_t host, spi_slave_transaction_t **trans_desc,
                                     uint32_t ticks_to_wait)
{
    (void)host;
    assert_int_equal(ticks_to_wait, portMAX_DELAY);
    assert_true(s_handshake);
    while (!s_data_ready && s_sent == s_to_send_count) {
        void (*const meanwhile)(void) = s_meanwhile;

        s_meanwhile = NULL;
        if (meanwhile == NULL)
            longjmp(s_nothing_left, 1);
        meanwhile();
    }
    clock_transaction();
    *trans_desc = s_armed;
    s_armed = NULL;
    s_slave.post_trans_cb(*trans_desc);
    return ESP_OK;
}

/* Runs the bus until the host has nothing to do and nobody else has. */
static void run(void)
{
    if (setjmp(s_nothing_left) == 0)
        s_task(NULL);
    s_armed = NULL; /* that one lay on the stack that is gone */
}

static size_t make_frame(uint8_t *buf, enum frame_interface interface, uint8_t content, size_t len)
{
    uint8_t payload[TRANSACTION_BYTES];
    const struct frame frame = {
        .interface_type = (uint8_t)interface, .length = (uint16_t)len, .payload = payload};

    memset(payload, content, len);

    const int whole = frame_build(&frame, buf, TRANSACTION_BYTES);

    assert_true(whole > 0);
    return (size_t)whole;
}

static void send(enum frame_interface interface, uint8_t content, size_t len)
{
    uint8_t buf[TRANSACTION_BYTES];

    bus_spi_send(buf, make_frame(buf, interface, content, len));
}

/* The next frame that the host got, with zeros behind it. */
static void check_got(size_t at, enum frame_interface interface, uint8_t content, size_t len)
{
    uint8_t expected[TRANSACTION_BYTES] = {0};

    assert_true(at < s_got_count);
    make_frame(expected, interface, content, len);
    assert_memory_equal(s_got[at], expected, TRANSACTION_BYTES);
}

static size_t s_received;

/* Firmware that answers each serial frame with two. */
static void answer(const uint8_t *bytes, size_t len)
{
    struct frame frame;

    assert_int_equal(len, TRANSACTION_BYTES);
    assert_false(s_handshake); /* the host has to wait for us */
    if (frame_parse(bytes, len, &frame) < 0)
        return;
    s_received++;
    if (frame.interface_type != FRAME_SERIAL)
        return;
    send(FRAME_SERIAL, (uint8_t)(frame.payload[0] + 1), 1500);
    send(FRAME_SERIAL, (uint8_t)(frame.payload[0] + 2), 7);
}

static int setup(void **state)
{
    (void)state;
    assert_int_equal(bus_spi_start(answer), ESP_OK);
    assert_false(s_handshake);
    assert_false(s_data_ready);
    return 0;
}

static void host_sends(enum frame_interface interface, uint8_t content, size_t len)
{
    make_frame(s_to_send[s_to_send_count++], interface, content, len);
}

static void an_idle_bus_is_armed_and_quiet(void **state)
{
    (void)state;
    run();
    assert_true(s_handshake);
    assert_false(s_data_ready);
    assert_int_equal(s_got_count + s_dummies, 0);
}

/* Without anybody to remind it, the host fetches the answer: the line is high until then. */
static void an_answer_is_fetched(void **state)
{
    (void)state;
    host_sends(FRAME_SERIAL, 10, 100);
    run();
    assert_int_equal(s_received, 1);
    assert_int_equal(s_got_count, 2);
    check_got(0, FRAME_SERIAL, 11, 1500);
    check_got(1, FRAME_SERIAL, 12, 7);
    assert_int_equal(s_dummies, 1); /* what was armed before there was an answer */
    assert_false(s_data_ready);
}

static void send_later(void)
{
    send(FRAME_SERIAL, 42, 20);
}

/* A dummy is armed already: the line has the host fetch that first. */
static void what_comes_while_a_dummy_is_armed(void **state)
{
    (void)state;
    s_meanwhile = send_later;
    run();
    assert_int_equal(s_dummies, 1);
    assert_int_equal(s_got_count, 1);
    check_got(0, FRAME_SERIAL, 42, 20);
    assert_false(s_data_ready);
}

static void requests_and_answers_in_order(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 20; i++)
        host_sends(i % 3 == 0 ? FRAME_SERIAL : FRAME_STATION, (uint8_t)(10 * i), 64);
    run();
    assert_int_equal(s_received, 20);
    assert_int_equal(s_got_count, 14);
    for (uint8_t i = 0; i < 7; i++) {
        check_got((size_t)(2 * i), FRAME_SERIAL, (uint8_t)(30 * i + 1), 1500);
        check_got((size_t)(2 * i + 1), FRAME_SERIAL, (uint8_t)(30 * i + 2), 7);
    }
}

/* A radio that is faster than the host leaves room for the control path. */
static void flood(void)
{
    for (uint8_t i = 0; i < 100; i++)
        send(FRAME_STATION, i, 1514);
    send(FRAME_SERIAL, 200, 1500);
    send(FRAME_SERIAL, 201, 1500);
    send(FRAME_SERIAL, 202, 1500);
    send(FRAME_PRIVATE, 203, 11);
    send(FRAME_SERIAL, 204, 11); /* one too many: lost, after a while */
}

static void station_traffic_leaves_room(void **state)
{
    (void)state;
    s_meanwhile = flood;
    run();
    assert_int_equal(s_got_count, 10);
    for (uint8_t i = 0; i < 6; i++)
        check_got(i, FRAME_STATION, i, 1514);
    check_got(6, FRAME_SERIAL, 200, 1500);
    check_got(8, FRAME_SERIAL, 202, 1500);
    check_got(9, FRAME_PRIVATE, 203, 11);

    s_meanwhile = flood; /* and everything is there again */
    run();
    assert_int_equal(s_got_count, 20);
}

/* A host that stops in the middle: what the last one left behind is no frame. */
static void a_transaction_cut_short_is_no_frame(void **state)
{
    (void)state;
    host_sends(FRAME_STATION, 1, 1514);
    run();
    assert_int_equal(s_received, 1);
    s_clocked_bytes = 0;
    host_sends(FRAME_STATION, 2, 1514);
    run();
    assert_int_equal(s_received, 1);
    s_clocked_bytes = 900;
    host_sends(FRAME_STATION, 3, 1514);
    run();
    assert_int_equal(s_received, 1);
    s_clocked_bytes = TRANSACTION_BYTES;
    host_sends(FRAME_STATION, 4, 1514);
    run();
    assert_int_equal(s_received, 2);
}

static void too_long_a_frame_is_not_sent(void **state)
{
    static const uint8_t frame[TRANSACTION_BYTES + 1];

    (void)state;
    bus_spi_send(frame, sizeof(frame));
    assert_false(s_data_ready);
    run();
    assert_int_equal(s_got_count + s_dummies, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_idle_bus_is_armed_and_quiet, setup),
        cmocka_unit_test_setup(an_answer_is_fetched, setup),
        cmocka_unit_test_setup(what_comes_while_a_dummy_is_armed, setup),
        cmocka_unit_test_setup(requests_and_answers_in_order, setup),
        cmocka_unit_test_setup(station_traffic_leaves_room, setup),
        cmocka_unit_test_setup(a_transaction_cut_short_is_no_frame, setup),
        cmocka_unit_test_setup(too_long_a_frame_is_not_sent, setup),
    };

    return LIVES_RUN(tests);
}
