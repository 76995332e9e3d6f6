/* SPDX-License-Identifier: Apache-2.0 */
#include "serial_tlv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "noise.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The request of the specification's days that begins an update. */
static const uint8_t ota_begin[] = {0x01, 0x07, 0x00, 'c',  'o',  'n',  't', 'r',
                                    'o',  'l',  0x02, 0x02, 0x00, 0x08, 0x1c};

static int parse_copy(const uint8_t *bytes, size_t len, struct serial_tlv *ret)
{
    uint8_t *copy = malloc(len > 0 ? len : 1); /* the sanitizer watches its end */
    struct serial_tlv tlv = *ret;

    assert_non_null(copy);
    memcpy(copy, bytes, len);

    const int rc = serial_tlv_parse(copy, len, &tlv);

    if (rc < 0) {
        assert_memory_equal(&tlv, ret, sizeof(tlv)); /* untouched */
    } else {
        /* As it would be in the caller's bytes. */
        assert_true((size_t)rc <= len);
        assert_ptr_equal(tlv.endpoint, copy + 3);
        assert_ptr_equal(tlv.data + tlv.data_len, copy + rc);
        tlv.endpoint = bytes + (tlv.endpoint - copy);
        tlv.data = bytes + (tlv.data - copy);
        *ret = tlv;
    }
    free(copy);
    return rc;
}

static void a_request_is_read(void **state)
{
    (void)state;
    struct serial_tlv tlv = {0};

    assert_int_equal(parse_copy(ota_begin, sizeof(ota_begin), &tlv), sizeof(ota_begin));
    assert_int_equal(tlv.endpoint_len, 7);
    assert_memory_equal(tlv.endpoint, "control", 7);
    assert_int_equal(tlv.data_len, 2);
    assert_memory_equal(tlv.data, "\x08\x1c", 2);
}

static void a_request_is_written(void **state)
{
    (void)state;
    uint8_t buf[sizeof(ota_begin)] = {[13] = 0x08, [14] = 0x1c};

    assert_int_equal(serial_tlv_head("control", 2, buf, sizeof(buf)), 13);
    assert_memory_equal(buf, ota_begin, sizeof(ota_begin));
}

static void every_prefix_asks_for_more(void **state)
{
    (void)state;
    struct serial_tlv tlv = {.data_len = 0x55};

    for (size_t cut = 0; cut < sizeof(ota_begin); cut++)
        assert_int_equal(parse_copy(ota_begin, cut, &tlv), -EAGAIN);
}

/* Two messages in one read: the first says where the second begins. */
static void what_follows_stays(void **state)
{
    (void)state;
    uint8_t two[2 * sizeof(ota_begin)];
    struct serial_tlv tlv = {0};

    memcpy(two, ota_begin, sizeof(ota_begin));
    memcpy(two + sizeof(ota_begin), ota_begin, sizeof(ota_begin));
    for (size_t len = sizeof(ota_begin); len <= sizeof(two); len++)
        assert_int_equal(parse_copy(two, len, &tlv), sizeof(ota_begin));
    memset(two + sizeof(ota_begin), 0xff, sizeof(ota_begin));
    assert_int_equal(parse_copy(two, sizeof(two), &tlv), sizeof(ota_begin));
}

static void what_is_no_message_is_told_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *bytes;
        size_t known_at; /* before that byte more might come */
    } cases[] = {
        {"wrong first tag", "\x02", 1},
        {"a tag of 0", "\x00", 1},
        {"no name", "\x01\x00\x00", 3},
        {"a name of 15", "\x01\x0f\x00", 3},
        {"a name of 256", "\x01\x00\x01", 3},
        {"a name of 263", "\x01\x07\x01", 3},
        {"a name of 65535", "\x01\xff\xff", 3},
        {"wrong second tag", "\x01\x01\x00x\x01", 5},
        {"no data", "\x01\x01\x00x\x02\x00\x00", 7},
        {"data of 8186 with a name of 1", "\x01\x01\x00x\x02\xfa\x1f", 7},
        {"data of 65535", "\x01\x01\x00x\x02\xff\xff", 7},
    };
    struct serial_tlv tlv = {.data_len = 0x55};
    uint8_t bytes[5000];

    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("    %s\n", cases[i].name);
        memset(bytes, 'y', sizeof(bytes));
        memcpy(bytes, cases[i].bytes, cases[i].known_at);
        assert_int_equal(parse_copy(bytes, cases[i].known_at - 1, &tlv), -EAGAIN);
        assert_int_equal(parse_copy(bytes, cases[i].known_at, &tlv), -EBADMSG);
        assert_int_equal(parse_copy(bytes, sizeof(bytes), &tlv), -EBADMSG);
    }
}

/* Names of every length, each with the shortest and the longest data. */
static void there_and_back(void **state)
{
    (void)state;
    static const char letters[] = "abcdefghijklmn";

    for (size_t name_len = 1; name_len <= SERIAL_TLV_NAME_MAX; name_len++) {
        const size_t overhead = SERIAL_TLV_OVERHEAD(name_len);
        const size_t data_lens[] = {1, 255, 256, 4000, SERIAL_TLV_REPLY_MAX_BYTES - overhead};

        for (size_t i = 0; i < COUNT(data_lens); i++) {
            uint8_t buf[SERIAL_TLV_REPLY_MAX_BYTES];
            char name[SERIAL_TLV_NAME_MAX + 1] = {0};
            struct serial_tlv tlv = {0};

            memcpy(name, letters, name_len);
            memset(buf, 0xd5, sizeof(buf));
            assert_int_equal(serial_tlv_head(name, data_lens[i], buf, sizeof(buf)), overhead);
            assert_int_equal(buf[overhead], 0xd5);
            assert_int_equal(parse_copy(buf, sizeof(buf), &tlv), overhead + data_lens[i]);
            assert_int_equal(tlv.endpoint_len, name_len);
            assert_memory_equal(tlv.endpoint, name, name_len);
            assert_int_equal(tlv.data_len, data_lens[i]);
            assert_int_equal(parse_copy(buf, overhead + data_lens[i] - 1, &tlv), -EAGAIN);
        }
    }
}

static void what_does_not_fit_is_not_written(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t data_len, size;
        int result;
    } cases[] = {
        {"control", 2, 15, 13},
        {"control", 2, 14, -EMSGSIZE},
        {"control", 0, 12, -EMSGSIZE},
        {"control", 2, 0, -EMSGSIZE},
        {"control", SIZE_MAX, 4096, -EMSGSIZE},
        {"control", SIZE_MAX - 12, SIZE_MAX, -EMSGSIZE},
        {"control", SERIAL_TLV_MAX_BYTES - 13, SERIAL_TLV_MAX_BYTES, 13},
        {"control", SERIAL_TLV_MAX_BYTES - 12, SERIAL_TLV_MAX_BYTES, -EMSGSIZE},
        {"control", UINT16_MAX, 70000, 13},
        {"control", UINT16_MAX + 1, 70000, -EMSGSIZE},
        {"fourteen_bytes", 2, 100, 20},
        {"fifteen_bytes_x", 2, 100, -EMSGSIZE},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t buf[64];

        memset(buf, 0xd5, sizeof(buf));
        print_message("    %s, %zu into %zu\n", cases[i].name, cases[i].data_len, cases[i].size);
        assert_int_equal(serial_tlv_head(cases[i].name, cases[i].data_len, buf, cases[i].size),
                         cases[i].result);
        for (size_t j = cases[i].result < 0 ? 0 : (size_t)cases[i].result; j < sizeof(buf); j++)
            assert_int_equal(buf[j], 0xd5);
    }
}

/* What the bytes so far have been said to be, more bytes do not change. */
static void noise(void **state)
{
    (void)state;
    uint32_t random = 0x6b8b4567;
    size_t whole = 0;
    size_t bad = 0;

    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[48];
        int before = -EAGAIN;

        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)noise_next(&random);
        memcpy(bytes, ota_begin, noise_below(&random, sizeof(ota_begin)));
        if (round % 4 == 0)
            bytes[12] = 0; /* data that is short enough to end here */
        for (size_t len = 0; len <= sizeof(bytes); len++) {
            struct serial_tlv tlv = {0};
            const int rc = parse_copy(bytes, len, &tlv);

            if (before != -EAGAIN)
                assert_int_equal(rc, before);
            else
                assert_true(rc == -EAGAIN || rc == -EBADMSG || rc == (int)len);
            before = rc;
        }
        whole += before > 0;
        bad += before == -EBADMSG;
    }
    assert_true(whole > 10);
    assert_true(bad > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(a_request_is_written),
        cmocka_unit_test(every_prefix_asks_for_more),
        cmocka_unit_test(what_follows_stays),
        cmocka_unit_test(what_is_no_message_is_told_at_once),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(what_does_not_fit_is_not_written),
        cmocka_unit_test(noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
