/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIFE_H
#define LIFE_H
/*
 * The firmware keeps its state in static variables, which only a reset clears. So every test runs
 * in a process of its own: one life of the chip. A test that needs several makes the flash, which
 * processes share, and lives them one after the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Runs the tests, each in a life of its own; returns how many failed. */
int lives_run(const struct CMUnitTest *tests, size_t count);
#define LIVES_RUN(tests) lives_run(tests, sizeof(tests) / sizeof((tests)[0]))

/* How a life ended; what a failed assertion in it makes of it is none of these. */
enum life_end {
    LIFE_DONE,           /* the body returned */
    LIFE_RESTARTED = 90, /* esp_restart() */
    LIFE_POWER_CUT = 99,
};

/* Lives a life in the middle of a test. The RTC memory is handed from one to the next, unless it
 * ends with a power cut. */
enum life_end life_live(void (*body)(void *arg), void *arg);

/* Between two lives the power was off: what the RTC memory holds is anything. */
#define LIFE_RTC_BYTES 256
void life_lose_rtc(uint8_t fill);

#endif
