/* SPDX-License-Identifier: Apache-2.0 */
/* How fast, and how long still: on a clock of the test's own. */
#include "rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define KIB 1024

/* Goes on at `bytes_per_s` from `from_s` for `seconds`, in steps of a tenth. */
static uint64_t go_on(struct rate *rate, double from_s, unsigned seconds, uint64_t done,
                      unsigned bytes_per_s)
{
    for (unsigned i = 1; i <= seconds * 10; i++) {
        done += bytes_per_s / 10;
        rate_add(rate, from_s + i / 10.0, done);
    }
    return done;
}

static void nothing_is_known_at_first(void **state)
{
    (void)state;
    struct rate rate;

    rate_start(&rate, 1000);
    assert_true(rate_bytes_per_s(&rate) == 0);
    assert_true(rate_left_s(&rate, KIB) < 0);
    rate_add(&rate, 1001, 0);
    assert_true(rate_bytes_per_s(&rate) == 0);
    assert_true(rate_left_s(&rate, KIB) < 0);
}

static void after_a_change_the_last_seconds_count(void **state)
{
    (void)state;
    struct rate rate;

    rate_start(&rate, 1000);

    uint64_t done = go_on(&rate, 1000, 60, 0, 100 * KIB);

    assert_float_equal(rate_bytes_per_s(&rate), 100 * KIB, KIB);
    done = go_on(&rate, 1060, 10, done, 10 * KIB);
    assert_float_equal(rate_bytes_per_s(&rate), 10 * KIB, KIB); /* the mean is 87 */
    assert_float_equal(rate_left_s(&rate, done + 100 * KIB), 10, 0.5);
}

static void what_is_left_counts_down_while_the_rate_sways(void **state)
{
    (void)state;
    struct rate rate;
    const uint64_t total = 10000 * KIB;
    uint64_t done = 0;
    double before;

    rate_start(&rate, 1000);
    done = go_on(&rate, 1000, 10, done, 100 * KIB);
    before = rate_left_s(&rate, total);
    assert_float_equal(before, 90, 1);
    for (unsigned i = 10; i < 30; i++) {
        done = go_on(&rate, 1000 + i, 1, done, i % 2 ? 90 * KIB : 110 * KIB);

        const double left = rate_left_s(&rate, total);

        assert_float_equal(left, before - 1, 0.001);
        before = left;
    }
}

static void what_was_said_is_given_up_when_it_is_wrong(void **state)
{
    (void)state;
    struct rate rate;
    const uint64_t total = 10000 * KIB;

    rate_start(&rate, 1000);

    const uint64_t done = go_on(&rate, 1000, 10, 0, 100 * KIB);

    assert_float_equal(rate_left_s(&rate, total), 90, 1);
    go_on(&rate, 1010, 20, done, 50 * KIB);
    assert_float_equal(rate_left_s(&rate, total), 160, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_at_first),
        cmocka_unit_test(after_a_change_the_last_seconds_count),
        cmocka_unit_test(what_is_left_counts_down_while_the_rate_sways),
        cmocka_unit_test(what_was_said_is_given_up_when_it_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
