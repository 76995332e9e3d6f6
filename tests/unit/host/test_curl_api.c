/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl is loaded once, whoever comes first. */
#include "curl_api.h"

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 4

static atomic_int started, loads;

void *__real_dlopen(const char *name, int flags);
void *__wrap_dlopen(const char *name, int flags);

/* Takes so long that every thread comes meanwhile. */
void *__wrap_dlopen(const char *name, int flags)
{
    if (strcmp(name, "libcurl.so.4") == 0)
        loads++;
    while (started < THREADS)
        usleep(1000);
    for (int ms = 0; loads < 2 && ms < 100; ms++)
        usleep(1000);
    return __real_dlopen(name, flags);
}

static void *load(void *ctx)
{
    const struct curl_api **api = ctx;

    started++;
    *api = curl_api_load();
    return NULL;
}

static void threads_may_load_it_at_once(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    const struct curl_api *apis[THREADS] = {NULL};

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load, &apis[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_non_null(apis[i]);
        assert_ptr_equal(apis[i], curl_api_load());
    }
    assert_int_equal(loads, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_may_load_it_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
