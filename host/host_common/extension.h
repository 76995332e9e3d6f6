/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_EXTENSION_H
#define HOST_EXTENSION_H
/* The messages of hosted_extension.proto as the host means them. What goes into a dialect's message
 * and comes out of it is packed. */
#include "ctrl_msg.h"
#include "hosted_extension.pb-c.h"

/* A version and a project of 32 bytes each, a digest, six numbers. */
#define EXTENSION_REQUEST_MAX 192

struct extension_request {
    size_t len;
    uint8_t bytes[EXTENSION_REQUEST_MAX];
};

void extension_pack(const HostedExtension__Request *request, struct extension_request *ret);

#define EXTENSION_DIGEST_BYTES 32
#define EXTENSION_DIGESTS_MAX  64 /* that this host asks for at a time */

struct extension_reply {
    int32_t code; /* HostedExtension__Code */
    int32_t esp_err;
    bool has_address;
    uint32_t address; /* in the flash chip */
    bool has_next;
    uint32_t next; /* offset in the image */
    size_t digest_count;
    uint8_t digests[EXTENSION_DIGESTS_MAX][EXTENSION_DIGEST_BYTES];
    char text[HOSTED_TEXT_BYTES]; /* printable; "" if there is none */
};

/* 0; -ENOENT: the reply has no extension; -EBADMSG: it is none; -ENOMEM. */
int extension_read(const struct ctrl_reply *reply, struct extension_reply *ret);

/* The same, for the status alone; -EBADMSG also where there is none in it. */
int extension_read_status(const struct ctrl_reply *reply, struct hosted_slots *ret);

/* "wrong chip"; NULL for a code that this host does not know. */
const char *extension_code_words(int32_t code);

#endif
