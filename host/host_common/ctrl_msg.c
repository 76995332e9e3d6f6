/* SPDX-License-Identifier: Apache-2.0 */
#include "ctrl_msg.h"

#include <stdio.h>
#include <stdlib.h>

#include "text.h"

const char *ctrl_command_name(enum ctrl_command command)
{
    static const char *const names[] = {
        [CTRL_GET_MAC] = "get_mac",
        [CTRL_GET_MODE] = "get_mode",
        [CTRL_SET_MODE] = "set_mode",
        [CTRL_GET_AP] = "get_ap",
        [CTRL_CONNECT] = "connect",
        [CTRL_DISCONNECT] = "disconnect",
        [CTRL_SCAN] = "scan",
        [CTRL_SET_MAC] = "set_mac",
        [CTRL_OTA_BEGIN] = "begin",
        [CTRL_OTA_WRITE] = "write",
        [CTRL_OTA_END] = "end",
        [CTRL_GET_VERSION] = "get_version",
        [CTRL_SET_HEARTBEAT] = "set_heartbeat",
        [CTRL_SET_FEATURE] = "set_feature",
    };

    return names[command];
}

const char *ctrl_request_name(const struct ctrl_request *request, char buf[CTRL_REQUEST_NAME_BYTES])
{
    const char *name = ctrl_command_name(request->command);
    char number[TEXT_NUMBER_BYTES];

    if (request->command != CTRL_OTA_WRITE)
        return name;
    snprintf(buf, CTRL_REQUEST_NAME_BYTES, "%s at %s", name,
             text_number(number, request->write.offset));
    return buf;
}

void ctrl_reply_free(struct ctrl_reply *reply)
{
    if (reply->command == CTRL_SCAN) {
        free(reply->scan.list);
        reply->scan.list = NULL;
    }
}
