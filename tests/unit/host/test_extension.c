/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "extended.h"

static void a_request_is_packed_as_the_protocol_has_it(void **state)
{
    static const uint8_t expected[] = {0x12, 7, 0x08, 0xa0, 0x1f, 0x10, 0x80, 0x80, 0x04};
    HostedExtension__Write write = HOSTED_EXTENSION__WRITE__INIT;
    HostedExtension__Request request = HOSTED_EXTENSION__REQUEST__INIT;
    struct extension_request packed;

    (void)state;
    write.has_offset = write.has_run_end = true;
    write.offset = 4000;
    write.run_end = 65536;
    request.what_case = HOSTED_EXTENSION__REQUEST__WHAT_WRITE;
    request.write = &write;
    extension_pack(&request, &packed);
    assert_int_equal(packed.len, sizeof(expected));
    assert_memory_equal(packed.bytes, expected, sizeof(expected));
}

static struct ctrl_reply reply_of(const char *bytes, size_t len)
{
    struct ctrl_reply reply = {.extension_len = len};

    memcpy(reply.extension, bytes, len);
    return reply;
}

static void a_reply_is_read(void **state)
{
    static const char bytes[] = "\x08\x0d\x10\x85\x02\x1a\x03"
                                "a\x1b!\x20\x80\x20\x28\x07";
    struct ctrl_reply reply = reply_of(bytes, sizeof(bytes) - 1);
    struct extension_reply said;

    (void)state;
    assert_int_equal(extension_read(&reply, &said), 0);
    assert_int_equal(said.code, HOSTED_EXTENSION__CODE__ERASE_FAILED);
    assert_int_equal(said.esp_err, 261);
    assert_true(said.has_address);
    assert_int_equal(said.address, 4096);
    assert_true(said.has_next);
    assert_int_equal(said.next, 7);
    assert_null(strchr(said.text, '\x1b')); /* it may end up on a terminal */
}

static void what_is_no_reply_is_said_to_be_none(void **state)
{
    struct ctrl_reply reply = reply_of("", 0);
    struct extension_reply said;
    struct hosted_slots slots;

    (void)state;
    assert_int_equal(extension_read(&reply, &said), -ENOENT);
    reply = reply_of("\x1a\x09short", 7);
    assert_int_equal(extension_read(&reply, &said), -EBADMSG);
    reply = reply_of("\x08\x00", 2);
    assert_int_equal(extension_read_status(&reply, &slots), -EBADMSG);
}

static void more_digests_than_were_asked_for_are_left(void **state)
{
    struct ctrl_reply reply = {.extension_len =
                                   3 + (EXTENSION_DIGESTS_MAX + 1) * EXTENSION_DIGEST_BYTES};
    struct extension_reply said;

    (void)state;
    memcpy(reply.extension, "\x3a\xa0\x10", 3);
    assert_int_equal(extension_read(&reply, &said), 0);
    assert_int_equal(said.digest_count, EXTENSION_DIGESTS_MAX);
}

static void every_code_has_words(void **state)
{
    (void)state;
    for (int32_t code = 1; code <= HOSTED_EXTENSION__CODE__TOO_SHORT; code++)
        assert_non_null(extension_code_words(code));
    assert_null(extension_code_words(0));
    assert_null(extension_code_words(HOSTED_EXTENSION__CODE__TOO_SHORT + 1));
    assert_null(extension_code_words(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_packed_as_the_protocol_has_it),
        cmocka_unit_test(a_reply_is_read),
        cmocka_unit_test(what_is_no_reply_is_said_to_be_none),
        cmocka_unit_test(more_digests_than_were_asked_for_are_left),
        cmocka_unit_test(every_code_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
