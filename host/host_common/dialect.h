/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_DIALECT_H
#define HOST_DIALECT_H
/* How the requests and replies of ctrl_msg.h are written on the wire by one kind of firmware. */
#include "ctrl_msg.h"
#include "serial_tlv.h"

struct dialect {
    const char *name;
    /*
     * Writes one whole message, endpoint and all, into `buf`.
     * Returns its length, or -EMSGSIZE when it does not fit.
     */
    int (*encode)(const struct ctrl_request *request, uint8_t *buf, size_t size);
    /*
     * Reads one message from the ESP32. Returns 0 and a reply in *ret, or
     *   -EBADMSG  not of this dialect, or no protobuf: perhaps bytes that are no message at all
     *   -ENOMSG   a message, but no reply to anything that this host asks
     *   -EPROTO   a reply without its content; ret->command alone is set
     *   -ENOMEM
     */
    int (*decode)(const struct serial_tlv *message, struct ctrl_reply *ret);
};

extern const struct dialect dialect_classic;

#endif
