/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_COMMANDS_H
#define OTA_COMMANDS_H
/* The update messages, stock and extended, and what an open update does to the others. */
#include "control_message.h"

/* OTA_BEGIN, OTA_WRITE, OTA_END. */
void ota_commands_handle(const struct control_request *request, struct control_reply *reply);

/* What rides on a GET_MODE beside its own question, if anything. */
void ota_commands_handle_on_mode(const struct control_request *request,
                                 struct control_reply *reply);

/* Whether an open update would be disturbed by such a request: then *reply is the refusal. */
bool ota_commands_refuse(enum control_op op, struct control_reply *reply);

#endif
