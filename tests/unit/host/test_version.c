/* SPDX-License-Identifier: Apache-2.0 */
#include "version.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNTOUCHED    77

/* 0 and *ret, or -EINVAL and nothing. */
static int compare(const char *a, const char *b, int *ret)
{
    int order = UNTOUCHED;
    const int err = version_compare(a, b, &order);

    assert_int_equal(err, order == UNTOUCHED ? -EINVAL : 0);
    *ret = order;
    return err;
}

static void assert_order(const char *a, const char *b, int expected)
{
    int order = 0, back = 0;

    if (compare(a, b, &order) != 0 || compare(b, a, &back) != 0)
        fail_msg("'%s' and '%s' are not compared", a, b);
    if ((order > 0) - (order < 0) != expected || (back > 0) - (back < 0) != -expected)
        fail_msg("'%s' and '%s': %d, and %d back", a, b, order, back);
}

/* Each is older than all that follow it. Those between bars are one version. */
static const char *const ascending[][4] = {
    {"0", "v0.0.0"},
    {"0.0.1-alpha"},
    {"0.0.1"},
    {"0.9.9.9"},
    {"1.0.0-0"},
    {"1.0.0-1"},
    {"1.0.0-9"},
    {"1.0.0-10", "1.0.0-010"},
    {"1.0.0-ALPHA"},
    {"1.0.0-alpha", "v1-alpha", "1.0alpha", "1.0.0-alpha+001"},
    {"1.0.0-alpha.1"},
    {"1.0.0-alpha.beta"},
    {"1.0.0-beta", "1beta"},
    {"1.0.0-beta-3-gabc1234"},
    {"1.0.0-beta-3-gabc1234-dirty"},
    {"1.0.0-beta.2"},
    {"1.0.0-beta.11"},
    {"1.0.0-dev"},
    {"1.0.0-pre1"},
    {"1.0.0-rc.1"},
    {"1.0.0-rc1", "v1.0-rc1", "1.0rc1", "1.0-rc01"},
    {"1.0.0-rc1-dirty"},
    {"1.0.0-rc2"},
    {"1.0.0-rc10"},
    {"1.0.0-x-y-z.--"},
    {"1.0.0", "1", "v1.0", "1.0.0.0+build.5"},
    {"1.0.0-dirty", "v1.0-0-gabc1234-dirty"},
    {"1.0.0-1-gfff0000"},
    {"1.0.0-2-g0001111"},
    {"1.0.0-2-g0001111-dirty"},
    {"1.0.0-14-gabc1234", "v1.0-14-gabc1234"},
    {"1.0.0-14-gabc1234-dirty"},
    {"1.0.0-100-gabc1234"},
    {"1.0.0.1"},
    {"1.0.1-rc1"},
    {"1.0.1"},
    {"1.2"},
    {"1.10"},
    {"2.0.0-dev-5-gabc12"},
    {"2.0.0"},
    {"9.0"},
    {"10.0"},
    {"20261126"},
    {"18446744073709551616"},
    {"18446744073709551617.1"},
};

static void all_pairs(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(ascending); i++) {
        for (size_t j = 0; j < COUNT(ascending); j++) {
            for (size_t m = 0; m < 4 && ascending[i][m] != NULL; m++) {
                for (size_t n = 0; n < 4 && ascending[j][n] != NULL; n++)
                    assert_order(ascending[i][m], ascending[j][n], (i > j) - (i < j));
            }
        }
    }
}

static const char *const releases[] = {
    "FG-0.0.0.0.1", "FG-1.0.0.0.0", "FG-1.0.0.0.1",  "FG-1.0.0.1.0", "FG-1.0.1.0.0",
    "FG-1.1.0.0.0", "FG-1.9.0.0.0", "FG-1.10.0.0.0", "FG-2.0.0.0.0",
};

static void releases_of_one_name(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(releases); i++) {
        for (size_t j = 0; j < COUNT(releases); j++)
            assert_order(releases[i], releases[j], (i > j) - (i < j));
    }
    assert_order("FG-1.02.0.0.0", "FG-1.2.0.0.0", 0);
}

/* With nothing but themselves. */
static const char *const incomparable[] = {
    "",
    "unknown",
    "v",
    "-dirty",
    "abc1234",
    "4207abc",
    "4207abc-dirty",
    "7e12345",
    "12b3456",
    "deadbeef",
    "1.",
    ".1",
    "1..2",
    "1.0-",
    "1.0-a..b",
    "1.0-a.",
    "1.0-.a",
    "1.0+",
    "1.0+a+b",
    "1.0 ",
    " 1.0",
    "1.0_rc1",
    "1.0 rc1",
    "1.0-r\xc3\xa4",
    "1.0x",
    "1,0",
    "-1.0",
    "+1.0",
    "vv1.0",
    "NG-1.0.0.0.0",
    "FG-1.0.0.0",
    "FG-1.0.0.0.0-dirty",
};

static void words_and_hashes(void **state)
{
    (void)state;
    int order;

    for (size_t i = 0; i < COUNT(incomparable); i++) {
        const char *a = incomparable[i];

        for (size_t j = 0; j < COUNT(incomparable); j++) {
            if (i != j && compare(a, incomparable[j], &order) == 0)
                fail_msg("'%s' and '%s' are compared", a, incomparable[j]);
        }
        for (size_t j = 0; j < COUNT(releases); j++)
            assert_int_equal(compare(a, releases[j], &order), -EINVAL);
        for (size_t j = 0; j < COUNT(ascending); j++) {
            if (compare(a, ascending[j][0], &order) == 0 ||
                compare(ascending[j][0], a, &order) == 0)
                fail_msg("'%s' and '%s' are compared", a, ascending[j][0]);
        }
    }
    for (size_t i = 0; i < COUNT(releases); i++) {
        for (size_t j = 0; j < COUNT(ascending); j++)
            assert_int_equal(compare(releases[i], ascending[j][0], &order), -EINVAL);
    }
}

static void equal_texts_are_one_version(void **state)
{
    (void)state;

    for (size_t i = 1; i < COUNT(incomparable); i++)
        assert_order(incomparable[i], incomparable[i], 0);

    int order;

    assert_int_equal(compare("", "", &order), -EINVAL); /* it says nothing */
}

static void commits_of_two_branches(void **state)
{
    (void)state;
    int order;

    assert_int_equal(compare("1.0-14-gabc1234", "1.0-14-gdef5678", &order), -EINVAL);
    assert_int_equal(compare("1.0-14-gabc1234", "1.0-14-gdef5678-dirty", &order), -EINVAL);
    assert_order("1.0-0-gabc1234", "1.0-0-gdef5678", 0); /* both are 1.0 */
    assert_order("1.0-14-gabc1234", "1.1-14-gdef5678", -1);
}

/* What looks like `git describe` and is not, is a pre-release. */
static void almost_a_commit(void **state)
{
    (void)state;
    static const char *const texts[] = {"1.0-x-gabc1234", "1.0-14-abc1234", "1.0-14-gxyz1234",
                                        "1.0-14-gabc", "1.0-gabc1234"};

    for (size_t i = 0; i < COUNT(texts); i++)
        assert_order(texts[i], "1.0", -1);
}

/* Of any three texts that can be compared with each other. */
static void transitivity(void **state)
{
    (void)state;
    const char *all[COUNT(ascending) * 4 + COUNT(releases) + COUNT(incomparable)];
    static int orders[COUNT(all)][COUNT(all)];
    size_t count = 0;

    for (size_t i = 0; i < COUNT(ascending); i++) {
        for (size_t n = 0; n < 4 && ascending[i][n] != NULL; n++)
            all[count++] = ascending[i][n];
    }
    for (size_t i = 0; i < COUNT(releases); i++)
        all[count++] = releases[i];
    for (size_t i = 0; i < COUNT(incomparable); i++)
        all[count++] = incomparable[i];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order;

            compare(all[i], all[j], &order);
            orders[i][j] = order == UNTOUCHED ? UNTOUCHED : (order > 0) - (order < 0);
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (orders[i][j] == UNTOUCHED) {
                assert_int_equal(orders[j][i], UNTOUCHED);
                continue;
            }
            assert_int_equal(orders[i][j], -orders[j][i]);
            for (size_t k = 0; k < count; k++) {
                if (orders[j][k] == UNTOUCHED || orders[i][j] * orders[j][k] < 0)
                    continue;

                const int expected = orders[i][j] != 0 ? orders[i][j] : orders[j][k];

                if (orders[i][k] != expected)
                    fail_msg("'%s', '%s', '%s'", all[i], all[j], all[k]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pairs),
        cmocka_unit_test(releases_of_one_name),
        cmocka_unit_test(words_and_hashes),
        cmocka_unit_test(equal_texts_are_one_version),
        cmocka_unit_test(commits_of_two_branches),
        cmocka_unit_test(almost_a_commit),
        cmocka_unit_test(transitivity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
