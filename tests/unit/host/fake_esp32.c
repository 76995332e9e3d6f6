/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_esp32.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The library's clock, in the place of its own: waits take no time, but the clock shows that they
 * did. */
static int64_t s_waited_ms;

int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + s_waited_ms;
}

int clock_wait(const struct hosted_cancel *cancel, int64_t deadline_ms)
{
    const int64_t wait_ms = deadline_ms - clock_ms();

    if (cancel != NULL && hosted_cancel_requested(cancel))
        return -ECANCELED;
    if (wait_ms > 0)
        s_waited_ms += wait_ms;
    return -ETIMEDOUT;
}

struct fake_rule {
    struct fake_rule *next;
    enum fake_number number;
    unsigned nth;
    int error;
    size_t len;
    uint8_t bytes[];
};

struct fake_segment {
    struct fake_segment *next;
    int error;
    size_t at, len;
    uint8_t bytes[];
};

static void enqueue(struct fake_esp32 *fake, const void *bytes, size_t len, int error)
{
    struct fake_segment *segment = calloc(1, sizeof(*segment) + len);
    struct fake_segment **end = &fake->queue;

    segment->len = len;
    segment->error = error;
    if (len > 0)
        memcpy(segment->bytes, bytes, len);
    while (*end != NULL)
        end = &(*end)->next;
    *end = segment;
}

static void dequeue(struct fake_esp32 *fake)
{
    struct fake_segment *first = fake->queue;

    fake->queue = first->next;
    free(first);
}

static void put_varint(uint8_t **at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *(*at)++ = (uint8_t)(value | 0x80);
    *(*at)++ = (uint8_t)value;
}

size_t fake_reply(uint8_t buf[FAKE_MESSAGE_MAX], enum fake_number request, const void *payload,
                  size_t payload_len)
{
    static const uint8_t head[] = {1, 7, 0, 'c', 'o', 'n', 't', 'r', 'o', 'l', 2, 0, 0};
    uint8_t *at = buf + sizeof(head);

    memcpy(buf, head, sizeof(head));
    *at++ = 0x08;
    put_varint(&at, (uint64_t)request + 1);
    if (payload != NULL) {
        put_varint(&at, (uint64_t)(request + 11) << 3 | 2);
        put_varint(&at, payload_len);
        memcpy(at, payload, payload_len);
        at += payload_len;
    }
    buf[11] = (uint8_t)(at - buf - 13);
    buf[12] = (uint8_t)((at - buf - 13) >> 8);
    return (size_t)(at - buf);
}

static unsigned result_field(enum fake_number request)
{
    switch (request) {
    case FAKE_GET_MAC:
    case FAKE_GET_MODE:
        return 2;
    case FAKE_GET_AP:
        return 6;
    case FAKE_SCAN:
        return 3;
    default:
        return 1;
    }
}

size_t fake_reply_code(uint8_t buf[FAKE_MESSAGE_MAX], enum fake_number request, int code)
{
    uint8_t payload[64];
    uint8_t *at = payload;

    if (request == FAKE_GET_MAC && code == 0) {
        *at++ = 0x0a;
        *at++ = 17;
        memcpy(at, "24:0a:c4:11:22:33", 17);
        at += 17;
    }
    put_varint(&at, result_field(request) << 3);
    put_varint(&at, (uint64_t)(int64_t)code);
    return fake_reply(buf, request, payload, (size_t)(at - payload));
}

static void put_text(uint8_t **at, unsigned field, const char *text)
{
    put_varint(at, field << 3 | 2);
    put_varint(at, strlen(text));
    memcpy(*at, text, strlen(text));
    *at += strlen(text);
}

size_t fake_reply_identity(uint8_t buf[FAKE_MESSAGE_MAX], uint8_t chip_id, uint32_t slot_bytes)
{
    uint8_t identity[128], payload[160];
    uint8_t *at = identity;

    put_varint(&at, 1 << 3);
    put_varint(&at, chip_id);
    put_varint(&at, 2 << 3);
    put_varint(&at, slot_bytes);
    put_text(&at, 3, "ota_0");
    put_text(&at, 4, "network_adapter");
    put_text(&at, 5, "2.3.1");
    put_varint(&at, 6 << 3);
    put_varint(&at, 1);

    const size_t identity_len = (size_t)(at - identity);

    at = payload;
    put_varint(&at, 1 << 3);
    put_varint(&at, 1);
    put_varint(&at, 2 << 3);
    put_varint(&at, 0);
    put_varint(&at, 100 << 3 | 2);
    put_varint(&at, identity_len);
    memcpy(at, identity, identity_len);
    at += identity_len;
    return fake_reply(buf, FAKE_GET_MODE, payload, (size_t)(at - payload));
}

unsigned fake_count(const struct fake_esp32 *fake, enum fake_number number)
{
    unsigned count = 0;

    for (unsigned i = 0; i < fake->requests; i++)
        count += fake->numbers[i] == number;
    return count;
}

/* Behind the endpoint: 08 NN, and for a write c2 02 LEN 0a LEN data. */
static void keep_image(struct fake_esp32 *fake)
{
    const uint8_t *at = fake->last + 13 + 2 + 2;
    const uint8_t *end = fake->last + fake->last_len;

    while (*at++ & 0x80) /* length of the submessage */
        ;
    at++; /* its tag */
    while (*at++ & 0x80)
        ;
    memcpy(fake->image + fake->image_len, at, (size_t)(end - at));
    fake->image_len += (size_t)(end - at);
}

size_t fake_event(uint8_t buf[FAKE_MESSAGE_MAX], unsigned number)
{
    static const uint8_t head[] = {1, 8, 0, 'c', 't', 'r', 'l', 'E', 'v', 'n', 't', 2, 0, 0};
    uint8_t *at = buf + sizeof(head);

    memcpy(buf, head, sizeof(head));
    put_varint(&at, 1 << 3);
    put_varint(&at, 3);
    put_varint(&at, 2 << 3);
    put_varint(&at, number);
    put_varint(&at, number << 3 | 2);
    put_varint(&at, 0);
    buf[12] = (uint8_t)(at - buf - 14);
    return (size_t)(at - buf);
}

/* Ctrl: 10 ID 18 NUMBER ... */
#define CTRL_BODY       14
#define CTRL_VERSION_ID 123

/* Success to any request of ctrl: an empty submessage, but for the release "FG-1.0.0.0.N". */
static size_t ctrl_success(const struct fake_esp32 *fake, uint8_t buf[FAKE_MESSAGE_MAX])
{
    static const uint8_t head[] = {1, 8, 0, 'c', 't', 'r', 'l', 'R', 'e', 's', 'p', 2, 0, 0};
    const unsigned id = fake->last[CTRL_BODY + 1];
    const uint8_t version[] = {0x12, 2, 'F',  'G',
                               0x18, 1, 0x38, (uint8_t)(fake->release[11] - '0')};
    const uint8_t *uid = fake->last + CTRL_BODY + 2;
    uint8_t *at = buf + sizeof(head);

    memcpy(buf, head, sizeof(head));
    put_varint(&at, 1 << 3);
    put_varint(&at, 2);
    put_varint(&at, 2 << 3);
    put_varint(&at, id + 100);
    *at++ = *uid++;
    while (*uid & 0x80)
        *at++ = *uid++;
    *at++ = *uid;
    put_varint(&at, (id + 100) << 3 | 2);
    put_varint(&at, id == CTRL_VERSION_ID ? sizeof(version) : 0);
    if (id == CTRL_VERSION_ID) {
        memcpy(at, version, sizeof(version));
        at += sizeof(version);
    }
    buf[12] = (uint8_t)(at - buf - 14);
    return (size_t)(at - buf);
}

static void answer_ctrl(struct fake_esp32 *fake)
{
    const bool asks_version = fake->last[CTRL_BODY + 1] == CTRL_VERSION_ID;
    uint8_t buf[FAKE_MESSAGE_MAX];

    if (!asks_version || fake->release[0] != '\0')
        enqueue(fake, buf, ctrl_success(fake, buf), 0);
}

/* Any answer shows that it is there: 512, "no such request". */
static void answer_mcu(struct fake_esp32 *fake)
{
    static const uint8_t answer[] = {1, 6, 0, 'R', 'P', 'C', 'R',  's', 'p',
                                     2, 5, 0, 8,   2,   16,  0x80, 4};

    enqueue(fake, answer, sizeof(answer), 0);
}

/* The endpoint as a letter, in the order of enum fake_dialect. */
static enum fake_dialect note_request(struct fake_esp32 *fake)
{
    const enum fake_dialect dialect = fake->last[1] == 7   ? FAKE_CLASSIC
                                      : fake->last[1] == 8 ? FAKE_CTRL
                                                           : FAKE_MCU;

    fake->endpoints[fake->requests] = "crm"[dialect];
    fake->asked_ms[fake->requests] = clock_ms();
    fake->numbers[fake->requests++] = dialect == FAKE_CLASSIC ? fake->last[14] : 0xff;
    return dialect;
}

static int fake_send(struct link *link, const void *message, size_t len, int64_t deadline_ms)
{
    struct fake_esp32 *fake = (struct fake_esp32 *)link;
    uint8_t buf[FAKE_MESSAGE_MAX];
    bool ruled = false;

    (void)deadline_ms;
    memcpy(fake->last, message, len);
    fake->last_len = len;

    const enum fake_dialect dialect = note_request(fake);

    if (dialect != fake->dialect && fake->talks)
        enqueue(fake, fake->talk, fake->talk_len, 0);
    if (dialect != fake->dialect)
        return 0;
    if (dialect == FAKE_CTRL)
        answer_ctrl(fake);
    else if (dialect == FAKE_MCU)
        answer_mcu(fake);
    if (dialect != FAKE_CLASSIC)
        return 0;

    const enum fake_number number = (enum fake_number)fake->last[14];

    if (number == FAKE_WRITE)
        keep_image(fake);

    const unsigned nth = fake_count(fake, number);

    for (struct fake_rule *rule = fake->rules; rule != NULL; rule = rule->next) {
        if (rule->number != number || (rule->nth != 0 && rule->nth != nth))
            continue;
        ruled = true;
        if (rule->len > 0 || rule->error != 0)
            enqueue(fake, rule->bytes, rule->len, rule->error);
    }
    if (!ruled)
        enqueue(fake, buf, fake_reply_code(buf, number, 0), 0);
    return 0;
}

static ssize_t fake_receive(struct link *link, void *buf, size_t size, int64_t deadline_ms,
                            const struct hosted_cancel *cancel)
{
    struct fake_esp32 *fake = (struct fake_esp32 *)link;
    struct fake_segment *first = fake->queue;

    fake->last_wait_had_cancel = cancel != NULL;
    if (first == NULL) {
        const int64_t wait_ms = deadline_ms - clock_ms();

        if (wait_ms > fake->longest_wait_ms)
            fake->longest_wait_ms = wait_ms;
        return clock_wait(cancel, deadline_ms);
    }
    if (first->error != 0) {
        const int error = first->error;

        dequeue(fake);
        return error;
    }

    size_t len = first->len - first->at;

    if (len > size)
        len = size;
    if (fake->piece > 0 && len > fake->piece)
        len = fake->piece;
    memcpy(buf, first->bytes + first->at, len);
    first->at += len;
    if (first->at == first->len)
        dequeue(fake);
    return (ssize_t)len;
}

static ssize_t fake_take(struct link *link, void *buf, size_t size)
{
    const struct fake_esp32 *fake = (const struct fake_esp32 *)link;

    return fake->queue != NULL ? fake_receive(link, buf, size, 0, NULL) : 0;
}

static void fake_close(struct link *link)
{
    ((struct fake_esp32 *)link)->closed = true;
}

static const struct link_ops fake_ops = {
    .send = fake_send,
    .receive = fake_receive,
    .take = fake_take,
    .close = fake_close,
};

struct fake_esp32 *fake_new(void)
{
    struct fake_esp32 *fake = calloc(1, sizeof(*fake));

    fake->link.ops = &fake_ops;
    fake->image = malloc(4 << 20);
    return fake;
}

void fake_free(struct fake_esp32 *fake)
{
    while (fake->queue != NULL)
        dequeue(fake);
    while (fake->rules != NULL) {
        struct fake_rule *rule = fake->rules;

        fake->rules = rule->next;
        free(rule);
    }
    free(fake->image);
    free(fake);
}

void fake_log(void *ctx, const char *line)
{
    struct fake_esp32 *fake = ctx;
    const size_t used = strlen(fake->log);

    if (used + strlen(line) + 2 < sizeof(fake->log)) {
        strcat(fake->log, line);
        strcat(fake->log, "\n");
    }
}

struct hosted_device *fake_device(struct fake_esp32 *fake, const struct hosted_options *options)
{
    struct hosted_options with_log = options != NULL ? *options : (struct hosted_options){0};
    struct hosted_device *device = NULL;

    with_log.log = fake_log;
    with_log.log_ctx = fake;
    return device_new(&with_log, "/dev/fake", &fake->link, &device, NULL) == 0 ? device : NULL;
}

static void add_rule(struct fake_esp32 *fake, enum fake_number number, unsigned nth,
                     const void *bytes, size_t len, int error)
{
    struct fake_rule *rule = calloc(1, sizeof(*rule) + len);
    struct fake_rule **end = &fake->rules;

    rule->number = number;
    rule->nth = nth;
    rule->error = error;
    rule->len = len;
    if (len > 0)
        memcpy(rule->bytes, bytes, len);
    while (*end != NULL)
        end = &(*end)->next;
    *end = rule;
}

void fake_answer(struct fake_esp32 *fake, enum fake_number number, unsigned nth, const void *bytes,
                 size_t len)
{
    add_rule(fake, number, nth, bytes, len, 0);
}

void fake_result(struct fake_esp32 *fake, enum fake_number number, unsigned nth, int code)
{
    uint8_t buf[FAKE_MESSAGE_MAX];

    add_rule(fake, number, nth, buf, fake_reply_code(buf, number, code), 0);
}

void fake_failure(struct fake_esp32 *fake, enum fake_number number, unsigned nth, int error)
{
    add_rule(fake, number, nth, NULL, 0, error);
}

void fake_stale(struct fake_esp32 *fake, const void *bytes, size_t len)
{
    enqueue(fake, bytes, len, 0);
}
