/* SPDX-License-Identifier: Apache-2.0 */
/* The framing of the control device: serial_tlv_parse(). Input: what a read gave. */
#include "serial_tlv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* A read may end anywhere: no shorter one is taken for something else. */
static void check_prefixes(const uint8_t *data, size_t whole)
{
    const size_t cuts[] = {0, 1, 2, 3, 4, whole / 2, whole - 1};

    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        uint8_t *cut = fuzz_copy(data, cuts[i]);
        struct serial_tlv tlv;

        REQUIRE(cuts[i] >= whole || serial_tlv_parse(cut, cuts[i], &tlv) == -EAGAIN);
        free(cut);
    }
}

static void check_rebuilt(const uint8_t *data, const struct serial_tlv *tlv)
{
    char name[SERIAL_TLV_NAME_MAX + 1] = {0};
    uint8_t head[SERIAL_TLV_OVERHEAD(SERIAL_TLV_NAME_MAX)];
    uint8_t whole[SERIAL_TLV_REPLY_MAX_BYTES];

    memcpy(name, tlv->endpoint, tlv->endpoint_len);
    if (strlen(name) != tlv->endpoint_len)
        return; /* a NUL in the name: we never write such */

    const int len = serial_tlv_head(name, tlv->data_len, whole, sizeof(whole));

    REQUIRE(len == (int)SERIAL_TLV_OVERHEAD(tlv->endpoint_len));
    REQUIRE(memcmp(whole, data, (size_t)len) == 0);
    REQUIRE(serial_tlv_head(name, 1, head, (size_t)len) == -EMSGSIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct serial_tlv tlv;
    const int whole = serial_tlv_parse(data, size, &tlv);

    if (whole < 0) {
        REQUIRE(whole == -EAGAIN || whole == -EBADMSG);
        REQUIRE(whole != -EAGAIN || size < SERIAL_TLV_REPLY_MAX_BYTES);
        return 0;
    }
    REQUIRE((size_t)whole <= size && whole <= SERIAL_TLV_REPLY_MAX_BYTES);
    REQUIRE(tlv.endpoint_len > 0 && tlv.endpoint_len <= SERIAL_TLV_NAME_MAX && tlv.data_len > 0);
    REQUIRE(tlv.endpoint == data + 3);
    REQUIRE(tlv.data + tlv.data_len == data + whole);
    check_prefixes(data, (size_t)whole);
    check_rebuilt(data, &tlv);
    return 0;
}
