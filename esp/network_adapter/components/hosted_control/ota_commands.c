/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_commands.h"

#include "ota_device.h"
#include "ota_extension.h"

/* One reply at a time is made. */
static uint8_t s_reply[OTA_EXTENSION_REPLY_BYTES];

static void attach(size_t len, struct control_reply *reply)
{
    reply->extension = len > 0 ? s_reply : NULL;
    reply->extension_len = len;
}

static enum ota_device_code handle_stock(const struct control_request *request)
{
    if (request->op == CONTROL_OTA_BEGIN)
        return ota_device_begin(NULL);
    if (request->op == CONTROL_OTA_WRITE)
        return ota_device_append(request->ota_write.data, request->ota_write.len);
    return ota_device_end(NULL);
}

static enum ota_device_code handle_extension(const struct control_request *request,
                                             enum ota_extension_carrier carrier,
                                             struct control_reply *reply)
{
    const struct ota_extension_request from = {
        .carrier = carrier,
        .bytes = request->extension,
        .len = request->extension_len,
        .data = carrier == OTA_EXTENSION_ON_WRITE ? request->ota_write.data : NULL,
        .data_len = carrier == OTA_EXTENSION_ON_WRITE ? request->ota_write.len : 0,
    };
    enum ota_device_code code;

    attach(ota_extension_handle(&from, s_reply, sizeof(s_reply), &code), reply);
    return code;
}

static enum ota_extension_carrier carrier_of(enum control_op op)
{
    if (op == CONTROL_OTA_BEGIN)
        return OTA_EXTENSION_ON_BEGIN;
    return op == CONTROL_OTA_WRITE ? OTA_EXTENSION_ON_WRITE : OTA_EXTENSION_ON_END;
}

void ota_commands_handle(const struct control_request *request, struct control_reply *reply)
{
    const enum ota_device_code code =
        request->extension == NULL ? handle_stock(request)
                                   : handle_extension(request, carrier_of(request->op), reply);

    reply->result = code == OTA_DEVICE_DONE ? CONTROL_SUCCESS : CONTROL_FAILURE;
}

void ota_commands_handle_on_mode(const struct control_request *request, struct control_reply *reply)
{
    if (request->extension != NULL)
        handle_extension(request, OTA_EXTENSION_ON_MODE, reply);
}

bool ota_commands_refuse(enum control_op op, struct control_reply *reply)
{
    switch (op) {
    case CONTROL_SET_MAC:
    case CONTROL_SET_MODE:
    case CONTROL_CONNECT:
    case CONTROL_DISCONNECT:
    case CONTROL_SCAN:
    case CONTROL_SET_HEARTBEAT:
    case CONTROL_SET_FEATURE:
        break;
    default:
        return false;
    }
    if (!ota_device_is_open())
        return false;
    reply->result = CONTROL_FAILURE;
    attach(ota_extension_refuse(OTA_DEVICE_IN_PROGRESS, "update in progress", s_reply,
                                sizeof(s_reply)),
           reply);
    return true;
}
