/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"

static void numbers_are_grouped(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {999, "999"},
        {1000, "1,000"},
        {574000, "574,000"},
        {1048576, "1,048,576"},
        {UINT64_MAX, "18,446,744,073,709,551,615"},
    };
    char buf[TEXT_NUMBER_BYTES];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(text_number(buf, cases[i].value), cases[i].text);
}

static void what_moves_a_cursor_is_spelt_out(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"Home", "Home"},
        {"Caf\xc3\xa9 \xe2\x98\x95 \xf0\x9f\x98\x80", "Caf\xc3\xa9 \xe2\x98\x95 \xf0\x9f\x98\x80"},
        {"\x1b[31m\r\n\x7f", "\\x1b[31m\\x0d\\x0a\\x7f"},
        {"back\\slash", "back\\x5cslash"},            /* or "\x1b" could be forged */
        {"\xc2\x9b", "\\xc2\\x9b"},                   /* CSI as UTF-8 */
        {"\x9b", "\\x9b"},                            /* and as a byte */
        {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},          /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate */
        {"\xe2\x80\xae", "\\xe2\\x80\\xae"},          /* right to left from here */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above Unicode */
        {"\xff\xfe", "\\xff\\xfe"},
        {"cut \xe2\x98", "cut \\xe2\\x98"},
    };
    char buf[64];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(
            text_printable(buf, sizeof(buf), cases[i].bytes, strlen(cases[i].bytes)),
            cases[i].text);
}

static void no_text_leaves_its_buffer(void **state)
{
    (void)state;

    for (size_t size = 1; size < 20; size++) {
        char *buf = malloc(size); /* the sanitizer watches its end */

        text_printable(buf, size, "a\x1b\xe2\x98\x95", 5);
        assert_true(strlen(buf) < size);
        free(buf);
    }
}

static void a_mac_is_six_pairs(void **state)
{
    (void)state;
    static const char *const none[] = {"",
                                       "24:0a:c4:11:22",
                                       "24:0a:c4:11:22:3",
                                       "24:0a:c4:11:22:333",
                                       "24-0a-c4-11-22-33",
                                       "24:0a:c4:11:22:3g",
                                       " 4:0a:c4:11:22:33",
                                       "24:0a:c4:11:22:33:"};
    static const uint8_t expected[] = {0x24, 0x0a, 0xc4, 0x11, 0x22, 0xff};
    uint8_t mac[6];

    assert_true(text_is_mac("24:0A:c4:11:22:fF", mac));
    assert_memory_equal(mac, expected, sizeof(mac));
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(text_is_mac(none[i], NULL));
}

static void a_fault_is_one_printable_line(void **state)
{
    (void)state;
    struct hosted_fault fault = {.device_code = 7, .offset = 9};
    char long_name[1000];

    assert_int_equal(fault_set(&fault, HOSTED_BUSY, -EBUSY, "%s: %d", "a\nb\x1b", 5), -EBUSY);
    assert_string_equal(fault.text, "a?b?: 5");
    assert_int_equal(fault.status, HOSTED_BUSY);
    assert_int_equal(fault.error, -EBUSY);
    assert_int_equal(fault.device_code, 0);
    assert_int_equal(fault.offset, 0);
    fault_add(&fault, "; %s", "more");
    assert_string_equal(fault.text, "a?b?: 5; more");

    /* What text_printable() has escaped is not escaped twice. */
    fault_set(&fault, HOSTED_LOCAL, -EIO, "%s", "\\x1b \xe2\x98\x95 \xff \xc2\x9b \xe2\x80\xae");
    assert_string_equal(fault.text, "\\x1b \xe2\x98\x95 ? ?? ???");

    assert_int_equal(fault_errno(&fault, HOSTED_LOCAL, ENOENT, "x"), -ENOENT);
    assert_int_equal(fault_errno(&fault, HOSTED_LOCAL, -ENOENT, "x"), -ENOENT);
    assert_string_equal(fault.text, "x: No such file or directory");

    assert_int_equal(fault_set(NULL, HOSTED_BUSY, -EBUSY, "x"), -EBUSY);
    fault_add(NULL, "x");

    /* Cut between characters, wherever the end falls. */
    for (size_t shift = 0; shift < 4; shift++) {
        memset(long_name, 'a', shift);
        for (size_t i = shift; i + 3 < sizeof(long_name); i += 3)
            memcpy(long_name + i, "\xe2\x98\x95", 4);
        fault_set(&fault, HOSTED_LOCAL, -EIO, "%s", long_name);

        const size_t len = strlen(fault.text);

        assert_in_range(len, HOSTED_FAULT_TEXT_BYTES - 5, HOSTED_FAULT_TEXT_BYTES - 1);
        assert_int_equal((len - shift) % 3, 0);
        fault_add(&fault, "no room");
        assert_true(strlen(fault.text) < HOSTED_FAULT_TEXT_BYTES);
    }
}

static void digits_of_bytes(void **state)
{
    (void)state;
    char buf[9];

    assert_string_equal(text_hex(buf, "\x00\x9f\xa0\xff", 4), "009fa0ff");
    assert_string_equal(text_hex(buf, "", 0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_grouped),
        cmocka_unit_test(digits_of_bytes),
        cmocka_unit_test(what_moves_a_cursor_is_spelt_out),
        cmocka_unit_test(no_text_leaves_its_buffer),
        cmocka_unit_test(a_mac_is_six_pairs),
        cmocka_unit_test(a_fault_is_one_printable_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
