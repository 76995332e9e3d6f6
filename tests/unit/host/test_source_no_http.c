/* SPDX-License-Identifier: Apache-2.0 */
/* A build without HTTP: its one file that is different stands before the library's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hosted/source.h"

static void a_url_is_not_for_it(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://user:Sesam-7@127.0.0.1/x", "HTTPS://127.0.0.1/x"};
    struct hosted_source *source = NULL;
    struct hosted_fault fault;

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        assert_int_equal(hosted_source_open(urls[i], NULL, &source, &fault), -ENOSYS);
        assert_int_equal(fault.status, HOSTED_LOCAL);
        assert_non_null(strstr(fault.text, "this build has no HTTP"));
        assert_null(strstr(fault.text, "Sesam"));
        assert_null(source);
    }
}

static void a_file_is(void **state)
{
    (void)state;
    struct hosted_source *source = NULL;

    assert_int_equal(hosted_source_open("/proc/self/exe", NULL, &source, NULL), 0);
    hosted_source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_not_for_it),
        cmocka_unit_test(a_file_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
