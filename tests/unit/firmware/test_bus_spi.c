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
#include "esp_private/spi_slave_internal.h"
#include "frame.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "life.h"
#include "noise.h"

#define TRANSACTION_BYTES 1600
#define RECEIVE_BUFFERS   CONFIG_HOSTED_RECEIVE_BUFFERS
#define MAX_FRAMES        64
#define BUFFERS_ROUND     (3 * RECEIVE_BUFFERS)

/* FreeRTOS, as far as one task gets with it, and what may be called where. */

static bool s_in_interrupt, s_locked;

static void check_is_task(void)
{
    assert_false(s_in_interrupt);
    assert_false(s_locked);
}

struct QueueDefinition {
    size_t length, item_size, first, count;
    uint8_t *items;
};

static QueueHandle_t s_queue; /* of the bus: its buffers for frames to the host */

QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_size)
{
    QueueHandle_t queue = calloc(1, sizeof(*queue));

    assert_null(s_queue);
    s_queue = queue;
    queue->length = length;
    queue->item_size = item_size;
    queue->items = calloc(length, item_size);
    return queue;
}

BaseType_t xQueueSend(QueueHandle_t queue, const void *item, TickType_t ticks_to_wait)
{
    check_is_task();
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
    check_is_task();
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

static void lock(bool in_interrupt)
{
    assert_int_equal(s_in_interrupt, in_interrupt);
    assert_false(s_locked);
    s_locked = true;
}

static void unlock(bool in_interrupt)
{
    assert_int_equal(s_in_interrupt, in_interrupt);
    assert_true(s_locked);
    s_locked = false;
}

void taskENTER_CRITICAL(portMUX_TYPE *mux)
{
    (void)mux;
    lock(false);
}

void taskEXIT_CRITICAL(portMUX_TYPE *mux)
{
    (void)mux;
    unlock(false);
}

void portENTER_CRITICAL_ISR(portMUX_TYPE *mux)
{
    (void)mux;
    lock(true);
}

void portEXIT_CRITICAL_ISR(portMUX_TYPE *mux)
{
    (void)mux;
    unlock(true);
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

/* The pins. */

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

/*
 * The slave driver: a transaction that is queued is loaded into the hardware by the interrupt,
 * which comes when one has ended, and when one is queued by a task while the hardware has none.
 * What has ended waits in a queue of the same length; what finds no room there is lost without a
 * word.
 */

static spi_slave_interface_config_t s_slave;

struct transactions {
    spi_slave_transaction_t *of[RECEIVE_BUFFERS];
    size_t count;
};

static struct transactions s_queued, s_ended;
static spi_slave_transaction_t *s_loaded;

static void push(struct transactions *to, const spi_slave_transaction_t *transaction)
{
    assert_true(to->count < (size_t)s_slave.queue_size);
    to->of[to->count++] = (spi_slave_transaction_t *)transaction;
}

static spi_slave_transaction_t *pop(struct transactions *from)
{
    spi_slave_transaction_t *const first = from->of[0];

    memmove(from->of, from->of + 1, --from->count * sizeof(from->of[0]));
    return first;
}

esp_err_t spi_slave_initialize(spi_host_device_t host, const spi_bus_config_t *bus_config,
                               const spi_slave_interface_config_t *slave_config,
                               spi_dma_chan_t dma_chan)
{
    assert_int_equal(host, SPI2_HOST);
    assert_int_equal(dma_chan, SPI_DMA_CH_AUTO);
    assert_int_equal(bus_config->intr_flags, ESP_INTR_FLAG_IRAM);
    assert_int_equal(bus_config->max_transfer_sz, TRANSACTION_BYTES);
    assert_int_equal(slave_config->mode, CONFIG_HOSTED_SPI_MODE);
    assert_in_range(slave_config->queue_size, 1, RECEIVE_BUFFERS);
    s_slave = *slave_config;
    return ESP_OK;
}

/* What was loaded has ended, if anything was. */
static void interrupt(void)
{
    assert_false(s_in_interrupt);
    s_in_interrupt = true;
    if (s_loaded != NULL) {
        s_slave.post_trans_cb(s_loaded);
        push(&s_ended, s_loaded);
        s_loaded = NULL;
    }
    if (s_queued.count > 0) {
        s_loaded = pop(&s_queued);
        s_slave.post_setup_cb(s_loaded);
    }
    s_in_interrupt = false;
}

static void check_transaction(const spi_slave_transaction_t *transaction)
{
    assert_int_equal(transaction->length, TRANSACTION_BYTES * 8);
    assert_non_null(transaction->tx_buffer);
    assert_non_null(transaction->rx_buffer);
    assert_ptr_not_equal(transaction, s_loaded);
}

esp_err_t spi_slave_queue_trans(spi_host_device_t host, const spi_slave_transaction_t *trans_desc,
                                uint32_t ticks_to_wait)
{
    (void)host;
    (void)ticks_to_wait;
    check_is_task();
    check_transaction(trans_desc);
    push(&s_queued, trans_desc);
    if (s_loaded == NULL)
        interrupt();
    return ESP_OK;
}

esp_err_t spi_slave_queue_trans_isr(spi_host_device_t host,
                                    const spi_slave_transaction_t *trans_desc)
{
    (void)host;
    assert_true(s_in_interrupt);
    assert_false(s_locked);
    check_transaction(trans_desc);
    push(&s_queued, trans_desc);
    return ESP_OK;
}

/* The host. */

static jmp_buf s_nothing_left;
static uint8_t s_to_send[MAX_FRAMES][TRANSACTION_BYTES];
static size_t s_to_send_count, s_sent;
static uint8_t s_got[MAX_FRAMES][TRANSACTION_BYTES]; /* dummies are not among them */
static size_t s_got_count, s_dummies;
static size_t s_clocked_bytes = TRANSACTION_BYTES; /* less: the host stops in the middle */

static bool s_host_rests;

/* What other tasks of the chip do when the host has nothing to do; NULL: nothing. */
static void (*s_meanwhile)(void);

static bool is_dummy(const uint8_t *frame)
{
    return frame[0] == 0xff && frame[2] == 0 && frame[3] == 0;
}

/* Lines between transactions; the host may be waiting for one of them to rise. */
static bool host_may_clock(void)
{
    return !s_host_rests && s_handshake && (s_data_ready || s_sent < s_to_send_count);
}

static void clock_transaction(void)
{
    if (s_loaded == NULL || s_got_count >= MAX_FRAMES) {
        fail_msg("nothing is armed, or the firmware does not stop sending");
        return;
    }
    memcpy(s_got[s_got_count], s_loaded->tx_buffer, TRANSACTION_BYTES);
    if (is_dummy(s_got[s_got_count]))
        s_dummies++;
    else
        s_got_count++;
    if (s_sent < s_to_send_count)
        memcpy(s_loaded->rx_buffer, s_to_send[s_sent++], s_clocked_bytes);
    else
        memset(s_loaded->rx_buffer, 0, s_clocked_bytes);
    interrupt();
}

/* The flash is busy: no task runs. The host and the interrupt go on as far as they get. */
static void while_the_flash_is_busy(void)
{
    while (host_may_clock())
        clock_transaction();
}

esp_err_t spi_slave_get_trans_result(spi_host_device_t host, spi_slave_transaction_t **trans_desc,
                                     uint32_t ticks_to_wait)
{
    (void)host;
    assert_int_equal(ticks_to_wait, portMAX_DELAY);
    check_is_task();
    while (s_ended.count == 0) {
        void (*const meanwhile)(void) = s_meanwhile;

        if (host_may_clock()) {
            clock_transaction();
            continue;
        }
        s_meanwhile = NULL;
        if (meanwhile == NULL)
            longjmp(s_nothing_left, 1);
        meanwhile();
    }
    *trans_desc = pop(&s_ended);
    return ESP_OK;
}

/* Runs the bus until the host has nothing to do and nobody else has. */
static void run(void)
{
    if (setjmp(s_nothing_left) == 0)
        s_task(NULL);
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

/* Firmware that answers each serial frame with two, at once. */
static bool answer(const uint8_t *bytes, size_t len)
{
    struct frame frame;

    assert_int_equal(len, TRANSACTION_BYTES);
    if (frame_parse(bytes, len, &frame) < 0)
        return false;
    s_received++;
    if (frame.interface_type != FRAME_SERIAL)
        return false;
    send(FRAME_SERIAL, (uint8_t)(frame.payload[0] + 1), 1500);
    send(FRAME_SERIAL, (uint8_t)(frame.payload[0] + 2), 7);
    return false;
}

/* Firmware that keeps its frames for another task. */
static const uint8_t *s_kept[MAX_FRAMES];
static size_t s_kept_count;

static bool keep(const uint8_t *bytes, size_t len)
{
    struct frame frame;

    if (frame_parse(bytes, len, &frame) < 0)
        return false;
    if (s_kept_count >= MAX_FRAMES) {
        fail_msg("more frames than there are");
        return false;
    }
    s_kept[s_kept_count++] = bytes;
    return true;
}

static int setup_with(bus_spi_receiver receiver)
{
    assert_int_equal(bus_spi_start(receiver), ESP_OK);
    assert_true(s_handshake);
    assert_false(s_data_ready);
    return 0;
}

static int setup_keeping(void **state)
{
    (void)state;
    return setup_with(keep);
}

static int setup(void **state)
{
    (void)state;
    return setup_with(answer);
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
    assert_int_equal(s_dummies, 2); /* with the request, and armed before there was an answer */
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
    /* So many that each buffer has had a frame, and so many that each may have it again. */
    for (size_t i = 0; i < BUFFERS_ROUND; i++)
        host_sends(FRAME_STATION, 1, 1514);
    run();
    assert_int_equal(s_received, BUFFERS_ROUND);
    s_clocked_bytes = 0;
    for (size_t i = 0; i < BUFFERS_ROUND; i++)
        host_sends(FRAME_STATION, 2, 1514);
    run();
    assert_int_equal(s_received, BUFFERS_ROUND);
    s_clocked_bytes = 900;
    host_sends(FRAME_STATION, 3, 1514);
    run();
    assert_int_equal(s_received, BUFFERS_ROUND);
    s_clocked_bytes = TRANSACTION_BYTES;
    host_sends(FRAME_STATION, 4, 1514);
    run();
    assert_int_equal(s_received, BUFFERS_ROUND + 1);
}

/* The content of the kept frame. */
static void check_kept(size_t at, uint8_t content)
{
    uint8_t expected[TRANSACTION_BYTES];
    const size_t len = make_frame(expected, FRAME_SERIAL, content, 1500);

    assert_true(at < s_kept_count);
    assert_memory_equal(s_kept[at], expected, len);
}

static void host_sends_many(uint8_t count)
{
    for (uint8_t i = 0; i < count; i++)
        host_sends(FRAME_SERIAL, i, 1500);
}

/* Then the host waits, and not a byte of what is kept is touched. */
static void as_many_frames_as_there_are_buffers(void **state)
{
    (void)state;
    host_sends_many(RECEIVE_BUFFERS + 5);
    run();
    assert_int_equal(s_kept_count, RECEIVE_BUFFERS);
    assert_int_equal(s_sent, RECEIVE_BUFFERS);
    assert_false(s_handshake);
    for (uint8_t i = 0; i < RECEIVE_BUFFERS; i++)
        check_kept(i, i);
}

/* In any order, and each lets one more come in. */
static void what_is_given_back_is_used_again(void **state)
{
    const size_t first[] = {2, 0, RECEIVE_BUFFERS - 1};
    const size_t firsts = sizeof(first) / sizeof(first[0]);

    (void)state;
    host_sends_many(RECEIVE_BUFFERS + 5);
    run();
    for (size_t i = 0; i < firsts; i++) {
        bus_spi_give_back(s_kept[first[i]]);
        assert_true(s_handshake);
        run();
        assert_int_equal(s_kept_count, RECEIVE_BUFFERS + i + 1);
        check_kept(RECEIVE_BUFFERS + i, (uint8_t)(RECEIVE_BUFFERS + i));
        assert_ptr_equal(s_kept[RECEIVE_BUFFERS + i], s_kept[first[i]]);
        check_kept(1, 1);
    }
}

/* The firmware programs what it got in the first frame, and the next writes come in meanwhile. */
static void the_host_gets_rid_of_writes_while_the_flash_is_busy(void **state)
{
    (void)state;
    host_sends_many(1);
    run();
    s_to_send_count = s_sent = 0;
    host_sends_many(RECEIVE_BUFFERS + 5);
    while_the_flash_is_busy();
    assert_int_equal(s_sent, RECEIVE_BUFFERS - 1);
    assert_false(s_handshake);
    assert_int_equal(s_kept_count, 1);

    run(); /* the flash is done: the task finds them all */
    assert_int_equal(s_kept_count, RECEIVE_BUFFERS);
    for (uint8_t i = 1; i < RECEIVE_BUFFERS; i++)
        check_kept(i, (uint8_t)(i - 1));
}

/* And what waits for it goes out. */
static void the_host_fetches_while_the_flash_is_busy(void **state)
{
    (void)state;
    send(FRAME_SERIAL, 60, 1500);
    send(FRAME_SERIAL, 61, 1500);
    send(FRAME_SERIAL, 62, 9);
    while_the_flash_is_busy();
    assert_int_equal(s_dummies, 1);
    assert_int_equal(s_got_count, 3);
    for (uint8_t i = 0; i < 2; i++)
        check_got(i, FRAME_SERIAL, (uint8_t)(60 + i), 1500);
    check_got(2, FRAME_SERIAL, 62, 9);
    assert_false(s_data_ready);
    assert_true(s_handshake);

    run();
    flood(); /* and every buffer is there again */
    run();
    assert_int_equal(s_got_count, 13);
}

/* All buffers are taken, so that nothing is armed: the reply does not wait behind anything. */
static void a_reply_goes_with_the_first_buffer_that_is_free(void **state)
{
    (void)state;
    host_sends_many(RECEIVE_BUFFERS);
    run();
    send(FRAME_SERIAL, 99, 30);
    assert_false(s_handshake);
    s_dummies = 0;
    bus_spi_give_back(s_kept[0]);
    run();
    assert_int_equal(s_dummies, 0);
    assert_int_equal(s_got_count, 1);
    check_got(0, FRAME_SERIAL, 99, 30);
}

/*
 * Any order of what the host, the tasks and the flash may do: frames arrive once and in their
 * order, on both sides, the lines say what is, and no buffer is lost.
 */

#define SEND_BUFFERS    10
#define CONTROL_BUFFERS 4 /* not for station traffic */
#define STEPS           20000

static struct {
    uint32_t noise;
    size_t from_host, kept; /* frames: clocked in, and handed to the receiver */
    size_t to_host, fetched;
    struct {
        enum frame_interface interface;
        size_t len;
    } waiting[SEND_BUFFERS]; /* a ring, by `to_host` */
} s_walk;

static void check_lines(void)
{
    assert_int_equal(s_handshake, s_loaded != NULL);
    if (s_loaded == NULL) /* nobody has a buffer that could be armed */
        assert_int_equal(s_kept_count + s_ended.count, RECEIVE_BUFFERS);
    if (s_walk.fetched < s_walk.to_host)
        assert_true(s_data_ready);
    else if (s_loaded != NULL)
        assert_false(s_data_ready);
}

/* One transaction, with or without a frame of the host's; it need not have had to be. */
static void walk_clock(void)
{
    s_to_send_count = s_sent = s_got_count = 0;
    if (!s_handshake)
        return;
    if (noise_below(&s_walk.noise, 3) > 0)
        host_sends(FRAME_SERIAL, (uint8_t)s_walk.from_host++, 700);
    clock_transaction();
    if (s_got_count > 0) {
        const size_t at = s_walk.fetched % SEND_BUFFERS;

        assert_true(s_walk.fetched < s_walk.to_host);
        check_got(0, s_walk.waiting[at].interface, (uint8_t)s_walk.fetched, s_walk.waiting[at].len);
        s_walk.fetched++;
    }
    s_to_send_count = s_sent = 0;
}

static void walk_task(void)
{
    size_t i = s_kept_count;

    run();
    for (; i < s_kept_count; i++) {
        uint8_t expected[TRANSACTION_BYTES];
        const size_t len = make_frame(expected, FRAME_SERIAL, (uint8_t)s_walk.kept++, 700);

        assert_memory_equal(s_kept[i], expected, len);
    }
}

static void walk_give_back(void)
{
    if (s_kept_count == 0)
        return;

    const size_t i = noise_below(&s_walk.noise, (uint32_t)s_kept_count);
    const uint8_t *const frame = s_kept[i];

    s_kept[i] = s_kept[--s_kept_count];
    bus_spi_give_back(frame);
}

static void walk_send(void)
{
    const bool station = noise_below(&s_walk.noise, 2) > 0;
    const enum frame_interface interface = station ? FRAME_STATION : FRAME_SERIAL;
    const size_t len = 1 + noise_below(&s_walk.noise, 1500), at = s_walk.to_host % SEND_BUFFERS;
    const bool has_room = s_queue->count > (station ? CONTROL_BUFFERS : 0);

    send(interface, (uint8_t)s_walk.to_host, len);
    if (!has_room)
        return;
    s_walk.waiting[at].interface = interface;
    s_walk.waiting[at].len = len;
    s_walk.to_host++;
}

static void walk_to_the_end(void)
{
    while (s_walk.kept < s_walk.from_host || s_walk.fetched < s_walk.to_host || s_kept_count > 0) {
        walk_task();
        walk_give_back();
        walk_clock();
        check_lines();
    }
    walk_task();
}

static void whatever_happens_no_frame_is_lost(void **state)
{
    static void (*const steps[])(void) = {walk_clock, walk_task, walk_give_back, walk_send};

    (void)state;
    s_host_rests = true; /* but for walk_clock() */
    s_walk.noise = 1;
    for (unsigned i = 0; i < STEPS; i++) {
        /* For a while one of them seldom has its turn: the flash is busy, the host is slow... */
        const uint32_t slow = i / 200 % 5;
        const uint32_t step = noise_below(&s_walk.noise, 4);

        if (step == slow && noise_below(&s_walk.noise, 8) > 0)
            continue;
        steps[step]();
        check_lines();
    }
    assert_true(s_walk.from_host > STEPS / 20 && s_walk.to_host > STEPS / 20);
    walk_to_the_end();
    assert_int_equal(s_queue->count, SEND_BUFFERS);
    assert_true(s_handshake);
}

static void what_is_nobodys_is_not_given_back(void **state)
{
    static const uint8_t other[TRANSACTION_BYTES];

    (void)state;
    host_sends_many(RECEIVE_BUFFERS);
    run();
    bus_spi_give_back(other);
    assert_false(s_handshake);
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
        cmocka_unit_test_setup(as_many_frames_as_there_are_buffers, setup_keeping),
        cmocka_unit_test_setup(what_is_given_back_is_used_again, setup_keeping),
        cmocka_unit_test_setup(the_host_gets_rid_of_writes_while_the_flash_is_busy, setup_keeping),
        cmocka_unit_test_setup(the_host_fetches_while_the_flash_is_busy, setup_keeping),
        cmocka_unit_test_setup(a_reply_goes_with_the_first_buffer_that_is_free, setup_keeping),
        cmocka_unit_test_setup(whatever_happens_no_frame_is_lost, setup_keeping),
        cmocka_unit_test_setup(what_is_nobodys_is_not_given_back, setup_keeping),
        cmocka_unit_test_setup(too_long_a_frame_is_not_sent, setup),
    };

    return LIVES_RUN(tests);
}
