/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_DIALECT_H
#define HOST_DIALECT_H
/* How the requests, replies and events of ctrl_msg.h are written on the wire by one kind of
 * firmware. */
#include "ctrl_msg.h"
#include "serial_tlv.h"

struct dialect {
    enum hosted_dialect id;
    const char *endpoint;       /* of requests and replies */
    const char *event_endpoint; /* NULL: it has no events */
    bool has_uids;              /* a request carries a number, which its reply repeats */
    /*
     * Writes one whole message, endpoint and all, into `buf`; `uid` is 0 where the dialect has
     * none. Returns its length, -EMSGSIZE when it does not fit, or -ENOTSUP: it has no such
     * request.
     */
    int (*encode)(const struct ctrl_request *request, int32_t uid, uint8_t *buf, size_t size);
    /*
     * Reads one message from the ESP32 that came on one of the endpoints. Returns 0 and a reply or
     * an event in *ret, or -EBADMSG  no protobuf: perhaps bytes that are no message at all -ENOMSG
     * a message, but neither a reply to anything that this host asks nor an event -EPROTO   a reply
     * without its content; ret->reply.command and .uid alone are set -ENOMEM
     */
    int (*decode)(const struct serial_tlv *message, struct ctrl_message *ret);
};

extern const struct dialect dialect_classic;
extern const struct dialect dialect_ctrl;
extern const struct dialect dialect_mcu;

/* NULL for HOSTED_DIALECT_AUTO. */
const struct dialect *dialect_find(enum hosted_dialect id);

/* Whose endpoint a message came on; NULL: nobody's. */
const struct dialect *dialect_of_message(const struct serial_tlv *message);

#endif
