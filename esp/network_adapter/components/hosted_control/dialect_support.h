/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIALECT_SUPPORT_H
#define DIALECT_SUPPORT_H
/* What every dialect needs around its own messages. */
#include <protobuf-c/protobuf-c.h>

#include "control_message.h"
#include "hosted_extension.pb-c.h"

/*
 * Memory for the request that is decoded next, instead of the heap: what a message of the largest
 * size can need with its payload, and room for fields that nobody knows. What needs more is
 * refused. The request before is gone by this call.
 */
ProtobufCAllocator *dialect_fresh_memory(void);

/* Both terminate `to`. -EBADMSG, with `to` untouched, for what does not fit in `size` with its NUL.
 * An absent string (NULL) is empty. */
int dialect_take_string(char *to, size_t size, const char *from);
int dialect_take_bytes(char *to, size_t size, const ProtobufCBinaryData *from);

/* Takes the extension's bytes, where a message has them: there may be none in it. */
void dialect_take_extension(struct control_request *to, const ProtobufCBinaryData *from);

/* All borrow. */
ProtobufCBinaryData dialect_text(const char *string);
ProtobufCBinaryData dialect_extension(const struct control_reply *reply);
void dialect_fill_identity(HostedExtension__Identity *to, const struct control_identity *from);

#endif
