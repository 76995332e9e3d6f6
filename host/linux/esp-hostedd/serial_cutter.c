/* SPDX-License-Identifier: Apache-2.0 */
#include "serial_cutter.h"

#include <errno.h>
#include <string.h>

static void forget_taken(struct serial_cutter *cutter)
{
    cutter->len -= cutter->taken;
    memmove(cutter->buf, cutter->buf + cutter->taken, cutter->len);
    cutter->taken = 0;
}

void serial_cutter_clear(struct serial_cutter *cutter)
{
    cutter->len = 0;
    cutter->taken = 0;
}

uint8_t *serial_cutter_room(struct serial_cutter *cutter, size_t *ret_size)
{
    forget_taken(cutter);
    *ret_size = sizeof(cutter->buf) - cutter->len;
    return cutter->buf + cutter->len;
}

void serial_cutter_added(struct serial_cutter *cutter, size_t len)
{
    cutter->len += len;
}

size_t serial_cutter_pending(const struct serial_cutter *cutter)
{
    return cutter->len - cutter->taken;
}

/* Among bytes that mean nothing a message must look like one down to its endpoint's name. */
static bool has_readable_name(const struct serial_tlv *tlv)
{
    for (size_t i = 0; i < tlv->endpoint_len; i++)
        if (tlv->endpoint[i] < '!' || tlv->endpoint[i] > '~')
            return false;
    return true;
}

/* Where the first whole message behind the start begins; the length of it all if there is none. */
static size_t find_message(const struct serial_cutter *cutter)
{
    struct serial_tlv tlv;

    for (size_t at = 1; at < cutter->len; at++)
        if (serial_tlv_parse(cutter->buf + at, cutter->len - at, &tlv) > 0 &&
            has_readable_name(&tlv))
            return at;
    return cutter->len;
}

static size_t next_length(const struct serial_cutter *cutter, bool quiet)
{
    struct serial_tlv tlv;
    const int parsed = serial_tlv_parse(cutter->buf, cutter->len, &tlv);

    if (parsed > 0)
        return (size_t)parsed;
    if (parsed == -EAGAIN)
        return quiet ? cutter->len : 0;

    const size_t noise = find_message(cutter);

    if (noise < cutter->len || quiet || cutter->len == sizeof(cutter->buf))
        return noise;
    return 0;
}

size_t serial_cutter_next(struct serial_cutter *cutter, bool quiet, const uint8_t **ret)
{
    forget_taken(cutter);

    size_t len = next_length(cutter, quiet);

    if (len > SERIAL_TLV_MAX_BYTES)
        len = SERIAL_TLV_MAX_BYTES;
    if (len > 0)
        *ret = cutter->buf;
    cutter->taken = len;
    return len;
}
