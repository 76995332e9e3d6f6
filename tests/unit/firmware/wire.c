/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include "life.h"

static uint64_t take_varint(const uint8_t **at, const uint8_t *end)
{
    uint64_t value = 0;

    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        const uint8_t byte = *(*at)++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    fail_msg("the message ends in a number");
    return 0;
}

struct wire_field wire_take(const uint8_t **at, const uint8_t *end)
{
    struct wire_field field = {.begin = *at};
    const uint64_t key = take_varint(at, end);

    field.number = (unsigned)(key >> 3);
    if ((key & 7) == 0) {
        field.value = take_varint(at, end);
    } else {
        assert_int_equal(key & 7, 2);
        field.len = take_varint(at, end);
        field.bytes = *at;
        assert_true(field.len <= (size_t)(end - *at));
        *at += field.len;
    }
    field.end = *at;
    return field;
}

uint8_t *wire_put_varint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}
