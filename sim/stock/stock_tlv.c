/* SPDX-License-Identifier: Apache-2.0 */
/* Stock firmware: endpoint and data of a message. */
#include <errno.h>
#include <string.h>

#include "stock.h"

#define HEAD_BYTES 3 /* tag and length */

#define TAG_ENDPOINT 1
#define TAG_DATA     2

/* The part at `bytes`, with its bytes behind the head. Checks come in the order of upstream's. */
static int read_part(const uint8_t *bytes, size_t left, size_t *ret)
{
    if (left < HEAD_BYTES)
        return -EOVERFLOW;

    const size_t part = (size_t)(bytes[1] | bytes[2] << 8);

    if (bytes[0] != TAG_ENDPOINT && bytes[0] != TAG_DATA)
        return -EBADMSG;
    if (bytes[0] == TAG_ENDPOINT && part > SERIAL_TLV_NAME_MAX)
        return -EBADMSG;
    if (part > left - HEAD_BYTES)
        return -EOVERFLOW;
    *ret = part;
    return 0;
}

int stock_tlv_find(const uint8_t *message, size_t len, struct serial_tlv *ret)
{
    struct serial_tlv found = {0};

    while (len > 0) {
        size_t part = 0;
        const int rc = read_part(message, len, &part);

        if (rc < 0)
            return rc;
        if (message[0] == TAG_ENDPOINT) {
            found.endpoint = message + HEAD_BYTES;
            found.endpoint_len = part;
        } else {
            found.data = message + HEAD_BYTES;
            found.data_len = part;
        }
        message += HEAD_BYTES + part;
        len -= HEAD_BYTES + part;
    }
    if (found.endpoint_len == 0 || found.data_len == 0)
        return -EBADMSG;
    *ret = found;
    return 0;
}

bool stock_tlv_is_for(const struct serial_tlv *parts, const char *endpoint)
{
    return parts->endpoint_len == strlen(endpoint) &&
           memcmp(parts->endpoint, endpoint, parts->endpoint_len) == 0;
}
