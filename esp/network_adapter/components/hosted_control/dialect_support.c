/* SPDX-License-Identifier: Apache-2.0 */
#include "dialect_support.h"

#include <errno.h>
#include <string.h>

#include "proto_arena.h"
#include "serial_tlv.h"

#define ARENA_BYTES (SERIAL_TLV_MAX_BYTES + 2048)

static _Alignas(max_align_t) uint8_t s_arena_bytes[ARENA_BYTES];
static struct proto_arena s_arena = {.bytes = s_arena_bytes, .size = ARENA_BYTES};

ProtobufCAllocator *dialect_fresh_memory(void)
{
    return proto_arena_fresh(&s_arena);
}

int dialect_take_bytes(char *to, size_t size, const ProtobufCBinaryData *from)
{
    if (from->len >= size)
        return -EBADMSG;
    if (from->len > 0) /* else there may be no data */
        memcpy(to, from->data, from->len);
    to[from->len] = '\0';
    return 0;
}

int dialect_take_string(char *to, size_t size, const char *from)
{
    const ProtobufCBinaryData bytes = dialect_text(from != NULL ? from : "");

    return dialect_take_bytes(to, size, &bytes);
}

ProtobufCBinaryData dialect_text(const char *string)
{
    return (ProtobufCBinaryData){.len = strlen(string), .data = (uint8_t *)string};
}

void dialect_take_extension(struct control_request *to, const ProtobufCBinaryData *from)
{
    static const uint8_t s_nothing[1]; /* decoded, an empty field may have no data */

    to->extension = from->data != NULL ? from->data : s_nothing;
    to->extension_len = from->len;
}

ProtobufCBinaryData dialect_extension(const struct control_reply *reply)
{
    return (ProtobufCBinaryData){.len = reply->extension_len, .data = (uint8_t *)reply->extension};
}

void dialect_fill_identity(HostedExtension__Identity *to, const struct control_identity *from)
{
    hosted_extension__identity__init(to);
    to->has_chip_id = true;
    to->chip_id = from->chip_id;
    to->has_slot_size = true;
    to->slot_size = from->slot_size;
    to->running_slot = (char *)from->running_slot;
    to->project = (char *)from->project;
    to->version = (char *)from->version;
    to->has_can_roll_back = from->can_roll_back_known;
    to->can_roll_back = from->can_roll_back;
    to->has_on_trial = true;
    to->on_trial = from->on_trial;
    to->has_features = true;
    to->features = from->features;
    to->has_window = from->window > 1;
    to->window = from->window;
}
