/* SPDX-License-Identifier: Apache-2.0 */
/*
 * esp-hostedd's cutter of what tools write: every byte comes out again, in order, at once or when
 * nothing more comes.
 * Input: records of u16 length and so many bytes, as a read from the pty gives them. Bit 15 of the
 * length: then it is quiet.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "serial_cutter.h"

/* What went in and has not come out. */
struct queue {
    const uint8_t *next;
    size_t len;
};

static void take_out(struct serial_cutter *cutter, bool quiet, struct queue *queue)
{
    const uint8_t *message = NULL;
    size_t len;

    while ((len = serial_cutter_next(cutter, quiet, &message)) > 0) {
        REQUIRE(len <= SERIAL_TLV_MAX_BYTES && len <= queue->len);
        REQUIRE(memcmp(message, queue->next, len) == 0);
        queue->next += len;
        queue->len -= len;
    }
    REQUIRE(serial_cutter_pending(cutter) == queue->len);
    REQUIRE(!quiet || queue->len == 0);
}

/* A read never gives more than there is room for. */
static void put_in(struct serial_cutter *cutter, const uint8_t *bytes, size_t len,
                   struct queue *queue)
{
    while (len > 0) {
        size_t room;
        uint8_t *to = serial_cutter_room(cutter, &room);
        const size_t n = len < room ? len : room;

        REQUIRE(n > 0);
        memcpy(to, bytes, n);
        serial_cutter_added(cutter, n);
        bytes += n;
        len -= n;
        queue->len += n;
        take_out(cutter, false, queue);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct serial_cutter *cutter = calloc(1, sizeof(*cutter));
    struct fuzz_input input = {data, size};
    uint8_t *stream = malloc(size);
    struct queue queue = {.next = stream};
    size_t streamed = 0;

    REQUIRE(cutter != NULL && (stream != NULL || size == 0));
    while (input.left > 0) {
        const uint16_t head = fuzz_take_le16(&input);
        size_t len = head & 0x7fff;
        uint8_t *bytes = fuzz_take_copy(&input, &len);

        if (len > 0)
            memcpy(stream + streamed, bytes, len);
        streamed += len;
        put_in(cutter, bytes, len, &queue);
        if (head & 0x8000)
            take_out(cutter, true, &queue);
        free(bytes);
    }
    take_out(cutter, true, &queue);
    free(stream);
    free(cutter);
    return 0;
}
