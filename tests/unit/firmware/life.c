/* SPDX-License-Identifier: Apache-2.0 */
#include "life.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "esp_system.h"

/* The linker (--wrap) sends esp_restart() here. */
_Noreturn void __wrap_esp_restart(void);

_Noreturn void __wrap_esp_restart(void)
{
    exit(LIFE_RESTARTED);
}

static int wait_for(pid_t child)
{
    int status = -1;

    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int lives_run(const struct CMUnitTest *tests, size_t count)
{
    int failed = 0;

    for (size_t i = 0; i < count; i++) {
        fflush(NULL);

        const pid_t child = fork();

        if (child == 0)
            exit(_cmocka_run_group_tests(tests[i].name, &tests[i], 1, NULL, NULL) == 0 ? 0 : 1);
        if (wait_for(child) != 0) {
            fprintf(stderr, "failed: %s\n", tests[i].name);
            failed++;
        }
    }
    return failed;
}

enum life_end life_live(void (*body)(void *arg), void *arg)
{
    fflush(NULL);

    const pid_t child = fork();

    if (child == 0) {
        body(arg);
        exit(LIFE_DONE);
    }

    const int end = wait_for(child);

    /* A failed assertion leaves the body for the end of the test, and exits with 1 there. */
    assert_true(end == LIFE_DONE || end == LIFE_RESTARTED || end == LIFE_POWER_CUT);
    return (enum life_end)end;
}
