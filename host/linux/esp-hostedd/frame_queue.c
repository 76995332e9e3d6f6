/* SPDX-License-Identifier: Apache-2.0 */
#include "frame_queue.h"

#include <errno.h>
#include <string.h>

int frame_queue_push(struct frame_queue *queue, const uint8_t *frame, size_t len, bool continues)
{
    if (queue->count == FRAME_QUEUE_SLOTS || len > FRAME_MAX_BYTES)
        return -ENOBUFS;

    struct frame_queue_slot *slot = &queue->slot[(queue->first + queue->count) % FRAME_QUEUE_SLOTS];

    memcpy(slot->frame, frame, len);
    slot->len = len;
    slot->continues = continues;
    queue->count++;
    return 0;
}

const struct frame_queue_slot *frame_queue_peek(const struct frame_queue *queue)
{
    return queue->count > 0 ? &queue->slot[queue->first] : NULL;
}

void frame_queue_pop(struct frame_queue *queue)
{
    queue->first = (queue->first + 1) % FRAME_QUEUE_SLOTS;
    queue->count--;
}

void frame_queue_clear(struct frame_queue *queue)
{
    queue->first = 0;
    queue->count = 0;
}

void frame_queue_drop_torn(struct frame_queue *queue)
{
    while (queue->count > 0 && queue->slot[queue->first].continues)
        frame_queue_pop(queue);
}
