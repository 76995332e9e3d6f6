/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "serial_tlv.h"

static const uint8_t wire[] = "\x01\x07\x00"
                              "control\x02\x02\x00\xaa\xbb";

static void every_prefix_asks_for_more(void **state)
{
    const size_t whole = sizeof(wire) - 1;
    struct serial_tlv tlv = {0};

    (void)state;
    for (size_t cut = 0; cut < whole; cut++) {
        uint8_t *copy = malloc(cut + 1); /* one more: malloc(0) may be NULL */

        assert_non_null(copy);
        memcpy(copy, wire, cut);
        assert_int_equal(serial_tlv_parse(copy, cut, &tlv), -EAGAIN);
        assert_int_equal(tlv.data_len, 0);
        free(copy);
    }
    assert_int_equal(serial_tlv_parse(wire, whole, &tlv), whole);
    assert_memory_equal(tlv.data, "\xaa\xbb", 2);
}

static void what_can_never_be_a_message_is_told_at_once(void **state)
{
    struct serial_tlv tlv;

    (void)state;
    assert_int_equal(serial_tlv_parse((const uint8_t *)"\x02", 1, &tlv), -EBADMSG);
    assert_int_equal(serial_tlv_parse((const uint8_t *)"\x01\x00\x00", 3, &tlv), -EBADMSG);
    assert_int_equal(serial_tlv_parse((const uint8_t *)"\x01\x0f\x00", 3, &tlv), -EBADMSG);
    assert_int_equal(serial_tlv_parse((const uint8_t *)"\x01\x01\x00x\x01", 5, &tlv), -EBADMSG);
    assert_int_equal(serial_tlv_parse((const uint8_t *)"\x01\x01\x00x\x02\x00\x00", 7, &tlv),
                     -EBADMSG);
    assert_int_equal(serial_tlv_parse((const uint8_t *)"\x01\x01\x00x\x02\xfa\x0f", 7, &tlv),
                     -EBADMSG);
}

static void a_head_is_as_recorded(void **state)
{
    uint8_t buf[32];

    (void)state;
    assert_int_equal(serial_tlv_head("control", 2, buf, sizeof(buf)), 13);
    assert_memory_equal(buf, wire, 13);
    assert_int_equal(serial_tlv_head("control", 20, buf, sizeof(buf)), -EMSGSIZE);
    assert_int_equal(serial_tlv_head("fifteen letters", 1, buf, sizeof(buf)), -EMSGSIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix_asks_for_more),
        cmocka_unit_test(what_can_never_be_a_message_is_told_at_once),
        cmocka_unit_test(a_head_is_as_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
