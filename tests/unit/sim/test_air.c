/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "air.h"

static struct air s_air;
static char s_why[256];

static int load(const char *json)
{
    char path[] = "/tmp/esp32-sim-aps-XXXXXX";
    const int file = mkstemp(path);

    assert_true(file >= 0);
    assert_int_equal(write(file, json, strlen(json)), (ssize_t)strlen(json));
    close(file);
    s_why[0] = '\0';

    const int rc = air_load(&s_air, path, s_why, sizeof(s_why));

    unlink(path);
    return rc;
}

static void an_access_point_is_read_whole(void **state)
{
    (void)state;
    assert_int_equal(load("[{\"ssid\": \"MyWifi\", \"bssid\": \"11:22:33:44:55:66\", "
                          "\"channel\": 6, \"rssi\": -40, \"security\": \"wpa3\", "
                          "\"password\": \"MyWifiPass@123\"}]"),
                     0);
    assert_int_equal(s_air.count, 1);

    const struct air_ap *const ap = &s_air.aps[0];

    assert_string_equal(ap->ssid, "MyWifi");
    assert_memory_equal(ap->bssid, "\x11\x22\x33\x44\x55\x66", 6);
    assert_int_equal(ap->channel, 6);
    assert_int_equal(ap->rssi, -40);
    assert_int_equal(ap->security, AIR_WPA3);
    assert_string_equal(ap->password, "MyWifiPass@123");
    assert_int_equal(ap->tap, -1);
    assert_int_equal(s_air.joined, AIR_NO_AP);
}

static void a_password_says_the_security(void **state)
{
    (void)state;
    assert_int_equal(load("[{\"ssid\": \"a\", \"password\": \"12345678\"}, {\"ssid\": \"b\"}]"), 0);
    assert_int_equal(s_air.aps[0].security, AIR_WPA2);
    assert_int_equal(s_air.aps[1].security, AIR_OPEN);
}

static void a_bad_file_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *json, *reason;
    } cases[] = {
        {"", "not a JSON list"},
        {"{}", "not a JSON list"},
        {"[{}]", "\"ssid\" must"},
        {"[{\"ssid\": 5}]", "\"ssid\" must"},
        {"[{\"ssid\": \"123456789012345678901234567890123\"}]", "\"ssid\" must"},
        {"[{\"ssid\": \"a\", \"bssid\": \"11:22\"}]", "\"bssid\" must"},
        {"[{\"ssid\": \"a\", \"channel\": 0}]", "\"channel\" must"},
        {"[{\"ssid\": \"a\", \"channel\": \"6\"}]", "\"channel\" must"},
        {"[{\"ssid\": \"a\", \"rssi\": 5}]", "\"rssi\" must"},
        {"[{\"ssid\": \"a\", \"security\": \"wep\"}]", "\"security\" must"},
        {"[{\"ssid\": \"a\", \"security\": \"wpa2\"}]", "\"password\" goes"},
        {"[{\"ssid\": \"a\", \"security\": \"open\", \"password\": \"x\"}]", "\"password\" goes"},
        {"[{\"ssid\": \"ok\"}, {\"ssid\": \"\"}]", "access point 2"},
        {"[{\"ssid\": \"a\", \"tap\": \"a name beyond bounds\"}]", "\"tap\" must"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(load(cases[i].json), -EINVAL);
        assert_non_null(strstr(s_why, cases[i].reason));
    }
    assert_int_equal(air_load(&s_air, "/nowhere/aps.json", s_why, sizeof(s_why)), -ENOENT);
    assert_non_null(strstr(s_why, "/nowhere/aps.json"));
}

static void no_file_is_an_empty_air(void **state)
{
    (void)state;
    assert_int_equal(air_load(&s_air, NULL, s_why, sizeof(s_why)), 0);
    assert_int_equal(air_join(&s_air, "a", NULL, ""), AIR_NOT_FOUND);
}

static void joining_asks_name_security_and_password(void **state)
{
    (void)state;
    assert_int_equal(load("[{\"ssid\": \"closed\", \"password\": \"12345678\"}, "
                          "{\"ssid\": \"open\", \"bssid\": \"02:00:00:00:00:09\"}]"),
                     0);
    assert_int_equal(air_join(&s_air, "closed", NULL, "12345678"), AIR_JOINED);
    assert_int_equal(s_air.joined, 0);
    assert_int_equal(air_join(&s_air, "closed", NULL, "12345679"), AIR_WRONG_PASSWORD);
    assert_int_equal(s_air.joined, AIR_NO_AP);
    assert_int_equal(air_join(&s_air, "closed", NULL, ""), AIR_OTHER_SECURITY);
    assert_int_equal(air_join(&s_air, "open", NULL, "12345678"), AIR_OTHER_SECURITY);
    assert_int_equal(air_join(&s_air, "Open", NULL, ""), AIR_NOT_FOUND);
    assert_int_equal(air_join(&s_air, "open", (const uint8_t *)"\2\0\0\0\0\x09", ""), AIR_JOINED);
    assert_int_equal(s_air.joined, 1);
    assert_int_equal(air_join(&s_air, "open", (const uint8_t *)"\2\0\0\0\0\x08", ""),
                     AIR_NOT_FOUND);
}

static void the_strongest_of_a_name_wins(void **state)
{
    (void)state;
    assert_int_equal(load("[{\"ssid\": \"a\", \"rssi\": -70, \"bssid\": \"02:00:00:00:00:01\"}, "
                          "{\"ssid\": \"a\", \"rssi\": -30, \"bssid\": \"02:00:00:00:00:02\"}, "
                          "{\"ssid\": \"a\", \"rssi\": -50, \"bssid\": \"02:00:00:00:00:03\"}]"),
                     0);
    assert_int_equal(air_join(&s_air, "a", NULL, ""), AIR_JOINED);
    assert_int_equal(s_air.joined, 1);
}

static int s_lost;

static void count_lost(void)
{
    s_lost++;
}

static void an_access_point_can_vanish_and_come_back(void **state)
{
    static const struct air_station station = {.on_lost = count_lost};

    (void)state;
    assert_int_equal(load("[{\"ssid\": \"a\"}, {\"ssid\": \"b\"}]"), 0);
    air_set_station(&station);
    assert_int_equal(air_join(&s_air, "a", NULL, ""), AIR_JOINED);
    assert_int_equal(air_switch(&s_air, "b", false), 1);
    assert_int_equal(s_lost, 0);
    assert_int_equal(air_switch(&s_air, "a", false), 1);
    assert_int_equal(s_lost, 1);
    assert_int_equal(s_air.joined, AIR_NO_AP);
    assert_int_equal(air_join(&s_air, "a", NULL, ""), AIR_NOT_FOUND);
    assert_int_equal(air_switch(&s_air, "a", true), 1);
    assert_int_equal(air_join(&s_air, "a", NULL, ""), AIR_JOINED);
    assert_int_equal(air_switch(&s_air, "c", true), 0);
    air_set_station(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_access_point_is_read_whole),
        cmocka_unit_test(a_password_says_the_security),
        cmocka_unit_test(a_bad_file_is_refused_with_the_reason),
        cmocka_unit_test(no_file_is_an_empty_air),
        cmocka_unit_test(joining_asks_name_security_and_password),
        cmocka_unit_test(the_strongest_of_a_name_wins),
        cmocka_unit_test(an_access_point_can_vanish_and_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
