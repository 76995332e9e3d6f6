/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_link.h"

#include <errno.h>

#include "serial_tlv.h"

enum {
    BACKOFF_FIRST_MS = 50,
    BACKOFF_LAST_MS = 1000,
};

#define FRAGMENTS(len) (((len) + FRAME_FRAGMENT_BYTES - 1) / FRAME_FRAGMENT_BYTES)

void bus_link_init(struct bus_link *link, struct bus *bus)
{
    link->bus = bus;
    link->up = false;
    link->retry_at_ms = 0;
    link->backoff_ms = BACKOFF_FIRST_MS;
    link->sequence = 0;
    link->lost_messages = 0;
    link->bad_frames = 0;
    frame_queue_clear(&link->queue);
}

static void pause_before_retry(struct bus_link *link, uint64_t now_ms)
{
    link->retry_at_ms = now_ms + link->backoff_ms;
    link->backoff_ms *= 2;
    if (link->backoff_ms > BACKOFF_LAST_MS)
        link->backoff_ms = BACKOFF_LAST_MS;
}

bool bus_link_connect(struct bus_link *link, uint64_t now_ms)
{
    if (link->up || now_ms < link->retry_at_ms)
        return false;
    if (link->bus->ops->open(link->bus) < 0) {
        pause_before_retry(link, now_ms);
        return false;
    }
    link->up = true;
    return true;
}

void bus_link_drop(struct bus_link *link, uint64_t now_ms)
{
    link->bus->ops->close(link->bus);
    link->up = false;
    frame_queue_drop_torn(&link->queue);
    pause_before_retry(link, now_ms);
}

bool bus_link_has_room(const struct bus_link *link)
{
    return frame_queue_free(&link->queue) >= FRAGMENTS(SERIAL_TLV_MAX_BYTES);
}

struct fragments {
    struct frame_queue *queue;
    bool continues;
};

static int queue_fragment(void *ctx, const uint8_t *frame, size_t len)
{
    struct fragments *fragments = ctx;
    const bool continues = fragments->continues;

    fragments->continues = true;
    return frame_queue_push(fragments->queue, frame, len, continues);
}

int bus_link_queue_message(struct bus_link *link, const uint8_t *message, size_t len)
{
    struct fragments fragments = {.queue = &link->queue};

    if (frame_queue_free(&link->queue) < FRAGMENTS(len)) {
        link->lost_messages++;
        return -ENOBUFS;
    }
    return frame_send_serial(message, len, 0, &link->sequence, queue_fragment, &fragments);
}

int bus_link_queue_ethernet(struct bus_link *link, const uint8_t *packet, size_t len)
{
    uint8_t buf[FRAME_MAX_BYTES];
    const struct frame frame = {
        .interface_type = FRAME_STATION,
        .length = (uint16_t)len,
        .payload = packet,
    };
    const int whole = frame_build(&frame, buf, sizeof(buf));

    return whole < 0 ? whole : frame_queue_push(&link->queue, buf, (size_t)whole, false);
}

int bus_link_pump(struct bus_link *link)
{
    const struct frame_queue_slot *slot;

    while (link->up && (slot = frame_queue_peek(&link->queue)) != NULL) {
        const int rc = link->bus->ops->send(link->bus, slot->frame, slot->len);

        if (rc < 0)
            return rc == -EAGAIN ? 0 : rc;
        frame_queue_pop(&link->queue);
    }
    return 0;
}

int bus_link_receive(struct bus_link *link, struct frame *ret)
{
    for (;;) {
        const int n = link->bus->ops->receive(link->bus, link->received, sizeof(link->received));

        if (n < 0)
            return n == -EAGAIN ? 0 : n;
        if (frame_parse(link->received, (size_t)n, ret) == 0) {
            link->backoff_ms = BACKOFF_FIRST_MS; /* a peer that hangs up at once does not do this */
            return 1;
        }
        link->bad_frames++;
    }
}
