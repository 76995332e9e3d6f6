/* SPDX-License-Identifier: Apache-2.0 */
/* What firmware of the ctrl dialect says without being asked: its start, its heartbeat, and what
 * becomes of the station's connection. */
#include <string.h>

#include "board.h"
#include "chip_time.h"
#include "ctrl_peer.h"
#include "esp_wifi.h"
#include "hosted_control.h"
#include "life.h"

#define SECOND_US ((int64_t)1000000)

enum { SCAN = 105, GET_AP, CONNECT, DISCONNECT, SET_MODE = 104, HEARTBEAT = 121 };
enum { EVENT_INIT = 301, EVENT_HEARTBEAT, EVENT_DISCONNECTED, EVENT_CONNECTED = 305 };
enum { LEFT = 8, HANDSHAKE_TIMEOUT = 15, BEACON_TIMEOUT = 200, NO_AP_FOUND, CONNECTION_FAIL = 205 };

/* SSID and password */
#define HOME  "0a04686f6d65 120e636f727265637420686f72736521"
#define WRONG "0a04686f6d65 120e77726f6e67727920686f72736521"
#define AWAY  "0a0461776179 120e636f727265637420686f72736521"

#define NO_BSSID "00:00:00:00:00:00"

static int setup(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    peer_put_up("home", "correct horse!", -50);
    peer_start_ctrl_firmware();
    return 0;
}

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

static bool is_connected(void)
{
    return ctrl_result(GET_AP, NULL, 6) == 0;
}

/* Connecting is answered with success and the station's address, whatever becomes of it. */
static void connect(const char *payload)
{
    const struct ctrl_message answer = ctrl_ask(CONNECT, payload);

    assert_true(ctrl_has_text(&answer, 2, "24:0a:c4:11:22:33"));
    assert_int_equal(answer.payload_len, 19); /* and nothing else */
}

/* The event at that place: the end of a connection to `ssid`, or of a try. */
static void check_disconnected(size_t index, const char *ssid, const char *bssid, int reason)
{
    const struct ctrl_message event = ctrl_event(index, EVENT_DISCONNECTED);

    assert_int_equal(ctrl_number(&event, 1), 0);
    assert_true(ctrl_has_text(&event, 2, ssid));
    assert_int_equal(ctrl_number(&event, 3), 0); /* upstream leaves its length out */
    assert_true(ctrl_has_text(&event, 4, bssid));
    assert_int_equal(ctrl_number(&event, 5), reason);
}

static void check_connected(size_t index)
{
    const struct ctrl_message event = ctrl_event(index, EVENT_CONNECTED);

    assert_int_equal(ctrl_number(&event, 1), 0);
    assert_true(ctrl_has_text(&event, 2, "home"));
    assert_int_equal(ctrl_number(&event, 3), 4);
    assert_true(ctrl_has_text(&event, 4, "11:22:33:44:55:01"));
    assert_int_equal(ctrl_number(&event, 5), 6);
    assert_int_equal(ctrl_number(&event, 6), 3);
    assert_int_equal(ctrl_number(&event, 7), 1);
}

static void join(void)
{
    connect(HOME);
    assert_int_equal(peer_event_count, 2);
    check_disconnected(0, "home", NO_BSSID, LEFT);
    check_connected(1);
    peer_event_count = 0;
}

static void the_start_is_told_behind_the_private_event(void **state)
{
    static const uint8_t recorded[] = "\x01\x08\x00"
                                      "ctrlEvnt\x02\x08\x00\x08\x03\x10\xad\x02\xea\x12";

    (void)state;
    assert_int_equal(peer_event_count, 0);
    hosted_control_send_init();
    assert_int_equal(peer_frames, 1);
    assert_int_equal(peer_event_count, 1);
    assert_int_equal(peer_events[0].len, sizeof(recorded)); /* the last byte is 0 as well */
    assert_memory_equal(peer_events[0].bytes, recorded, sizeof(recorded));
    hosted_control_send_init();
    assert_int_equal(peer_event_count, 2);
}

static void no_heart_beats_unasked(void **state)
{
    (void)state;
    advance_s(4000);
    assert_int_equal(peer_event_count, 0);
    assert_int_equal(ctrl_result(HEARTBEAT, "", 1), 0);
    assert_int_equal(ctrl_result(HEARTBEAT, "100a", 1), 0);
    advance_s(100);
    assert_int_equal(peer_event_count, 0);
}

/* `seconds` is what must become of what `payload` asks for. */
static void check_period(const char *payload, int seconds)
{
    peer_event_count = 0;
    assert_int_equal(ctrl_result(HEARTBEAT, payload, 1), 0);
    for (int beat = 1; beat <= 3; beat++) {
        advance_s(seconds - 1);
        assert_int_equal(peer_event_count, beat - 1);
        advance_s(1);
        assert_int_equal(peer_event_count, beat);

        const struct ctrl_message event = ctrl_event((size_t)beat - 1, EVENT_HEARTBEAT);

        assert_int_equal(ctrl_number(&event, 1), beat);
    }
}

static void heartbeats_come_as_often_as_asked(void **state)
{
    (void)state;
    check_period("0801 100a", 10);
    check_period("0801 100b", 11);
    check_period("0801 1001", 10);
    check_period("0801", 10);
    check_period("0801 10ffffffffffffffffff01", 10);
    check_period("0801 10901c", 3600);
    check_period("0801 10911c", 3600);
    check_period("0801 10ffffffff07", 3600);
}

static void a_new_request_counts_from_one(void **state)
{
    (void)state;
    check_period("0801 100a", 10);
    assert_int_equal(ctrl_result(HEARTBEAT, "", 1), 0);
    advance_s(100);
    assert_int_equal(peer_event_count, 3);
    check_period("0801 1014", 20);
}

/* The application may tick late, or in the middle of a second. */
static void heartbeats_are_not_late(void **state)
{
    (void)state;
    world_advance(300 * 1000);
    assert_int_equal(ctrl_result(HEARTBEAT, "0801 100a", 1), 0);
    world_advance(700 * 1000);
    hosted_control_on_tick();
    advance_s(8);
    assert_int_equal(peer_event_count, 0);
    advance_s(1); /* 9.7 s, and the next tick would be after 10.7 s */
    assert_int_equal(peer_event_count, 1);
    world_advance(100 * SECOND_US);
    hosted_control_on_tick();
    assert_int_equal(peer_event_count, 2); /* not ten at once */
    advance_s(9);
    assert_int_equal(peer_event_count, 2);
    advance_s(1);
    assert_int_equal(peer_event_count, 3);
}

static void a_connect_is_answered_at_once(void **state)
{
    struct message answer;

    (void)state;
    ctrl_say(CONNECT, HOME);
    assert_int_equal(peer_take_answers(&answer), 1);
    assert_int_equal(ctrl_take(&answer, "ctrlResp").id, CONNECT + 100);
    assert_int_equal(peer_event_count, 1); /* that nothing is connected any more */
    peer_settle();
    assert_int_equal(peer_take_answers(NULL), 0);
    assert_int_equal(peer_event_count, 2);
    check_connected(1);
    assert_true(is_connected());
}

/* Several tries, but one word; and it is not tried for ever. */
static void a_failed_connect_is_told_once(void **state)
{
    (void)state;
    connect(AWAY);
    assert_int_equal(peer_event_count, 2);
    check_disconnected(0, "away", NO_BSSID, LEFT);
    check_disconnected(1, "away", NO_BSSID, NO_AP_FOUND);
    peer_put_up("away", "correct horse!", -50);
    advance_s(60);
    assert_int_equal(peer_event_count, 2);
    assert_false(is_connected());
}

/* The driver's last word is just "failed"; the first one told why. */
static void a_wrong_password_is_told_as_such(void **state)
{
    (void)state;
    connect(WRONG);
    assert_int_equal(peer_event_count, 2);
    check_disconnected(1, "home", NO_BSSID, HANDSHAKE_TIMEOUT);
    peer_event_count = 0;
    join();
}

static void a_radio_that_says_nothing_is_told(void **state)
{
    (void)state;
    ctrl_say(CONNECT, HOME);
    advance_in_silence_s(24);
    assert_int_equal(peer_event_count, 1);
    advance_in_silence_s(1);
    assert_int_equal(peer_event_count, 2);
    check_disconnected(1, "home", NO_BSSID, CONNECTION_FAIL);
    peer_settle();
    assert_int_equal(peer_event_count, 2);
    assert_false(is_connected()); /* nor later, behind its back */
    peer_event_count = 0;
    join();
}

static void a_lost_connection_is_told_once_and_its_return(void **state)
{
    (void)state;
    join();
    air_switch(&world->air, "home", false);
    peer_settle();
    assert_int_equal(peer_event_count, 1);
    check_disconnected(0, "home", "11:22:33:44:55:01", BEACON_TIMEOUT);

    const struct ctrl_message lost = ctrl_event(0, EVENT_DISCONNECTED);

    assert_int_equal(ctrl_number(&lost, 6), -50);
    advance_s(30); /* it looks for it, and says nothing of that */
    assert_int_equal(peer_event_count, 1);
    air_switch(&world->air, "home", true);
    advance_s(5);
    assert_int_equal(peer_event_count, 2);
    check_connected(1);
}

static void a_disconnect_is_told(void **state)
{
    (void)state;
    join();
    assert_int_equal(ctrl_result(DISCONNECT, NULL, 1), 0);
    assert_int_equal(peer_event_count, 1);
    check_disconnected(0, "home", NO_BSSID, LEFT);
    assert_int_equal(ctrl_result(DISCONNECT, NULL, 1), -1);
    advance_s(30);
    assert_int_equal(peer_event_count, 1);
}

static void the_old_connection_ends_before_the_new_one(void **state)
{
    (void)state;
    join();
    connect(HOME);
    assert_int_equal(peer_event_count, 2); /* of the old one, there is one word only */
    check_disconnected(0, "home", NO_BSSID, LEFT);
    check_connected(1);
    peer_event_count = 0;
    connect(AWAY);
    assert_int_equal(peer_event_count, 2);
    check_disconnected(0, "home", NO_BSSID, LEFT);
    check_disconnected(1, "away", NO_BSSID, NO_AP_FOUND);
}

/* A host that has its answer need not wait for the outcome. */
static void a_new_connect_takes_over(void **state)
{
    (void)state;
    ctrl_say(CONNECT, AWAY);
    assert_int_equal(peer_event_count, 1);
    assert_int_equal(peer_take_answers(NULL), 1);
    connect(HOME);
    assert_int_equal(peer_event_count, 4);
    check_disconnected(1, "away", NO_BSSID, LEFT);
    check_disconnected(2, "home", NO_BSSID, LEFT);
    check_connected(3);
    advance_s(60);
    assert_int_equal(peer_event_count, 4);
    assert_true(is_connected());
}

static void a_refused_connect_leaves_the_one_before(void **state)
{
    (void)state;
    ctrl_say(CONNECT, HOME);
    ctrl_say(CONNECT, "1203616263"); /* no name */
    assert_int_equal(peer_take_answers(NULL), 2);
    assert_int_equal(peer_event_count, 1);
    peer_settle();
    assert_int_equal(peer_event_count, 2);
    check_connected(1);
}

static void a_disconnect_ends_a_connect(void **state)
{
    struct message answer;

    (void)state;
    ctrl_say(CONNECT, HOME);
    ctrl_say(DISCONNECT, NULL);
    assert_int_equal(peer_take_answers(&answer), 2);

    const struct ctrl_message disconnect = ctrl_take(&answer, "ctrlResp");

    assert_int_equal(disconnect.id, DISCONNECT + 100);
    assert_int_equal(ctrl_number(&disconnect, 1), 0);
    assert_int_equal(peer_event_count, 2);
    check_disconnected(1, "home", NO_BSSID, LEFT);
    peer_settle();
    advance_s(30);
    assert_int_equal(peer_event_count, 2);
    assert_false(is_connected());
}

static void a_mode_without_a_station_is_told(void **state)
{
    (void)state;
    join();
    assert_int_equal(ctrl_result(SET_MODE, "", 1), 0);
    assert_int_equal(peer_event_count, 1);
    check_disconnected(0, "home", NO_BSSID, LEFT);
}

/* One outcome of the radio at a time. */
static void a_scan_and_a_connect_do_not_meet(void **state)
{
    struct message answer;

    (void)state;
    ctrl_say(CONNECT, HOME);
    ctrl_say(SCAN, NULL);
    assert_int_equal(peer_take_answers(&answer), 2);

    struct ctrl_message refused = ctrl_take(&answer, "ctrlResp");

    assert_int_equal(refused.id, SCAN + 100);
    assert_int_equal(ctrl_number(&refused, 3), -1);
    peer_settle();
    assert_true(is_connected());
    peer_take_answers(NULL);
    peer_event_count = 0;

    ctrl_say(SCAN, NULL);
    ctrl_say(CONNECT, HOME);
    assert_int_equal(peer_take_answers(&answer), 1);
    refused = ctrl_take(&answer, "ctrlResp");
    assert_int_equal(refused.id, CONNECT + 100);
    assert_int_equal(ctrl_number(&refused, 1), -1);
    peer_settle();
    assert_int_equal(peer_take_answers(&answer), 1);
    assert_int_equal(ctrl_take(&answer, "ctrlResp").id, SCAN + 100);
    assert_int_equal(peer_event_count, 0);
    assert_true(is_connected());
}

/* The driver may give lengths that are none. */
static void a_name_is_never_longer_than_its_room(void **state)
{
    wifi_event_sta_disconnected_t lost = {.ssid_len = 255, .reason = BEACON_TIMEOUT, .rssi = -1};

    (void)state;
    join();
    memset(lost.ssid, 'x', sizeof(lost.ssid));
    hosted_control_on_wifi_event(WIFI_EVENT_STA_DISCONNECTED, &lost);
    assert_int_equal(peer_event_count, 1);
    check_disconnected(0, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NO_BSSID, BEACON_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_start_is_told_behind_the_private_event, setup),
        cmocka_unit_test_setup(no_heart_beats_unasked, setup),
        cmocka_unit_test_setup(heartbeats_come_as_often_as_asked, setup),
        cmocka_unit_test_setup(a_new_request_counts_from_one, setup),
        cmocka_unit_test_setup(heartbeats_are_not_late, setup),
        cmocka_unit_test_setup(a_connect_is_answered_at_once, setup),
        cmocka_unit_test_setup(a_failed_connect_is_told_once, setup),
        cmocka_unit_test_setup(a_wrong_password_is_told_as_such, setup),
        cmocka_unit_test_setup(a_radio_that_says_nothing_is_told, setup),
        cmocka_unit_test_setup(a_lost_connection_is_told_once_and_its_return, setup),
        cmocka_unit_test_setup(a_disconnect_is_told, setup),
        cmocka_unit_test_setup(the_old_connection_ends_before_the_new_one, setup),
        cmocka_unit_test_setup(a_new_connect_takes_over, setup),
        cmocka_unit_test_setup(a_refused_connect_leaves_the_one_before, setup),
        cmocka_unit_test_setup(a_disconnect_ends_a_connect, setup),
        cmocka_unit_test_setup(a_mode_without_a_station_is_told, setup),
        cmocka_unit_test_setup(a_scan_and_a_connect_do_not_meet, setup),
        cmocka_unit_test_setup(a_name_is_never_longer_than_its_room, setup),
    };

    return LIVES_RUN(tests);
}
