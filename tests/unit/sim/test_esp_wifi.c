/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "chip_time.h"
#include "esp_mac.h"
#include "esp_private/wifi.h"

static const uint8_t s_nobody[6];
static const uint8_t s_station[6] = {0x24, 0x0a, 0xc4, 0x11, 0x22, 0x33};

/* What the event loop brought last. */
static int32_t s_event = -1;
static int s_events;
static uint8_t s_reason;
static uint8_t s_left[6]; /* the access point that the last disconnect named */
static int s_wire;        /* our end of what is behind the first access point */

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    s_event = id;
    s_events++;
    if (id != WIFI_EVENT_STA_DISCONNECTED)
        return;

    const wifi_event_sta_disconnected_t *const event = data;

    s_reason = event->reason;
    memcpy(s_left, event->bssid, sizeof(s_left));
}

static void put_up(const char *ssid, int8_t rssi, enum air_security security, int tap)
{
    struct air_ap *const ap = &world->air.aps[world->air.count++];

    *ap = (struct air_ap){.channel = 6, .rssi = rssi, .security = security, .tap = tap};
    strcpy(ap->ssid, ssid);
    ap->bssid[5] = (uint8_t)world->air.count;
    if (security != AIR_OPEN)
        strcpy(ap->password, "correct horse");
}

/* Datagrams stand for the TAP: one write, one frame. */
static int setup(void **state)
{
    const wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();
    int wire[2];

    (void)state;
    world_begin();
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, wire) < 0)
        return -1;
    s_wire = wire[0];
    put_up("closed", -60, AIR_WPA2, wire[1]);
    put_up("open", -40, AIR_OPEN, -1);
    put_up("safe", -80, AIR_WPA3, -1);
    esp_event_loop_create_default();
    esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_event, NULL);
    if (esp_wifi_init(&config) != ESP_OK || esp_wifi_set_mode(WIFI_MODE_STA) != ESP_OK ||
        esp_wifi_start() != ESP_OK)
        return -1;
    world_settle();
    s_events = 0;
    s_event = -1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    esp_wifi_stop();
    world_settle();
    esp_event_handler_unregister(WIFI_EVENT, ESP_EVENT_ANY_ID, on_event);
    close(s_wire);
    close(world->air.aps[0].tap);
    return 0;
}

static esp_err_t configure(const char *ssid, const char *password)
{
    wifi_config_t config = {0};

    memcpy(config.sta.ssid, ssid, strlen(ssid));
    memcpy(config.sta.password, password, strlen(password));
    return esp_wifi_set_config(WIFI_IF_STA, &config);
}

static void expect_connect(const char *ssid, const char *password, int32_t event, uint8_t reason)
{
    assert_int_equal(configure(ssid, password), ESP_OK);
    s_reason = 0;
    assert_int_equal(esp_wifi_connect(), ESP_OK);
    world_settle();
    assert_int_equal(s_event, event);
    assert_int_equal(s_reason, reason);
}

static void joins_and_leaves(void **state)
{
    wifi_ap_record_t ap;

    (void)state;
    assert_int_equal(esp_wifi_sta_get_ap_info(&ap), ESP_ERR_WIFI_NOT_CONNECT);
    expect_connect("closed", "correct horse", WIFI_EVENT_STA_CONNECTED, 0);
    assert_int_equal(esp_wifi_sta_get_ap_info(&ap), ESP_OK);
    assert_string_equal((const char *)ap.ssid, "closed");
    assert_int_equal(ap.primary, 6);
    assert_int_equal(ap.rssi, -60);
    assert_int_equal(ap.authmode, WIFI_AUTH_WPA2_PSK);
    assert_int_equal(esp_wifi_connect(), ESP_ERR_WIFI_CONN);
    assert_int_equal(esp_wifi_disconnect(), ESP_OK);
    world_settle();
    assert_int_equal(s_event, WIFI_EVENT_STA_DISCONNECTED);
    assert_int_equal(s_reason, WIFI_REASON_ASSOC_LEAVE);
    assert_memory_equal(s_left, s_nobody, 6);
    assert_int_equal(esp_wifi_sta_get_ap_info(&ap), ESP_ERR_WIFI_NOT_CONNECT);
}

static void failures_have_the_driver_s_reasons(void **state)
{
    (void)state;
    expect_connect("nobody", "", WIFI_EVENT_STA_DISCONNECTED, WIFI_REASON_NO_AP_FOUND);
    expect_connect("closed", "", WIFI_EVENT_STA_DISCONNECTED,
                   WIFI_REASON_NO_AP_FOUND_W_COMPATIBLE_SECURITY);
    expect_connect("closed", "wrong horse", WIFI_EVENT_STA_DISCONNECTED,
                   WIFI_REASON_4WAY_HANDSHAKE_TIMEOUT);
    expect_connect("closed", "wrong horse", WIFI_EVENT_STA_DISCONNECTED,
                   WIFI_REASON_CONNECTION_FAIL);
    expect_connect("safe", "correct horse", WIFI_EVENT_STA_CONNECTED, 0);
}

static void a_lost_access_point_is_told(void **state)
{
    (void)state;
    expect_connect("open", "", WIFI_EVENT_STA_CONNECTED, 0);
    air_switch(&world->air, "open", false);
    world_settle();
    assert_int_equal(s_event, WIFI_EVENT_STA_DISCONNECTED);
    assert_int_equal(s_reason, WIFI_REASON_BEACON_TIMEOUT);
    assert_memory_equal(s_left, world->air.aps[1].bssid, 6);
    expect_connect("open", "", WIFI_EVENT_STA_DISCONNECTED, WIFI_REASON_NO_AP_FOUND);
    assert_memory_equal(s_left, s_nobody, 6);
    air_switch(&world->air, "open", true);
}

static void switched_off_it_does_nothing(void **state)
{
    const wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();
    wifi_mode_t mode;

    (void)state;
    assert_int_equal(esp_wifi_deinit(), ESP_ERR_WIFI_NOT_STOPPED);
    assert_int_equal(esp_wifi_stop(), ESP_OK);
    assert_int_equal(esp_wifi_deinit(), ESP_OK);
    assert_int_equal(esp_wifi_deinit(), ESP_ERR_WIFI_NOT_INIT);
    assert_int_equal(esp_wifi_get_mode(&mode), ESP_ERR_WIFI_NOT_INIT);
    assert_int_equal(esp_wifi_connect(), ESP_ERR_WIFI_NOT_INIT);
    assert_int_equal(esp_wifi_init(&config), ESP_OK);
    assert_int_equal(esp_wifi_start(), ESP_OK);
    expect_connect("open", "", WIFI_EVENT_STA_CONNECTED, 0);
}

static void passwords_are_looked_at(void **state)
{
    char key[65] = "";

    (void)state;
    assert_int_equal(configure("closed", "1234567"), ESP_ERR_WIFI_PASSWORD);
    assert_int_equal(configure("closed", "12345678"), ESP_OK);
    memset(key, 'g', 64);
    assert_int_equal(configure("closed", key), ESP_ERR_WIFI_PASSWORD);
    memset(key, 'f', 64);
    assert_int_equal(configure("closed", key), ESP_OK);
    assert_int_equal(configure("", ""), ESP_OK);
    assert_int_equal(esp_wifi_connect(), ESP_ERR_WIFI_SSID);
}

static void a_scan_lists_the_strongest_first(void **state)
{
    wifi_ap_record_t found[4];
    uint16_t count = 2;

    (void)state;
    assert_int_equal(esp_wifi_scan_start(NULL, false), ESP_OK);
    assert_int_equal(esp_wifi_scan_start(NULL, false), ESP_ERR_WIFI_STATE);
    world_settle();
    assert_int_equal(s_event, WIFI_EVENT_SCAN_DONE);
    assert_int_equal(s_events, 1);
    assert_int_equal(esp_wifi_scan_get_ap_num(&count), ESP_OK);
    assert_int_equal(count, 3);
    count = 2;
    assert_int_equal(esp_wifi_scan_get_ap_records(&count, found), ESP_OK);
    assert_int_equal(count, 2);
    assert_string_equal((const char *)found[0].ssid, "open");
    assert_string_equal((const char *)found[1].ssid, "closed");
    esp_wifi_scan_get_ap_num(&count);
    assert_int_equal(count, 0);

    const wifi_scan_config_t safe = {.ssid = (uint8_t *)"safe"};

    assert_int_equal(esp_wifi_scan_start(&safe, true), ESP_OK);
    assert_int_equal(esp_wifi_scan_get_ap_record(&found[0]), ESP_OK);
    assert_int_equal(found[0].authmode, WIFI_AUTH_WPA3_PSK);
    assert_int_equal(esp_wifi_scan_get_ap_record(&found[0]), ESP_FAIL);
}

static void the_mode_decides_what_can_be_done(void **state)
{
    wifi_mode_t mode;

    (void)state;
    expect_connect("open", "", WIFI_EVENT_STA_CONNECTED, 0);
    assert_int_equal(esp_wifi_set_mode(WIFI_MODE_NULL), ESP_OK);
    world_settle();
    assert_int_equal(s_event, WIFI_EVENT_STA_STOP);
    assert_int_equal(world->air.joined, AIR_NO_AP);
    assert_int_equal(esp_wifi_get_mode(&mode), ESP_OK);
    assert_int_equal(mode, WIFI_MODE_NULL);
    assert_int_equal(esp_wifi_connect(), ESP_ERR_WIFI_MODE);
    assert_int_equal(esp_wifi_scan_start(NULL, true), ESP_ERR_WIFI_MODE);
    assert_int_equal(configure("open", ""), ESP_ERR_WIFI_MODE);
    assert_int_equal(esp_wifi_set_mode(WIFI_MODE_NAN), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_wifi_set_mode(WIFI_MODE_MAX), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_wifi_set_mode(WIFI_MODE_APSTA), ESP_OK);
    assert_int_equal(esp_wifi_connect(), ESP_OK);
    assert_int_equal(esp_wifi_stop(), ESP_OK);
    assert_int_equal(esp_wifi_connect(), ESP_ERR_WIFI_NOT_STARTED);
}

static void addresses_can_be_set(void **state)
{
    static const uint8_t other[6] = {0x1a, 1, 2, 3, 4, 5};
    static const uint8_t group[6] = {0x15, 1, 2, 3, 4, 5};
    uint8_t mac[6];

    (void)state;
    assert_int_equal(esp_wifi_get_mac(WIFI_IF_STA, mac), ESP_OK);
    assert_memory_equal(mac, s_station, 6);
    assert_int_equal(esp_wifi_get_mac(WIFI_IF_AP, mac), ESP_OK);
    assert_int_equal(mac[5], 0x34);
    assert_int_equal(esp_wifi_set_mac(WIFI_IF_STA, mac), ESP_ERR_WIFI_MAC);
    assert_int_equal(esp_wifi_set_mac(WIFI_IF_STA, group), ESP_ERR_WIFI_MAC);
    assert_int_equal(esp_wifi_set_mac(WIFI_IF_AP, other), ESP_ERR_WIFI_MODE);
    assert_int_equal(esp_wifi_set_mac(WIFI_IF_STA, other), ESP_OK);
    assert_int_equal(esp_wifi_get_mac(WIFI_IF_STA, mac), ESP_OK);
    assert_memory_equal(mac, other, 6);
    assert_int_equal(esp_read_mac(mac, ESP_MAC_WIFI_STA), ESP_OK);
    assert_memory_equal(mac, s_station, 6);
    assert_int_equal(esp_wifi_set_mac(WIFI_IF_STA, s_station), ESP_OK);
}

static int s_received;

static esp_err_t on_rx(void *buffer, uint16_t len, void *eb)
{
    assert_int_equal(len, 60);
    assert_ptr_equal(buffer, eb);
    s_received++;
    esp_wifi_internal_free_rx_buffer(eb);
    return ESP_OK;
}

static void make_frame(uint8_t frame[60], const uint8_t to[6], const uint8_t from[6])
{
    memset(frame, 0, 60);
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
}

static void arrive(const uint8_t to[6], const uint8_t from[6])
{
    uint8_t frame[60];

    make_frame(frame, to, from);
    assert_int_equal(write(s_wire, frame, sizeof(frame)), (ssize_t)sizeof(frame));
    air_receive(&world->air, 0);
}

static void frames_pass_while_associated(void **state)
{
    static const uint8_t gateway[6] = {2, 0, 0, 0, 0, 9};
    static const uint8_t everybody[6] = {255, 255, 255, 255, 255, 255};
    uint8_t frame[60], got[64];

    (void)state;
    s_received = 0;
    assert_int_equal(esp_wifi_internal_reg_rxcb(WIFI_IF_STA, on_rx), ESP_OK);
    make_frame(frame, gateway, s_station);
    assert_int_equal(esp_wifi_internal_tx(WIFI_IF_STA, frame, 60), ESP_ERR_WIFI_NOT_ASSOC);
    arrive(s_station, gateway);
    assert_int_equal(s_received, 0);

    expect_connect("closed", "correct horse", WIFI_EVENT_STA_CONNECTED, 0);
    assert_int_equal(esp_wifi_internal_tx(WIFI_IF_STA, frame, 60), ESP_OK);
    assert_int_equal(read(s_wire, got, sizeof(got)), 60);
    assert_memory_equal(got, frame, 60);
    assert_int_equal(esp_wifi_internal_tx(WIFI_IF_STA, frame, 13), ESP_ERR_INVALID_ARG);

    arrive(s_station, gateway);
    arrive(everybody, gateway);
    assert_int_equal(s_received, 2);
    arrive(gateway, gateway);     /* for somebody else */
    arrive(everybody, s_station); /* our own, sent on by the access point */
    assert_int_equal(s_received, 2);
    esp_wifi_internal_reg_rxcb(WIFI_IF_STA, NULL);
    arrive(s_station, gateway);
    assert_int_equal(s_received, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(joins_and_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_have_the_driver_s_reasons, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_access_point_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(switched_off_it_does_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(passwords_are_looked_at, setup, teardown),
        cmocka_unit_test_setup_teardown(a_scan_lists_the_strongest_first, setup, teardown),
        cmocka_unit_test_setup_teardown(the_mode_decides_what_can_be_done, setup, teardown),
        cmocka_unit_test_setup_teardown(addresses_can_be_set, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_pass_while_associated, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
