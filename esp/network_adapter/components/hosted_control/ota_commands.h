/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_COMMANDS_H
#define OTA_COMMANDS_H
/* The update messages: begin, write, end, and the restart after a good end. */
#include "control_message.h"

void ota_commands_handle(const struct control_request *request, struct control_reply *reply);

#endif
