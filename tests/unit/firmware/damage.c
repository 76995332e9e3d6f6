/* SPDX-License-Identifier: Apache-2.0 */
#include "damage.h"

#include <stdlib.h>
#include <string.h>

#include "life.h"
#include "peer.h"

/* xorshift32: the same numbers everywhere. */
static uint32_t s_random = 1;

uint32_t draw(uint32_t below)
{
    s_random ^= s_random << 13;
    s_random ^= s_random >> 17;
    s_random ^= s_random << 5;
    return s_random % below;
}

void fill_at_random(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)draw(256);
}

size_t damage(uint8_t *bytes, size_t len, size_t size)
{
    for (uint32_t times = 1 + draw(3); times > 0; times--) {
        const size_t at = draw((uint32_t)len);
        const size_t n = 1 + draw((uint32_t)(len - at));

        switch (draw(4)) {
        case 0:
            bytes[at] ^= (uint8_t)(1u << draw(8));
            break;
        case 1:
            bytes[at] = (uint8_t)draw(256);
            break;
        case 2:
            if (n < len) {
                memmove(bytes + at, bytes + at + n, len - at - n);
                len -= n;
            }
            break;
        default:
            if (len + n <= size) {
                memmove(bytes + at + n, bytes + at, len - at);
                len += n;
            }
            break;
        }
    }
    return len;
}

/* Just these bytes, for the sanitiser. */
static uint8_t *copy_of(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    memcpy(copy, bytes, len);
    return copy;
}

size_t damage_cut(const char *endpoint, const uint8_t *message, size_t len)
{
    struct serial_tlv whole;

    assert_int_equal(serial_tlv_parse(message, len, &whole), len);
    for (size_t cut = 1; cut < len; cut++) {
        uint8_t *const copy = copy_of(message, cut);

        peer_send(copy, cut);
        free(copy);
        peer_settle();
        assert_int_equal(peer_take_answers(NULL), 0);
    }
    for (size_t cut = 1; cut < whole.data_len; cut++) {
        uint8_t *const copy = copy_of(whole.data, cut);

        peer_send_request(endpoint, copy, cut);
        free(copy);
        peer_settle();
        assert_true(peer_take_answers(NULL) <= 1);
    }
    peer_check_alive();
    peer_take_answers(NULL);
    return len + whole.data_len - 2;
}
