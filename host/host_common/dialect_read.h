/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_DIALECT_READ_H
#define HOST_DIALECT_READ_H
/* What the dialects read alike: what a device says is cut to size and made fit for a terminal. */
#include <protobuf-c/protobuf-c.h>

#include "ctrl_msg.h"
#include "hosted_extension.pb-c.h"

/* reply->code, and from it an outcome of yes or no. */
void read_result(int32_t code, struct ctrl_reply *reply);

/* As a string that ends in `size`; what is longer is cut. */
void read_bytes(char *out, size_t size, const ProtobufCBinaryData *in);

/* Cut to 32 bytes, and without the padding of firmware that sends the whole of its field. Returns
 * the length. */
size_t read_ssid(char out[HOSTED_SSID_BYTES + 1], const ProtobufCBinaryData *in);

void read_extension(const ProtobufCBinaryData *in, struct ctrl_reply *reply);

/* reply->mode's; `in` may be NULL: stock firmware has none. */
void read_identity(const HostedExtension__Identity *in, struct ctrl_reply *reply);

#endif
