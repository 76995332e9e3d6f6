/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chip_time.h"
#include "esp_timer.h"
#include "update_watch.h"

static int s_calls;
static esp_timer_handle_t s_timer;

static void count(void *arg)
{
    (void)arg;
    s_calls++;
}

static int setup(void **state)
{
    const esp_timer_create_args_t args = {.callback = count};

    (void)state;
    world_begin();
    s_calls = 0;
    return esp_timer_create(&args, &s_timer) == ESP_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return esp_timer_delete(s_timer);
}

static void a_one_shot_fires_once(void **state)
{
    (void)state;
    assert_int_equal(esp_timer_start_once(s_timer, 1000), ESP_OK);
    assert_true(esp_timer_is_active(s_timer));
    world_advance(999);
    assert_int_equal(s_calls, 0);
    world_advance(1);
    assert_int_equal(s_calls, 1);
    assert_false(esp_timer_is_active(s_timer));
    world_advance(100000);
    assert_int_equal(s_calls, 1);
}

static void a_periodic_one_goes_on(void **state)
{
    (void)state;
    assert_int_equal(esp_timer_start_periodic(s_timer, 1000), ESP_OK);
    world_advance(10500);
    assert_int_equal(s_calls, 10);
    assert_int_equal(esp_timer_restart(s_timer, 2000), ESP_OK);
    world_advance(4000);
    assert_int_equal(s_calls, 12);
    assert_int_equal(esp_timer_stop(s_timer), ESP_OK);
    world_advance(10000);
    assert_int_equal(s_calls, 12);
}

static void misuse_is_refused_as_esp_idf_does(void **state)
{
    const esp_timer_create_args_t no_callback = {0};
    esp_timer_handle_t other;

    (void)state;
    assert_int_equal(esp_timer_create(NULL, &other), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_timer_create(&no_callback, &other), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_timer_start_once(NULL, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_timer_stop(s_timer), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_restart(s_timer, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_start_once(s_timer, 1), ESP_OK);
    assert_int_equal(esp_timer_start_once(s_timer, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_start_periodic(s_timer, 1), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_timer_delete(NULL), ESP_ERR_INVALID_ARG);
}

static void delete_itself(void *arg)
{
    (void)arg;
    s_calls++;
    esp_timer_delete(s_timer);
}

static void a_callback_may_delete_its_timer(void **state)
{
    const esp_timer_create_args_t args = {.callback = delete_itself};

    (void)state;
    assert_int_equal(esp_timer_delete(s_timer), ESP_OK);
    assert_int_equal(esp_timer_create(&args, &s_timer), ESP_OK);
    assert_int_equal(esp_timer_start_periodic(s_timer, 1000), ESP_OK);
    world_advance(10000);
    assert_int_equal(s_calls, 1);
    setup(state);
}

static void time_counts_from_the_reset(void **state)
{
    (void)state;
    world_advance(5000);
    assert_int_equal(esp_timer_get_time(), 5000);
    world->boot_us = 4000;
    assert_int_equal(esp_timer_get_time(), 1000);
}

/* The restart into an update comes by itself in every time; nothing else of the firmware does. */
static void a_one_shot_behind_an_update_is_its_restart(void **state)
{
    (void)state;
    update_watch_begin("ota_0");
    update_watch_end(ESP_FAIL);
    esp_timer_start_once(s_timer, 5000000);
    assert_null(sim_timers_next(SIM_TIMER_RESTART));
    esp_timer_stop(s_timer);

    update_watch_begin("ota_0");
    update_watch_end(ESP_OK);
    esp_timer_start_periodic(s_timer, 5000000);
    assert_null(sim_timers_next(SIM_TIMER_RESTART));
    esp_timer_stop(s_timer);
    esp_timer_start_once(s_timer, 5000000);
    assert_non_null(sim_timers_next(SIM_TIMER_RESTART));
    esp_timer_stop(s_timer);

    update_watch_begin("ota_0");
    esp_timer_start_once(s_timer, 5000000);
    assert_null(sim_timers_next(SIM_TIMER_RESTART));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_one_shot_fires_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_periodic_one_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(misuse_is_refused_as_esp_idf_does, setup, teardown),
        cmocka_unit_test_setup_teardown(a_callback_may_delete_its_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(time_counts_from_the_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(a_one_shot_behind_an_update_is_its_restart, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
