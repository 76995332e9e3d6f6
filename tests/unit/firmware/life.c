/* SPDX-License-Identifier: Apache-2.0 */
#include "life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "esp_system.h"
#include "shutdown.h"

/* The linker (--wrap) sends esp_restart() here. */
_Noreturn void __wrap_esp_restart(void);

_Noreturn void __wrap_esp_restart(void)
{
    sim_run_shutdown_handlers();
    exit(LIFE_RESTARTED);
}

/* What the chip's RTC memory holds between its lives (esp_attr.h); shared between processes. */
extern char __start_rtc_noinit[], __stop_rtc_noinit[];

static uint8_t *s_rtc;

static size_t rtc_bytes(void)
{
    return (size_t)((uintptr_t)__stop_rtc_noinit - (uintptr_t)__start_rtc_noinit);
}

static void save_rtc(void)
{
    memcpy(s_rtc, __start_rtc_noinit, rtc_bytes());
}

static void restore_rtc(void)
{
    memcpy(__start_rtc_noinit, s_rtc, rtc_bytes());
}

void life_lose_rtc(uint8_t fill)
{
    memset(s_rtc, fill, LIFE_RTC_BYTES);
}

static void make_rtc(void)
{
    if (s_rtc != NULL)
        return;
    s_rtc = mmap(NULL, LIFE_RTC_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(s_rtc, MAP_FAILED);
    assert_true(rtc_bytes() <= LIFE_RTC_BYTES);
    life_lose_rtc(0x5a);
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
    make_rtc();

    const pid_t child = fork();

    if (child == 0) {
        restore_rtc();
        atexit(save_rtc);
        body(arg);
        exit(LIFE_DONE);
    }

    const int end = wait_for(child);

    /* A failed assertion leaves the body for the end of the test, and exits with 1 there. */
    if (end == LIFE_POWER_CUT)
        life_lose_rtc(0xa5);
    assert_true(end == LIFE_DONE || end == LIFE_RESTARTED || end == LIFE_POWER_CUT);
    return (enum life_end)end;
}
