/* SPDX-License-Identifier: Apache-2.0 */
/* The specification's functions, on a real pty. */
#include "hosted/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_esp32.h"
#include "pty_esp32.h"

static int start(void **state)
{
    struct pty_esp32 *esp32 = calloc(1, sizeof(*esp32));

    pty_esp32_open(esp32);
    commands_configure(&(const struct hosted_options){.path = esp32->path});
    *state = esp32;
    return 0;
}

static int stop(void **state)
{
    struct pty_esp32 *esp32 = *state;

    commands_configure(NULL);
    pty_esp32_stop(esp32);
    free(esp32);
    return 0;
}

static void an_update_by_hand(void **state)
{
    struct pty_esp32 *esp32 = *state;
    static const uint8_t image[10000] = {0xe9};

    pty_esp32_start(esp32);
    assert_int_equal(esp_ota_begin(), SUCCESS);
    /* No other control command gets in between, not even of this process. */
    assert_int_equal(wifi_get_mode(&(int){0}), FAILURE);
    assert_int_equal(commands_last_fault()->status, HOSTED_BUSY);
    assert_int_equal(esp_ota_write(image, 1), SUCCESS);
    assert_int_equal(esp_ota_write(image + 1, sizeof(image) - 1), SUCCESS);
    assert_int_equal(esp_ota_end(), SUCCESS);
    assert_int_equal(esp_ota_end(), FAILURE);
    assert_int_equal(esp_ota_write(image, 1), FAILURE);
    assert_int_equal(wifi_get_mode(&(int){0}), SUCCESS); /* it is free again */

    static const uint8_t expected[] = {FAKE_GET_MODE, FAKE_BEGIN, FAKE_WRITE,
                                       FAKE_WRITE,    FAKE_WRITE, FAKE_WRITE,
                                       FAKE_GET_MODE, FAKE_END,   FAKE_GET_MODE};

    assert_int_equal(esp32->requests, sizeof(expected));
    assert_memory_equal(esp32->numbers, expected, sizeof(expected));
}

static void no_end_after_a_failed_write(void **state)
{
    struct pty_esp32 *esp32 = *state;

    esp32->refuse = FAKE_WRITE;
    pty_esp32_start(esp32);
    assert_int_equal(esp_ota_begin(), SUCCESS);
    assert_int_equal(esp_ota_write("x", 1), FAILURE);
    assert_int_equal(commands_last_fault()->status, HOSTED_REFUSED);
    assert_int_equal(commands_last_fault()->device_code, -1);
    assert_int_equal(esp_ota_end(), FAILURE);
    assert_int_equal(commands_last_fault()->status, HOSTED_USAGE);
    assert_int_equal(esp32->numbers[esp32->requests - 1], FAKE_WRITE);
}

static void begin_twice_begins_anew(void **state)
{
    struct pty_esp32 *esp32 = *state;

    pty_esp32_start(esp32);
    assert_int_equal(esp_ota_begin(), SUCCESS);
    assert_int_equal(esp_ota_begin(), SUCCESS);
    assert_int_equal(esp_ota_write("x", 1), SUCCESS);
    assert_int_equal(esp_ota_end(), SUCCESS);
}

static void a_refused_begin_is_no_update(void **state)
{
    struct pty_esp32 *esp32 = *state;

    esp32->refuse = FAKE_BEGIN;
    pty_esp32_start(esp32);
    assert_int_equal(esp_ota_begin(), FAILURE);
    assert_int_equal(esp_ota_write("x", 1), FAILURE);
    assert_int_equal(esp_ota_end(), FAILURE);
}

static void each_wifi_command_does_its_one_thing(void **state)
{
    struct pty_esp32 *esp32 = *state;
    const struct hosted_network network = {.ssid = "Home"};
    char mac[HOSTED_MAC_CHARS + 1];
    struct hosted_ap *list = NULL;
    struct hosted_ap ap;
    int mode = 9;

    pty_esp32_start(esp32);
    assert_int_equal(wifi_get_mac(1, mac), SUCCESS);
    assert_string_equal(mac, "24:0a:c4:11:22:33");
    assert_int_equal(wifi_set_mac(1, mac), SUCCESS);
    assert_int_equal(wifi_get_mode(&mode), SUCCESS);
    assert_int_equal(mode, 0);
    assert_int_equal(wifi_set_mode(1), SUCCESS);
    assert_int_equal(wifi_set_ap_config(&network), SUCCESS);
    assert_int_equal(wifi_get_ap_config(&ap), SUCCESS);
    assert_int_equal(wifi_ap_scan_list(&list), 0);
    assert_int_equal(wifi_disconnect_ap(), SUCCESS);
    free(list);

    static const uint8_t expected[] = {FAKE_GET_MAC, FAKE_SET_MAC, FAKE_GET_MODE, FAKE_SET_MODE,
                                       FAKE_CONNECT, FAKE_GET_AP,  FAKE_SCAN,     FAKE_DISCONNECT};
    unsigned at = 0;

    for (unsigned i = 0; i < esp32->requests; i++)
        at += at < sizeof(expected) && esp32->numbers[i] == expected[at];
    assert_int_equal(at, sizeof(expected));
}

static void without_a_device_all_fail(void **state)
{
    (void)state;
    char mac[HOSTED_MAC_CHARS + 1];
    struct hosted_ap *list = NULL;
    struct hosted_ap ap;
    int mode;

    setenv("ESP_HOSTED_DEVICE", "/nonexistent/esps7", 1);
    commands_configure(NULL);
    assert_int_equal(esp_ota_begin(), FAILURE);
    assert_int_equal(wifi_get_mac(1, mac), FAILURE);
    assert_int_equal(wifi_set_mac(1, "24:0a:c4:11:22:33"), FAILURE);
    assert_int_equal(wifi_get_mode(&mode), FAILURE);
    assert_int_equal(wifi_set_mode(1), FAILURE);
    assert_int_equal(wifi_set_ap_config(&(struct hosted_network){.ssid = "x"}), FAILURE);
    assert_int_equal(wifi_get_ap_config(&ap), FAILURE);
    assert_int_equal(wifi_disconnect_ap(), FAILURE);
    assert_int_equal(wifi_ap_scan_list(&list), FAILURE);
    assert_int_equal(interface_up(1, "ethsta0"), FAILURE);
    assert_int_equal(commands_last_fault()->status, HOSTED_NO_ANSWER);
    assert_non_null(strstr(commands_last_fault()->text, "/nonexistent/esps7"));
    assert_int_equal(interface_down("no-such-if0"), FAILURE);
    assert_int_equal(commands_last_fault()->status, HOSTED_LOCAL);
    unsetenv("ESP_HOSTED_DEVICE");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(an_update_by_hand),
        CASE(no_end_after_a_failed_write),
        CASE(begin_twice_begins_anew),
        CASE(a_refused_begin_is_no_update),
        CASE(each_wifi_command_does_its_one_thing),
        CASE(without_a_device_all_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
