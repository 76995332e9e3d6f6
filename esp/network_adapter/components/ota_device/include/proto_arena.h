/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_ARENA_H
#define PROTO_ARENA_H
/* Memory for a message that protobuf-c decodes, instead of the heap: what needs more is refused. */
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

struct proto_arena {
    uint8_t *bytes; /* aligned as max_align_t */
    size_t size;
    size_t used;
    ProtobufCAllocator allocator;
};

/* Empties the arena, and with it the message that was decoded before, and returns its allocator. */
ProtobufCAllocator *proto_arena_fresh(struct proto_arena *arena);

#endif
