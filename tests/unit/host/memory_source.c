/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_source.h"

#include <errno.h>
#include <string.h>

#include "fault.h"

static ssize_t memory_read(struct hosted_source *source, void *buf, size_t len,
                           struct hosted_fault *fault)
{
    struct memory_source *memory = (struct memory_source *)source;
    size_t left = memory->len - memory->at;

    if (memory->fails_at > 0 && memory->at >= memory->fails_at)
        return fault_set(fault, HOSTED_LOCAL, -EIO, "memory: the source broke off");
    if (len > left)
        len = left;
    if (memory->piece > 0 && len > memory->piece)
        len = memory->piece;
    memcpy(buf, memory->bytes + memory->at, len);
    memory->at += len;
    return (ssize_t)len;
}

static int memory_rewind(struct hosted_source *source, struct hosted_fault *fault)
{
    struct memory_source *memory = (struct memory_source *)source;

    (void)fault;
    memory->at = 0;
    if (memory->later != NULL)
        memory->bytes = memory->later;
    return 0;
}

static void memory_close(struct hosted_source *source)
{
    (void)source;
}

struct memory_source memory_source(const void *bytes, size_t len)
{
    static const struct hosted_source_ops ops = {
        .read = memory_read,
        .rewind = memory_rewind,
        .close = memory_close,
    };

    return (struct memory_source){
        .source = {.ops = &ops, .name = "memory", .size = len, .whole = true},
        .bytes = bytes,
        .len = len,
    };
}
