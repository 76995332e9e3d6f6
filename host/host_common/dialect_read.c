/* SPDX-License-Identifier: Apache-2.0 */
#include "dialect_read.h"

#include <string.h>

#include "text.h"

void read_result(int32_t code, struct ctrl_reply *reply)
{
    reply->code = code;
    reply->outcome = code == 0 ? CTRL_OK : CTRL_REFUSED;
}

void read_bytes(char *out, size_t size, const ProtobufCBinaryData *in)
{
    const size_t len = in->len < size - 1 ? in->len : size - 1;

    if (len > 0)
        memcpy(out, in->data, len);
    memset(out + len, 0, size - len);
}

size_t read_ssid(char out[HOSTED_SSID_BYTES + 1], const ProtobufCBinaryData *in)
{
    size_t len = in->len < HOSTED_SSID_BYTES ? in->len : HOSTED_SSID_BYTES;

    read_bytes(out, HOSTED_SSID_BYTES + 1, in);
    while (len > 0 && out[len - 1] == '\0')
        len--;
    return len;
}

void read_extension(const ProtobufCBinaryData *in, struct ctrl_reply *reply)
{
    reply->extension_len = in->len <= sizeof(reply->extension) ? in->len : 0;
    if (reply->extension_len > 0)
        memcpy(reply->extension, in->data, reply->extension_len);
}

static void read_text(char *out, size_t size, const char *in)
{
    if (in == NULL) /* it is left out */
        in = "";
    text_printable(out, size, in, strlen(in));
}

void read_identity(const HostedExtension__Identity *in, struct ctrl_reply *reply)
{
    struct hosted_identity *out = &reply->mode.identity;

    if (in == NULL)
        return;
    out->known = true;
    out->chip_id = (uint16_t)in->chip_id;
    out->slot_bytes = in->slot_size;
    out->can_roll_back = in->has_can_roll_back ? in->can_roll_back : -1;
    out->features = in->features;
    out->on_trial = in->on_trial;
    reply->mode.window = in->window;
    read_text(out->running_slot, sizeof(out->running_slot), in->running_slot);
    read_text(out->project, sizeof(out->project), in->project);
    read_text(out->version, sizeof(out->version), in->version);
    if (in->version != NULL)
        strncat(reply->mode.version, in->version, sizeof(reply->mode.version) - 1);
}
