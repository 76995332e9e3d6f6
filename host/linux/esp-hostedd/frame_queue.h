/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_FRAME_QUEUE_H
#define HOSTEDD_FRAME_QUEUE_H
/* Frames on their way to the ESP32 that the bus does not take yet, first in, first out. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define FRAME_QUEUE_SLOTS 16

struct frame_queue_slot {
    uint8_t frame[FRAME_MAX_BYTES];
    size_t len;
    bool continues; /* a further fragment of the message that the frame before it belongs to */
};

struct frame_queue {
    struct frame_queue_slot slot[FRAME_QUEUE_SLOTS];
    size_t first;
    size_t count;
};

static inline size_t frame_queue_free(const struct frame_queue *queue)
{
    return FRAME_QUEUE_SLOTS - queue->count;
}

/* 0, or -ENOBUFS when it is full or the frame too long. */
int frame_queue_push(struct frame_queue *queue, const uint8_t *frame, size_t len, bool continues);

/* The oldest frame, or NULL. */
const struct frame_queue_slot *frame_queue_peek(const struct frame_queue *queue);
void frame_queue_pop(struct frame_queue *queue);
void frame_queue_clear(struct frame_queue *queue);

/* Drops what is left of a message whose first fragments are gone: its other half makes no sense. */
void frame_queue_drop_torn(struct frame_queue *queue);

#endif
