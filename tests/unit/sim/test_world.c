/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reset executes the program anew: this one, too. Its first life ends in world_reset(), its
 * second finds out what is left and says it by its exit status; a child process of the test has
 * both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "esp_attr.h"
#include "esp_system.h"
#include "world.h"

static char **s_argv;

/* With the reason for the reset: the exit status of a second life that is content. */
#define LEFT_RIGHT 42

static RTC_NOINIT_ATTR uint32_t s_kept;
static uint32_t s_lost;

/* What kept its power kept its contents; the other holds neither them nor zeros. */
static bool rtc_memory_is_right(void)
{
    if (world->reset == WORLD_RESET_EXTERNAL)
        return s_kept != 0xcafe && s_kept != 0;
    return s_kept == 0xcafe;
}

static bool reason_is_told(void)
{
    static const esp_reset_reason_t told[] = {
        [WORLD_RESET_EXTERNAL] = ESP_RST_POWERON,
        [WORLD_RESET_SOFTWARE] = ESP_RST_SW,
        [WORLD_RESET_PANIC] = ESP_RST_PANIC,
        [WORLD_RESET_WATCHDOG] = ESP_RST_WDT,
    };

    return esp_reset_reason() == told[world->reset];
}

static int second_life(void)
{
    char text[4] = "";

    if (world_open(s_argv) != 0)
        return 10;
    if (!reason_is_told())
        return 11;
    if (world->flash_operations != 4711)
        return 12;
    if (!rtc_memory_is_right() || s_lost != 0)
        return 13;
    if (recv(world->bus.client, text, sizeof(text), MSG_DONTWAIT) != 3 || strcmp(text, "hi") != 0)
        return 14;
    return getenv("ESP32_SIM_WORLD") == NULL ? LEFT_RIGHT + (int)world->reset : 15;
}

static void first_life(int client, enum world_reset reason)
{
    if (world_open(s_argv) != 1 || s_kept == 0) /* after power-on there is garbage */
        _exit(1);
    world->events.file = world->bus.listener = world->ctl.listener = world->flash = -1;
    for (int i = 0; i < CTL_MAX_CLIENTS; i++)
        world->ctl.clients[i].fd = -1;
    world->bus.client = client;
    world->flash_operations = 4711;
    s_kept = 0xcafe;
    s_lost = 0xcafe;
    if (reason == WORLD_RESET_SOFTWARE)
        esp_restart();
    if (reason == WORLD_RESET_PANIC)
        esp_system_abort("of the test");
    world_reset(reason);
}

static void check_reset(enum world_reset reason)
{
    int bus[2], status;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, bus), 0);
    assert_int_equal(send(bus[0], "hi", 3, 0), 3);

    const pid_t child = fork();

    if (child == 0)
        first_life(bus[1], reason);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), LEFT_RIGHT + (int)reason);
    close(bus[0]);
    close(bus[1]);
}

static void a_reset_keeps_the_world_and_loses_the_ram(void **state)
{
    (void)state;
    check_reset(WORLD_RESET_EXTERNAL);
    check_reset(WORLD_RESET_SOFTWARE);
    check_reset(WORLD_RESET_PANIC);
    check_reset(WORLD_RESET_WATCHDOG);
}

static void what_is_handed_over_must_be_a_world(void **state)
{
    (void)state;
    setenv("ESP32_SIM_WORLD", "0", 1);
    assert_int_equal(world_open(s_argv), 1);
    setenv("ESP32_SIM_WORLD", "nonsense", 1);
    assert_int_equal(world_open(s_argv), 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_keeps_the_world_and_loses_the_ram),
        cmocka_unit_test(what_is_handed_over_must_be_a_world),
    };

    (void)argc;
    s_argv = argv;
    if (getenv("ESP32_SIM_WORLD") != NULL)
        return second_life();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
