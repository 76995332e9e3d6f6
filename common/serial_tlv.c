/* SPDX-License-Identifier: Apache-2.0 */
#include "serial_tlv.h"

#include <errno.h>
#include <string.h>

enum {
    TAG_ENDPOINT = 0x01,
    TAG_DATA = 0x02,
};

/* Once `status` is negative every take_*() does nothing: callers check once, at the end. */
struct cursor {
    const uint8_t *next;
    size_t left;
    int status;
};

static const uint8_t *take_bytes(struct cursor *in, size_t n)
{
    if (in->status == 0 && in->left < n)
        in->status = -EAGAIN;
    if (in->status < 0)
        return NULL;

    const uint8_t *bytes = in->next;

    in->next += n;
    in->left -= n;
    return bytes;
}

static void take_tag(struct cursor *in, uint8_t tag)
{
    const uint8_t *at = take_bytes(in, 1);

    if (at != NULL && *at != tag)
        in->status = -EBADMSG;
}

/* A length outside min..max can be told as soon as it is there, long before its bytes are. */
static size_t take_length(struct cursor *in, size_t min, size_t max)
{
    const uint8_t *at = take_bytes(in, 2);

    if (at == NULL)
        return 0;

    const size_t length = (size_t)(at[0] | at[1] << 8);

    if (length < min || length > max)
        in->status = -EBADMSG;
    return length;
}

int serial_tlv_head(const char *endpoint, size_t data_len, uint8_t *buf, size_t size)
{
    const size_t name_len = strlen(endpoint);
    const size_t head_len = SERIAL_TLV_OVERHEAD(name_len);

    if (name_len > SERIAL_TLV_NAME_MAX || head_len > size || data_len > size - head_len ||
        data_len > UINT16_MAX)
        return -EMSGSIZE;

    uint8_t *at = buf;

    *at++ = TAG_ENDPOINT;
    *at++ = (uint8_t)name_len;
    *at++ = 0;
    memcpy(at, endpoint, name_len);
    at += name_len;
    *at++ = TAG_DATA;
    *at++ = (uint8_t)(data_len & 0xff);
    *at++ = (uint8_t)(data_len >> 8);
    return (int)head_len;
}

int serial_tlv_parse(const uint8_t *buf, size_t len, struct serial_tlv *ret)
{
    struct cursor in = {.next = buf, .left = len};
    struct serial_tlv tlv = {0};

    take_tag(&in, TAG_ENDPOINT);
    tlv.endpoint_len = take_length(&in, 1, SERIAL_TLV_NAME_MAX);
    tlv.endpoint = take_bytes(&in, tlv.endpoint_len);
    take_tag(&in, TAG_DATA);
    tlv.data_len =
        take_length(&in, 1, SERIAL_TLV_REPLY_MAX_BYTES - SERIAL_TLV_OVERHEAD(tlv.endpoint_len));
    tlv.data = take_bytes(&in, tlv.data_len);
    if (in.status < 0)
        return in.status;

    *ret = tlv;
    return (int)(len - in.left);
}
