/* SPDX-License-Identifier: Apache-2.0 */
/* Connect, scan and disconnect, in whatever order a host and a radio come up with; and the
 * station's frames. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "board.h"
#include "chip_time.h"
#include "esp_wifi.h"
#include "frame.h"
#include "hosted_control.h"
#include "life.h"
#include "peer.h"

#define SECOND_US ((int64_t)1000000)

#define CONNECT_HOME  "08 08 92 01 16 0a 04 686f6d65 12 0e 636f727265637420686f727365 21"
#define CONNECT_WRONG "08 08 92 01 16 0a 04 686f6d65 12 0e 77726f6e67727920686f727365 21"
#define CONNECT_AWAY  "08 08 92 01 16 0a 04 61776179 12 0e 636f727265637420686f727365 21"
#define DISCONNECT    "08 0e"
#define SCAN          "08 12"
#define GET_AP        "08 06"

enum { WRONG_PASSWORD = 3, NO_AP_FOUND = 2, NOT_CONNECTED = 1 };

/* The linker's names (--wrap). */
esp_err_t __real_esp_wifi_connect(void);
esp_err_t __wrap_esp_wifi_connect(void);

static int s_connects; /* calls of the driver */
static wifi_config_t s_config;

esp_err_t __wrap_esp_wifi_connect(void)
{
    s_connects++;
    esp_wifi_get_config(WIFI_IF_STA, &s_config);
    return __real_esp_wifi_connect();
}

static int setup(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    peer_put_up("home", "correct horse!", -50);
    peer_start_firmware();
    return 0;
}

static bool is_connected(void)
{
    return peer_result(GET_AP, 6) == 0;
}

/* Time goes by, and the application ticks. */
static void advance_s(int seconds)
{
    for (; seconds > 0; seconds--) {
        world_advance(SECOND_US);
        hosted_control_on_tick();
    }
    peer_settle();
}

/* The same, with a radio that does nothing at all. */
static void advance_in_silence_s(int seconds)
{
    for (; seconds > 0; seconds--) {
        sim_clock_move_to(&world->clock, world_now_us() + SECOND_US);
        hosted_control_on_tick();
    }
}

/* Sends without waiting for what the radio makes of it. */
static void say(const char *hex)
{
    uint8_t bytes[64];

    peer_send_request("control", bytes, peer_unhex(hex, bytes, sizeof(bytes)));
}

/* Number and `resp` of the one answer that came; the number is -1 without one. */
static int take_answer(int *resp)
{
    struct message answer;
    const size_t answers = peer_take_answers(&answer);

    assert_true(answers <= 1);
    if (answers == 0)
        return -1;
    *resp = (int8_t)answer.bytes[answer.len - 1];
    if (answer.len > 20) /* -1 is long: ten bytes, of which the last is 1 */
        *resp = answer.bytes[answer.len - 2] == 0xff ? -1 : *resp;
    return answer.bytes[14];
}

static void connects_and_disconnects(void **state)
{
    (void)state;
    assert_int_equal(peer_result(GET_AP, 6), NOT_CONNECTED);
    assert_int_equal(peer_result(CONNECT_HOME, 1), 0);
    assert_int_equal(s_connects, 1);
    assert_true(is_connected());
    assert_int_equal(peer_result(CONNECT_HOME, 1), 0); /* again is no mistake */
    assert_true(is_connected());
    assert_int_equal(peer_result(DISCONNECT, 1), 0);
    assert_int_equal(peer_result(GET_AP, 6), NOT_CONNECTED);
    assert_int_equal(peer_result(DISCONNECT, 1), -1);
    advance_s(60); /* and stays away */
    assert_int_equal(peer_result(GET_AP, 6), NOT_CONNECTED);
    assert_int_equal(s_connects, 2);
}

/* Upstream counts its tries in a variable that no later connect resets. */
static void every_connect_has_all_its_tries(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(peer_result(CONNECT_AWAY, 1), NO_AP_FOUND);
        assert_int_equal(s_connects, 5 * i);
    }
    assert_int_equal(peer_result(CONNECT_WRONG, 1), WRONG_PASSWORD);
    assert_int_equal(s_connects, 20);
    advance_s(60); /* a connect that failed is not tried again */
    assert_int_equal(s_connects, 20);
    assert_int_equal(peer_result(CONNECT_HOME, 1), 0);
}

static void what_is_asked_reaches_the_driver(void **state)
{
    (void)state;
    peer_put_up("0123456789abcdef0123456789abcdef", "", -50); /* 32 bytes: the longest */

    /* SSID, address of the access point, WPA3, listen interval 7 */
    assert_int_equal(peer_result("08 08 92 01 39"
                                 "0a 20 3031323334353637383961626364656630313233343536373839616263"
                                 "646566 1a 11 31313a32323a33333a34343a35353a3032 20 01 28 07",
                                 1),
                     0);
    assert_memory_equal(s_config.sta.ssid, "0123456789abcdef0123456789abcdef", 32);
    assert_true(s_config.sta.bssid_set);
    assert_memory_equal(s_config.sta.bssid, "\x11\x22\x33\x44\x55\x02", 6);
    assert_true(s_config.sta.pmf_cfg.capable);
    assert_int_equal(s_config.sta.sae_pwe_h2e, WPA3_SAE_PWE_BOTH);
    assert_int_equal(s_config.sta.listen_interval, 7);

    assert_int_equal(peer_result(CONNECT_HOME, 1), 0);
    assert_memory_equal(s_config.sta.ssid, "home\0", 5);
    assert_memory_equal(s_config.sta.password, "correct horse!\0", 15);
    assert_false(s_config.sta.bssid_set);
    assert_int_equal(s_config.sta.listen_interval, 0);
}

/* The host waits 30 s; what the last try ended with is more than "it took too long". */
static void an_answer_comes_in_time_whatever_the_radio_does(void **state)
{
    int resp = 0;

    (void)state;
    say(CONNECT_HOME);
    advance_in_silence_s(24);
    assert_int_equal(take_answer(&resp), -1);
    advance_in_silence_s(1);
    assert_int_equal(take_answer(&resp), 9);
    assert_int_equal(resp, -1);
    peer_settle();
    assert_int_equal(peer_result(GET_AP, 6), NOT_CONNECTED); /* nor later, behind its back */

    const wifi_event_sta_disconnected_t wrong = {.reason = WIFI_REASON_4WAY_HANDSHAKE_TIMEOUT};

    peer_take_answers(NULL);
    say(CONNECT_HOME);
    hosted_control_on_wifi_event(WIFI_EVENT_STA_DISCONNECTED, &wrong);
    advance_in_silence_s(25);
    assert_int_equal(take_answer(&resp), 9);
    peer_settle();

    peer_take_answers(NULL);
    say(SCAN);
    advance_in_silence_s(25);
    assert_int_equal(take_answer(&resp), 19);
    assert_int_equal(resp, -1);
    peer_settle();
    assert_int_equal(peer_take_answers(NULL), 0);
    assert_int_equal(peer_result(SCAN, 3), 0);
    assert_int_equal(peer_result(CONNECT_HOME, 1), 0);
}

static void a_lost_access_point_is_looked_for(void **state)
{
    (void)state;
    assert_int_equal(peer_result(CONNECT_HOME, 1), 0);
    air_switch(&world->air, "home", false);
    peer_settle();
    assert_int_equal(peer_result(GET_AP, 6), NOT_CONNECTED);
    advance_s(2);
    assert_int_equal(s_connects, 1);
    advance_s(28);
    assert_true(s_connects > 5);
    assert_true(s_connects < 15);
    air_switch(&world->air, "home", true);
    advance_s(5);
    assert_true(is_connected());
}

/* Access points end a connection with this reason too; it is not our own leaving then. */
static void an_access_point_that_sends_us_away_is_looked_for(void **state)
{
    const wifi_event_sta_disconnected_t event = {.reason = WIFI_REASON_ASSOC_LEAVE};

    (void)state;
    assert_int_equal(peer_result(CONNECT_HOME, 1), 0);
    hosted_control_on_wifi_event(WIFI_EVENT_STA_DISCONNECTED, &event);
    assert_int_equal(peer_result(GET_AP, 6), NOT_CONNECTED);
    advance_s(4);
    assert_true(s_connects > 1);
}

/* While the firmware tries to get back: the driver would refuse all of these. */
static void begin_to_look_for_it(void)
{
    assert_int_equal(peer_result(CONNECT_HOME, 1), 0);
    air_switch(&world->air, "home", false);
    peer_settle();
    advance_in_silence_s(4); /* a try is under way */
    assert_int_equal(s_connects, 2);
    assert_int_equal(esp_wifi_scan_start(NULL, false), ESP_ERR_WIFI_STATE);
    peer_take_answers(NULL);
}

static void a_connect_takes_over_from_a_retry(void **state)
{
    (void)state;
    begin_to_look_for_it();
    peer_put_up("away", "correct horse!", -70);
    assert_int_equal(peer_result(CONNECT_AWAY, 1), 0);
    advance_s(30);
    assert_true(is_connected());
}

static void a_disconnect_ends_the_retries(void **state)
{
    (void)state;
    begin_to_look_for_it();
    assert_int_equal(peer_result(DISCONNECT, 1), 0);
    air_switch(&world->air, "home", true);
    advance_s(30);
    assert_int_equal(peer_result(GET_AP, 6), NOT_CONNECTED);
    assert_int_equal(s_connects, 2);
}

static void a_scan_goes_before_a_retry(void **state)
{
    (void)state;
    begin_to_look_for_it();
    assert_int_equal(peer_result(SCAN, 3), 0);
    air_switch(&world->air, "home", true);
    advance_s(5);
    assert_true(is_connected());
}

static void a_retry_waits_for_a_scan(void **state)
{
    int resp;

    (void)state;
    assert_int_equal(peer_result(CONNECT_HOME, 1), 0);
    air_switch(&world->air, "home", false);
    peer_settle();
    peer_take_answers(NULL);
    say(SCAN);
    advance_in_silence_s(10);
    assert_int_equal(s_connects, 1);
    peer_settle();
    assert_int_equal(take_answer(&resp), 19);
    advance_s(4);
    assert_true(s_connects > 1);
}

/* One outcome at a time is owed; the others are told so at once. */
static void a_second_request_of_the_radio_is_refused(void **state)
{
    int resp = 0;

    (void)state;
    say(CONNECT_HOME);
    assert_int_equal(take_answer(&resp), -1);
    say(SCAN);
    assert_int_equal(take_answer(&resp), 19);
    assert_int_equal(resp, -1);
    say(CONNECT_AWAY);
    assert_int_equal(take_answer(&resp), 9);
    assert_int_equal(resp, -1);
    say("08 02"); /* what needs no radio is answered meanwhile */
    assert_int_equal(take_answer(&resp), 3);
    peer_settle();
    assert_int_equal(take_answer(&resp), 9); /* and here is the first one's */
    assert_int_equal(resp, 0);
    assert_true(is_connected());
}

static void a_disconnect_ends_a_pending_connect(void **state)
{
    struct message answer;

    (void)state;
    say(CONNECT_HOME);
    say(DISCONNECT);
    assert_int_equal(peer_take_answers(&answer), 2); /* first the connect's, then its own */
    assert_int_equal(answer.bytes[14], 15);
    peer_settle();
    assert_int_equal(peer_take_answers(NULL), 0);
    assert_int_equal(peer_result(GET_AP, 6), NOT_CONNECTED);
    assert_int_equal(peer_result(CONNECT_HOME, 1), 0);
}

/* The driver holds the list of a scan until somebody takes it. */
static void a_scan_that_nobody_waits_for_leaves_nothing(void **state)
{
    uint16_t count = 1;

    (void)state;
    assert_int_equal(peer_result("08 04 72 02 08 01", 1), 0);
    assert_int_equal(esp_wifi_scan_start(NULL, false), ESP_OK);
    peer_settle();
    assert_int_equal(esp_wifi_scan_get_ap_num(&count), ESP_OK);
    assert_int_equal(count, 0);
    assert_int_equal(peer_take_answers(NULL), 0);
}

/* The event of a connection that has been given up, still in the queue. */
static void a_late_event_is_not_believed(void **state)
{
    const wifi_event_sta_connected_t late = {.channel = 6};
    int resp;

    (void)state;
    say(CONNECT_HOME);
    hosted_control_on_wifi_event(WIFI_EVENT_STA_CONNECTED, &late);
    assert_int_equal(take_answer(&resp), -1);
    peer_settle();
    assert_int_equal(take_answer(&resp), 9);
}

static void a_mode_without_a_station_ends_all(void **state)
{
    (void)state;
    assert_int_equal(peer_result(CONNECT_HOME, 1), 0);
    assert_int_equal(peer_result("08 04 72 02 08 00", 1), 0);
    assert_int_equal(peer_result(GET_AP, 6), NOT_CONNECTED);
    advance_s(30);
    assert_int_equal(s_connects, 1);
    assert_int_equal(peer_result(CONNECT_HOME, 1), 0); /* the mode follows */
    assert_int_equal(peer_result(DISCONNECT, 1), 0);
    assert_int_equal(peer_result("08 04 72 02 08 02", 1), 0); /* access point alone */
    assert_int_equal(peer_result(SCAN, 3), 0);
}

static void send_ethernet(uint8_t interface, const uint8_t *bytes, size_t len)
{
    uint8_t buf[FRAME_MAX_BYTES];
    const struct frame frame = {
        .interface_type = interface, .length = (uint16_t)len, .payload = bytes};
    const int whole = frame_build(&frame, buf, sizeof(buf));

    assert_true(whole > 0);
    peer_send_frame(buf, (size_t)whole);
}

static void frames_pass_while_connected(void **state)
{
    uint8_t ethernet[1514] = {0x24, 0x0a, 0xc4, 0x11, 0x22, 0x33, 2, 2, 2, 2, 2, 2, 8, 0, 'x'};
    uint8_t got[FRAME_MAX_BYTES];
    struct frame frame;
    int wire[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, wire), 0);
    world->air.aps[0].tap = wire[1];

    send_ethernet(FRAME_STATION, ethernet, sizeof(ethernet));
    assert_true(read(wire[0], got, sizeof(got)) < 0);

    assert_int_equal(peer_result(CONNECT_HOME, 1), 0);
    send_ethernet(FRAME_STATION, ethernet, sizeof(ethernet));
    assert_int_equal(read(wire[0], got, sizeof(got)), sizeof(ethernet));
    assert_memory_equal(got, ethernet, sizeof(ethernet));
    send_ethernet(FRAME_STATION, ethernet, 13); /* no Ethernet */
    send_ethernet(FRAME_ACCESS_POINT, ethernet, sizeof(ethernet));
    assert_true(read(wire[0], got, sizeof(got)) < 0);

    assert_int_equal(write(wire[0], ethernet, sizeof(ethernet)), sizeof(ethernet));
    air_receive(&world->air, 0);
    assert_int_equal(peer_frames, 1);
    assert_int_equal(frame_parse(peer_frame, peer_frame_len, &frame), 0);
    assert_int_equal(frame.interface_type, FRAME_STATION);
    assert_int_equal(frame.length, sizeof(ethernet));
    assert_memory_equal(frame.payload, ethernet, sizeof(ethernet));

    uint8_t *const huge = calloc(1, 70000);

    hosted_control_on_station_rx(huge, FRAME_MAX_BYTES - FRAME_HEADER_BYTES);
    assert_int_equal(peer_frames, 2);
    hosted_control_on_station_rx(huge, FRAME_MAX_BYTES - FRAME_HEADER_BYTES + 1);
    hosted_control_on_station_rx(huge, 65536 + 100); /* more than a frame can say */
    hosted_control_on_station_rx(huge, 13);          /* less than an Ethernet header */
    hosted_control_on_station_rx(huge, 0);
    assert_int_equal(peer_frames, 2);
    free(huge);

    assert_int_equal(peer_result(DISCONNECT, 1), 0);
    send_ethernet(FRAME_STATION, ethernet, sizeof(ethernet));
    assert_true(read(wire[0], got, sizeof(got)) < 0);
    close(wire[0]);
    close(wire[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(connects_and_disconnects, setup),
        cmocka_unit_test_setup(every_connect_has_all_its_tries, setup),
        cmocka_unit_test_setup(what_is_asked_reaches_the_driver, setup),
        cmocka_unit_test_setup(an_answer_comes_in_time_whatever_the_radio_does, setup),
        cmocka_unit_test_setup(a_lost_access_point_is_looked_for, setup),
        cmocka_unit_test_setup(an_access_point_that_sends_us_away_is_looked_for, setup),
        cmocka_unit_test_setup(a_connect_takes_over_from_a_retry, setup),
        cmocka_unit_test_setup(a_disconnect_ends_the_retries, setup),
        cmocka_unit_test_setup(a_scan_goes_before_a_retry, setup),
        cmocka_unit_test_setup(a_retry_waits_for_a_scan, setup),
        cmocka_unit_test_setup(a_second_request_of_the_radio_is_refused, setup),
        cmocka_unit_test_setup(a_disconnect_ends_a_pending_connect, setup),
        cmocka_unit_test_setup(a_scan_that_nobody_waits_for_leaves_nothing, setup),
        cmocka_unit_test_setup(a_late_event_is_not_believed, setup),
        cmocka_unit_test_setup(a_mode_without_a_station_ends_all, setup),
        cmocka_unit_test_setup(frames_pass_while_connected, setup),
    };

    return LIVES_RUN(tests);
}
