/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mac.h"

static void an_address_is_read(void **state)
{
    uint8_t mac[6];

    (void)state;
    assert_int_equal(mac_parse("24:0a:C4:11:22:fF", mac), 0);
    assert_memory_equal(mac, "\x24\x0a\xc4\x11\x22\xff", 6);
}

static void what_is_none_changes_nothing(void **state)
{
    static const char *const cases[] = {
        "",
        "24:0a:c4:11:22:3",
        "24:0a:c4:11:22:333",
        "24:0a:c4:11:22:3g",
        "24-0a-c4-11-22-33",
        "24:0a:c4:11:22:+3",
        "24:0a:c4:11:2:033",
        " 4:0a:c4:11:22:33",
        "240ac4112233     ",
    };
    uint8_t mac[6] = {1, 2, 3, 4, 5, 6};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(mac_parse(cases[i], mac), -EINVAL);
    assert_memory_equal(mac, "\1\2\3\4\5\6", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_read),
        cmocka_unit_test(what_is_none_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
