/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "release.h"

static void the_form_and_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "FG-1.0.0.0.0",
        "FG-0.0.0.0.0",
        "NG-1.0.2.3.4",
        "a-b-1.2.3.4.5",
        "fifteen_letters-4294967295.4294967295.4294967295.4294967295.4294967295",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct release release;
        char buf[RELEASE_TEXT_BYTES];

        assert_true(release_parse(texts[i], &release));
        assert_string_equal(release_format(&release, buf), texts[i]);
    }
}

static void its_parts(void **state)
{
    (void)state;
    struct release release;

    assert_true(release_parse("FG-1.22.333.4.5", &release));
    assert_string_equal(release.name, "FG");
    assert_int_equal(release.numbers[0], 1);
    assert_int_equal(release.numbers[1], 22);
    assert_int_equal(release.numbers[2], 333);
    assert_int_equal(release.numbers[3], 4);
    assert_int_equal(release.numbers[4], 5);
}

static void other_versions_are_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "2.0.0",
        "FG",
        "FG-",
        "-1.0.0.0.0",
        "FG-1.0.0.0",
        "FG-1.0.0.0.0.",
        "FG-1.0.0.0.x",
        "FG-1..0.0.0",
        "FG-1.0.0.0.0-dirty",
        "v5.1-1.2.3",
        "FG-1.0.0.0.0 ",
        "FG-+1.0.0.0.0",
        "FG 1.0.0.0.0",
        "FG-4294967296.0.0.0.0",
        "sixteen_letters_-1.0.0.0.0",
    };
    const struct release untouched = {.name = "old"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct release release = untouched;

        print_message("    '%s'\n", texts[i]);
        assert_false(release_parse(texts[i], &release));
        assert_memory_equal(&release, &untouched, sizeof(release));
    }
}

static void equal_in_every_part(void **state)
{
    (void)state;
    struct release a, b;

    assert_true(release_parse("FG-1.2.3.4.5", &a));
    assert_true(release_parse("FG-01.2.3.4.5", &b));
    assert_true(release_equal(&a, &b));
    for (int i = 0; i < RELEASE_NUMBERS; i++) {
        b.numbers[i]++;
        assert_false(release_equal(&a, &b));
        b.numbers[i]--;
    }
    strcpy(b.name, "NG");
    assert_false(release_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_and_back),
        cmocka_unit_test(its_parts),
        cmocka_unit_test(other_versions_are_none),
        cmocka_unit_test(equal_in_every_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
