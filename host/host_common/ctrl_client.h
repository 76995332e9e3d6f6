/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_CTRL_CLIENT_H
#define HOST_CTRL_CLIENT_H
/*
 * One request, one reply. Cuts the incoming bytes into messages, finds back into the stream after
 * garbage, and takes for the reply only what is one to this request: everything else is dropped
 * with a line in the log.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctrl_msg.h"
#include "dialect.h"
#include "link.h"

struct ctrl_client {
    struct link *link;                        /* borrowed */
    const struct dialect *dialect;            /* borrowed */
    struct hosted_cancel *cancel;             /* borrowed; NULL: cannot be stopped */
    void (*log)(void *ctx, const char *line); /* NULL: nobody listens */
    void *log_ctx;

    /* Private. */
    bool strays_seen;   /* this ESP32 has said something that nobody asked for */
    int64_t replied_ms; /* when the last reply was found */
    size_t unread;      /* bytes in `in` that are no whole message yet */
    uint8_t in[SERIAL_TLV_REPLY_MAX_BYTES];
    uint8_t out[SERIAL_TLV_MAX_BYTES];
};

/* Everything but the pointers may be zero; the structure needs no end. */
void ctrl_client_init(struct ctrl_client *client, struct link *link, const struct dialect *dialect);

/* Drops whatever has come in and was not asked for. 0 or what the link said. */
int ctrl_client_drain(struct ctrl_client *client);

/*
 * Sends the request and waits for its reply, `timeout_ms` for all of it. What has come in before
 * is dropped, except that ahead of a write that follows the last reply at once the link is not
 * asked for it (it costs a system call a chunk) unless this ESP32 has sent unasked replies before.
 * Returns 0, with a reply in *ret to be given to ctrl_reply_free(), or
 *   -ETIMEDOUT, -ENODEV and others of the link
 *   -ECANCELED the wait was stopped; an `end` that is sent is waited for all the same, because what
 *              it said decides what boots
 *   -EPROTO    a reply to this request came, without its content
 *   -EMSGSIZE  the request is too large; nothing was sent
 *   -ENOMEM
 */
int ctrl_client_call(struct ctrl_client *client, const struct ctrl_request *request,
                     unsigned timeout_ms, struct ctrl_reply *ret);

#endif
