/* SPDX-License-Identifier: Apache-2.0 */
#include "proto_arena.h"

static void *arena_alloc(void *ctx, size_t size)
{
    struct proto_arena *const arena = ctx;
    const size_t need = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);

    if (size > arena->size || need > arena->size - arena->used)
        return NULL;

    void *at = arena->bytes + arena->used;

    arena->used += need;
    return at;
}

static void arena_free(void *ctx, void *pointer)
{
    (void)ctx; /* all at once, when it is emptied */
    (void)pointer;
}

ProtobufCAllocator *proto_arena_fresh(struct proto_arena *arena)
{
    arena->used = 0;
    arena->allocator = (ProtobufCAllocator){arena_alloc, arena_free, arena};
    return &arena->allocator;
}
