/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_slave.h"

/* Room in front of the bytes for the field's length. */
#define HEAD OTA_EXTENSION_HEAD_BYTES

static uint8_t s_identity[HEAD + OTA_EXTENSION_IDENTITY_BYTES];
static uint8_t s_reply[HEAD + OTA_EXTENSION_REPLY_BYTES];

static size_t handle(enum ota_extension_carrier carrier, const uint8_t *bytes, size_t bytes_len,
                     const void *data, size_t len, enum ota_device_code *ret)
{
    const struct ota_extension_request request = {
        .carrier = carrier,
        .bytes = bytes,
        .len = bytes_len,
        .data = data,
        .data_len = len,
    };

    return ota_extension_handle(&request, s_reply + HEAD, sizeof(s_reply) - HEAD, ret);
}

static enum ota_device_code handle_stock(enum ota_extension_carrier carrier, const void *data,
                                         size_t len)
{
    if (carrier == OTA_EXTENSION_ON_BEGIN)
        return ota_device_begin(NULL);
    if (carrier == OTA_EXTENSION_ON_WRITE)
        return ota_device_append(data, len);
    return ota_device_end(NULL);
}

static void attach(ProtobufCMessage *reply, size_t len)
{
    const struct ota_extension_field field = {OTA_EXTENSION_TAG, s_reply, len};

    if (len > 0)
        ota_extension_attach(reply, &field, 1);
}

bool ota_slave_answer(enum ota_extension_carrier carrier, const ProtobufCMessage *request,
                      const void *data, size_t len, ProtobufCMessage *reply)
{
    enum ota_device_code code;
    const uint8_t *bytes;
    size_t bytes_len;

    if (!ota_extension_find(request, OTA_EXTENSION_TAG, &bytes, &bytes_len))
        return handle_stock(carrier, data, len) == OTA_DEVICE_DONE;
    attach(reply, handle(carrier, bytes, bytes_len, data, len, &code));
    return code == OTA_DEVICE_DONE;
}

void ota_slave_answer_mode(const ProtobufCMessage *request, ProtobufCMessage *reply)
{
    struct ota_extension_field fields[OTA_EXTENSION_MAX_FIELDS];
    enum ota_device_code code;
    const uint8_t *bytes;
    size_t bytes_len, count = 1, len = 0;

    if (ota_extension_find(request, OTA_EXTENSION_TAG, &bytes, &bytes_len))
        len = handle(OTA_EXTENSION_ON_MODE, bytes, bytes_len, NULL, 0, &code);
    if (len > 0)
        fields[count++] = (struct ota_extension_field){OTA_EXTENSION_TAG_MODE_REPLY, s_reply, len};
    /* After the request was done: it may have changed who is there. */
    len = ota_extension_identity(s_identity + HEAD, sizeof(s_identity) - HEAD);
    fields[0] = (struct ota_extension_field){OTA_EXTENSION_TAG_IDENTITY, s_identity, len};
    ota_extension_attach(reply, fields, count);
}

bool ota_slave_refuses(ProtobufCMessage *reply)
{
    if (!ota_device_is_open())
        return false;
    attach(reply, ota_extension_refuse(OTA_DEVICE_IN_PROGRESS, "update in progress", s_reply + HEAD,
                                       sizeof(s_reply) - HEAD));
    return true;
}
