/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_CTRL_CLIENT_H
#define HOST_CTRL_CLIENT_H
/*
 * One request, one reply. Cuts the incoming bytes into messages, finds back into the stream after
 * garbage, and takes for the reply only what is one to this request: everything else is dropped
 * and counted, with a line in the log. Events are handed on as they come.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctrl_msg.h"
#include "dialect.h"
#include "link.h"

struct ctrl_client {
    struct link *link;                        /* borrowed */
    const struct dialect *dialect;            /* borrowed; NULL: not known yet */
    struct hosted_cancel *cancel;             /* borrowed; NULL: cannot be stopped */
    void (*log)(void *ctx, const char *line); /* NULL: nobody listens */
    void *log_ctx;
    void (*event)(void *ctx, const struct hosted_event *event); /* NULL: nobody listens */
    void *event_ctx;

    /*
     * Whose message was heard last, since this was set to NULL; what stands behind bytes that are
     * no message counts for nothing here: anybody may put a frame into the name of a network. While
     * `curious`, another dialect than that of a call ends it.
     */
    const struct dialect *heard;
    bool curious;

    /* The ESP32 has refused a write while nobody waited for that, since this was set to false. */
    bool refused_late;

    /* Gets each reply to a write that is out while another request's is waited for. NULL: nobody
     * listens. */
    void (*late)(void *ctx, const struct ctrl_reply *reply);
    void *late_ctx;

    /* The ESP32 has started anew since this was last set to false. While `restart_fatal`, that ends
     * a call: whatever it was told before is forgotten. */
    bool restarted;
    bool restart_fatal;

    struct hosted_counters counters;

    /* Private. */
    int32_t uid;        /* of the last request */
    int32_t oldest_out; /* of the writes that are out; 0: none is */
    bool numberless;    /* a reply without a number was taken */
    bool in_noise;      /* what comes next stands behind bytes that are no message */
    bool strays_seen;   /* this ESP32 has said something that nobody asked for */
    int64_t replied_ms; /* when the last reply was found */
    size_t unread;      /* bytes in `in` that are no whole message yet */
    uint8_t in[SERIAL_TLV_REPLY_MAX_BYTES];
    uint8_t out[SERIAL_TLV_MAX_BYTES];
};

/* Everything but the pointers may be zero; the structure needs no end. */
void ctrl_client_init(struct ctrl_client *client, struct link *link, const struct dialect *dialect);

/* The last reply is so long ago that something else may have come in since. */
bool ctrl_client_is_idle(const struct ctrl_client *client);

/*
 * Reads what has come in, for its events, and drops the rest. 0, -ETIMEDOUT or -ECANCELED if more
 * came in all the time, or what the link said.
 */
int ctrl_client_drain(struct ctrl_client *client, int64_t deadline_ms);

/*
 * Sends the request and waits for its reply, `timeout_ms` for all of it. What has come in before
 * is dropped, except that ahead of a write that follows the last reply at once the link is not
 * asked for it (it costs a system call a chunk) unless this ESP32 has sent unasked replies before.
 * Returns 0, with a reply in *ret to be given to ctrl_reply_free(), or
 *   -ETIMEDOUT, -ENODEV and others of the link
 *   -ECANCELED the wait was stopped; an `end` that is sent is waited for all the same, because what
 *              it said decides what boots
 *   -EPROTO    a reply to this request came, without its content
 *   -EMSGSIZE, -ENOTSUP  the request is too large, or the dialect has none such; nothing was sent
 *   -ECONNRESET  the ESP32 has restarted, which `restart_fatal` forbids
 *   -EPROTOTYPE  another dialect was heard, for which `curious` listens
 *   -ENOMEM
 */
int ctrl_client_call(struct ctrl_client *client, const struct ctrl_request *request,
                     unsigned timeout_ms, struct ctrl_reply *ret);

/*
 * Sends a write and does not wait for its reply: it is out, as those before it are that were sent
 * so. Otherwise as ctrl_client_call().
 */
int ctrl_client_send(struct ctrl_client *client, const struct ctrl_request *write,
                     unsigned timeout_ms);

/*
 * Waits for the next reply to any of the writes that are out; ret->uid says to which, and none
 * before that is out any more. Where replies have no number, who sent them has to know. Failures as
 * of ctrl_client_call(), after which they are still out.
 */
int ctrl_client_take(struct ctrl_client *client, unsigned timeout_ms, struct ctrl_reply *ret);

/* No write is out any more: a reply to one will be dropped. */
void ctrl_client_settled(struct ctrl_client *client);

/* Waits for an event, without a request. 0 once one was handed on, or as above. */
int ctrl_client_listen(struct ctrl_client *client, int64_t deadline_ms);

#endif
