/* SPDX-License-Identifier: Apache-2.0 */
/* The host's decoders of messages. Input: one byte for the dialect, the protobuf message. */
#include <errno.h>
#include <stdlib.h>

#include "dialect.h"
#include "fuzz.h"
#include "host_check.h"

static void check_reply(const struct dialect *dialect, struct ctrl_message *message)
{
    host_check_reply(&message->reply);
    REQUIRE(dialect->has_uids || message->reply.uid == 0);
    ctrl_reply_free(&message->reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct dialect *const dialects[] = {&dialect_classic, &dialect_ctrl, &dialect_mcu};
    struct fuzz_input input = {data, size};
    const struct dialect *dialect = dialects[fuzz_take_u8(&input) % 3];
    struct serial_tlv tlv = {.data_len = input.left};
    uint8_t *copy = fuzz_take_copy(&input, &tlv.data_len);
    struct ctrl_message message;

    tlv.data = copy;

    const int err = dialect->decode(&tlv, &message);

    REQUIRE(err == 0 || err == -EBADMSG || err == -ENOMSG || err == -EPROTO);
    if (err == -EPROTO)
        REQUIRE(ctrl_command_name(message.reply.command) != NULL);
    else if (err == 0 && message.is_event)
        host_check_event(&message.event);
    else if (err == 0)
        check_reply(dialect, &message);
    free(copy);
    return 0;
}
