/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "chip_time.h"
#include "esp_event.h"

ESP_EVENT_DEFINE_BASE(SOME);
ESP_EVENT_DEFINE_BASE(OTHER);

static char s_log[128];
static char s_a[] = "a", s_b[] = "b"; /* arguments of handlers */

static void note(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    char line[32];

    snprintf(line, sizeof(line), "%s:%s%d%s ", (const char *)arg, base, (int)id,
             data != NULL ? (const char *)data : "");
    strcat(s_log, line);
}

static int setup(void **state)
{
    (void)state;
    world_begin();
    s_log[0] = '\0';
    return 0;
}

static void without_a_loop_there_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(esp_event_post(SOME, 1, NULL, 0, 0), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_handler_register(SOME, 1, note, NULL), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    assert_int_equal(esp_event_loop_create_default(), ESP_ERR_INVALID_STATE);
}

static void events_come_later_in_order_to_those_who_want_them(void **state)
{
    (void)state;
    assert_int_equal(esp_event_handler_register(SOME, 1, note, s_a), ESP_OK);
    assert_int_equal(esp_event_handler_register(SOME, ESP_EVENT_ANY_ID, note, s_b), ESP_OK);
    assert_int_equal(esp_event_post(SOME, 1, "x", 2, portMAX_DELAY), ESP_OK);
    assert_int_equal(esp_event_post(SOME, 2, NULL, 0, portMAX_DELAY), ESP_OK);
    assert_int_equal(esp_event_post(OTHER, 1, NULL, 0, portMAX_DELAY), ESP_OK);
    assert_string_equal(s_log, "");
    world_settle();
    assert_string_equal(s_log, "a:SOME1x b:SOME1x b:SOME2 ");
    assert_int_equal(esp_event_handler_unregister(SOME, 1, note), ESP_OK);
    assert_int_equal(esp_event_handler_unregister(SOME, ESP_EVENT_ANY_ID, note), ESP_OK);
}

static void take_all_away(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    note(arg, base, id, data);
    esp_event_handler_unregister(SOME, 1, take_all_away);
    esp_event_handler_unregister(SOME, ESP_EVENT_ANY_ID, note);
    esp_event_post(SOME, 1, NULL, 0, portMAX_DELAY);
}

static void a_handler_may_take_handlers_away(void **state)
{
    (void)state;
    esp_event_handler_register(SOME, 1, take_all_away, s_a);
    esp_event_handler_register(SOME, ESP_EVENT_ANY_ID, note, s_b);
    esp_event_post(SOME, 1, NULL, 0, portMAX_DELAY);
    world_settle();
    assert_string_equal(s_log, "a:SOME1 ");
}

static void an_instance_is_taken_away_alone(void **state)
{
    esp_event_handler_instance_t first, second;

    (void)state;
    esp_event_handler_instance_register(SOME, 1, note, s_a, &first);
    esp_event_handler_instance_register(SOME, 1, note, s_b, &second);
    assert_int_equal(esp_event_handler_instance_unregister(SOME, 1, first), ESP_OK);
    esp_event_post(SOME, 1, NULL, 0, portMAX_DELAY);
    world_settle();
    assert_string_equal(s_log, "b:SOME1 ");
    assert_int_equal(esp_event_handler_instance_unregister(SOME, 1, second), ESP_OK);
    assert_int_equal(esp_event_handler_instance_unregister(SOME, 1, NULL), ESP_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_a_loop_there_is_nothing, setup), /* first: makes the loop */
        cmocka_unit_test_setup(events_come_later_in_order_to_those_who_want_them, setup),
        cmocka_unit_test_setup(a_handler_may_take_handlers_away, setup),
        cmocka_unit_test_setup(an_instance_is_taken_away_alone, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
