/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and replies of the ctrl dialect. What was recorded is compared in tests/sim. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "chip_time.h"
#include "ctrl_peer.h"
#include "frame.h"
#include "hosted_control.h"
#include "hosted_ctrl.pb-c.h"
#include "life.h"
#include "otadata.h"
#include "test_image.h"
#include "wire.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { GET_MAC = 101, SET_MAC, GET_MODE, SET_MODE, SCAN, GET_AP, CONNECT, DISCONNECT };
enum { OTA_BEGIN = 116, OTA_WRITE, OTA_END, HEARTBEAT = 121, FEATURE, VERSION };

static void start(void)
{
    board_make(CHIP_ESP32, board_two_slots);
    peer_start_ctrl_firmware();
}

static int setup(void **state)
{
    (void)state;
    start();
    return 0;
}

static struct hosted_control_counters counters(void)
{
    struct hosted_control_counters now;

    hosted_control_get_counters(&now);
    return now;
}

/* The answer to GetMode, whose uid is `uid` in hexadecimal: its uid field alone, or nothing. */
static void check_echo(const char *uid)
{
    char request[64];
    uint8_t expected[32];
    const size_t len = peer_unhex(uid, expected, sizeof(expected));
    struct serial_tlv tlv;

    snprintf(request, sizeof(request), "1067 %s", uid);

    const struct message *answer = peer_ask_hex(request);

    assert_non_null(answer);
    assert_int_equal(serial_tlv_parse(answer->bytes, answer->len, &tlv), answer->len);
    assert_memory_equal(tlv.data, "\x08\x02\x10\xcb\x01", 5);
    assert_memory_equal(tlv.data + 5, expected, len);
    assert_memory_equal(tlv.data + 5 + len, "\xda\x0c", 2); /* the payload's key */
}

static void the_uid_comes_back_as_it_was(void **state)
{
    (void)state;
    check_echo("");
    check_echo("18 01");
    check_echo("18 ff ff ff ff 07");
    check_echo("18 ff ff ff ff ff ff ff ff ff 01"); /* -1 */
    check_echo("18 80 80 80 80 f8 ff ff ff ff 01"); /* the smallest */
    assert_int_equal(ctrl_take(peer_ask_hex("1067 1800"), "ctrlResp").has_uid, false);
}

/* Hosts leave the type out, set it, or have the fields in another order. */
static void other_spellings_are_understood(void **state)
{
    static const char *const requests[] = {
        "1067",                        /* the number alone */
        "08 01 10 67",                 /* with the type */
        "1067 ba06 00",                /* an empty payload */
        "1067 ba06 03 c00707",         /* a payload with more in it */
        "ba06 00 1801 1067 0801",      /* backwards */
        "1067 2005 a03e07 c23e021234", /* fields that nobody knows */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        print_message("%s\n", requests[i]);

        const struct ctrl_message answer = ctrl_take(peer_ask_hex(requests[i]), "ctrlResp");

        assert_int_equal(answer.id, GET_MODE + 100);
        assert_int_equal(ctrl_number(&answer, 1), 1); /* upstream's starts as a station */
        assert_int_equal(ctrl_number(&answer, 2), 0);
    }
    assert_int_equal(counters().bad_requests, 0);
}

static void what_is_not_in_this_firmware_is_refused(void **state)
{
    static const struct {
        unsigned request, field; /* of `resp` in the answer */
    } cases[] = {
        {109, 8}, {110, 1}, {111, 1}, {112, 3}, {113, 1}, {114, 1}, {115, 2},
        {119, 1}, {120, 2}, {124, 1}, {125, 1}, {126, 1}, {127, 1}, {128, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        static const char *const payloads[] = {NULL, "", "0801", "0a0141"};

        for (size_t j = 0; j < COUNT_OF(payloads); j++) {
            const struct ctrl_message answer = ctrl_ask(cases[i].request, payloads[j]);

            assert_int_equal(ctrl_number(&answer, cases[i].field), -1);
            assert_int_equal(answer.payload_len, 11); /* and nothing else */
        }
    }
    assert_int_equal(counters().bad_requests, 0);
}

/* Upstream's firmware dies of some of these. */
static void what_lacks_its_payload_is_refused(void **state)
{
    static const struct {
        unsigned request, field;
    } cases[] = {{GET_MAC, 2},   {SET_MAC, 1},   {SET_MODE, 1}, {CONNECT, 1},
                 {OTA_WRITE, 1}, {HEARTBEAT, 1}, {FEATURE, 1}};
    uint32_t refused = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char mismatch[16];

        assert_int_equal(ctrl_result(cases[i].request, NULL, cases[i].field), -1);
        /* GetMode's payload in its place */
        snprintf(mismatch, sizeof(mismatch), "10%02x ba0600", cases[i].request);

        const struct ctrl_message answer = ctrl_take(peer_ask_hex(mismatch), "ctrlResp");

        assert_int_equal(answer.id, cases[i].request + 100);
        assert_int_equal(ctrl_number(&answer, cases[i].field), -1);
        refused += 2;
        assert_int_equal(counters().bad_requests, refused);
        peer_check_alive();
    }
}

static void what_cannot_be_used_is_refused(void **state)
{
    static const struct {
        unsigned request;
        const char *payload;
        unsigned field;
    } cases[] = {
        {GET_MAC, "", 2},                                            /* of no interface */
        {GET_MAC, "0807", 2},                                        /* of interface 7 */
        {SET_MODE, "0804", 1},                                       /* the mode behind the last */
        {SET_MODE, "08ffffffffffffffffff01", 1},                     /* -1 */
        {SET_MAC, "", 1},                                            /* without an address */
        {SET_MAC, "0a1131613a31313a31313a31313a31313a3167 1001", 1}, /* no hex */
        {SET_MAC, "0a1131613a31313a31313a31313a31313a3131 1003", 1}, /* interface 3 */
        {SET_MAC, "0a1231613a31313a31313a31313a31313a313131 1001", 1}, /* too long */
        {CONNECT, "", 1},                                              /* no SSID */
        {CONNECT, "0a0141 1a03313a31", 1}, /* no address of an access point */
        {CONNECT, "0a0141 1203616263", 1}, /* a password that the driver refuses */
        {CONNECT,                          /* 33 bytes of SSID */
         "0a21414141414141414141414141414141414141414141414141414141414141414141", 1},
        {DISCONNECT, "", 1}, /* from nothing */
        {OTA_WRITE, "", 1},
        {OTA_WRITE, "0a00", 1},
        {OTA_WRITE, "0a01e9", 1}, /* before a begin */
        {OTA_END, "", 1},
        {FEATURE, "", 1},
        {FEATURE, "0802", 1}, /* Bluetooth */
        {FEATURE, "0802 1001", 1},
        {FEATURE, "0803", 1}, /* network split: not on */
        {FEATURE, "0804 1001", 1},
        {FEATURE, "08ffffffff0f 1001", 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("%u %s\n", cases[i].request, cases[i].payload);
        assert_int_equal(ctrl_result(cases[i].request, cases[i].payload, cases[i].field), -1);
        peer_check_alive();
    }
    assert_int_equal(ctrl_result(GET_AP, "", 6), 1);
    assert_int_equal(peer_event_count, 0);
}

static void unknown_requests_are_dropped(void **state)
{
    static const char *const requests[] = {
        "10 00",                            /* no number */
        "10 64",                            /* the base */
        "10 81 01",                         /* behind the last: 129 */
        "10 c9 01",                         /* a reply: 201 */
        "10 cb 01 da0c 00",                 /* one with its payload: upstream's dies of it */
        "10 ad 02",                         /* an event: 301 */
        "10 ff ff ff ff ff ff ff ff ff 01", /* -1 */
        "10 ff ff ff ff 07",                /* the largest number */
        "08 02 62 00",                      /* classic */
        "08",                               /* no number */
        "07",                               /* wire type 7 */
        "ff ff ff ff ff ff ff ff ff ff ff", /* a number without an end */
        "1067 ba06 7f",                     /* a payload longer than all there is */
        "1075 aa07 03 0a7fe9",              /* its data longer than the payload */
        "106b da06 05 0801080108",          /* a name that is a number */
        "0b 0b 0b 0b",                      /* groups */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        const uint32_t before = counters().bad_requests;

        print_message("%s\n", requests[i]);
        assert_null(peer_ask_hex(requests[i]));
        assert_int_equal(counters().bad_requests, before + 1);
        peer_check_alive();
    }
}

static void check_dropped(const char *endpoint, const char *request)
{
    const uint32_t before = counters().bad_messages;
    uint8_t bytes[32];

    peer_send_request(endpoint, bytes, peer_unhex(request, bytes, sizeof(bytes)));
    peer_settle();
    assert_int_equal(peer_take_answers(NULL), 0);
    assert_int_equal(counters().bad_messages, before + 1);
    peer_check_alive();
    peer_take_answers(NULL);
}

static void other_endpoints_are_dropped(void **state)
{
    (void)state;
    check_dropped("control", "0802");
    check_dropped("control", "1067");
    check_dropped("ctrlEvnt", "1067"); /* that one goes the other way */
    check_dropped("ctrlRes", "1067");
    check_dropped("ctrlRespo", "1067");
    check_dropped("RPCRsp", "1067");
}

static void classic_firmware_drops_this_dialect(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    peer_start_firmware();
    hosted_control_send_init();
    check_dropped("ctrlResp", "1067");
    check_dropped("ctrlEvnt", "1067");
    check_dropped("ctrlResp", "0802");
    assert_int_equal(peer_event_count, 0);
}

static void addresses_and_modes_are_set(void **state)
{
    (void)state;

    const struct ctrl_message station = ctrl_ask(GET_MAC, "0801");

    assert_true(ctrl_has_text(&station, 1, "24:0a:c4:11:22:33"));
    assert_int_equal(ctrl_number(&station, 2), 0);
    assert_int_equal(ctrl_result(SET_MAC, "0a1132363a31313a31313a31313a31313a3131 1001", 1), 0);

    const struct ctrl_message changed = ctrl_ask(GET_MAC, "0801");

    assert_true(ctrl_has_text(&changed, 1, "26:11:11:11:11:11"));
    for (unsigned mode = 3; mode <= 3; mode--) {
        char payload[8];

        snprintf(payload, sizeof(payload), "08%02x", mode);
        assert_int_equal(ctrl_result(SET_MODE, payload, 1), 0);
        assert_int_equal(ctrl_result(GET_MODE, NULL, 1), mode);
    }
    assert_int_equal(ctrl_result(SET_MODE, "", 1), 0); /* mode 0 is left out */
}

static void the_access_point_is_named_to_its_end(void **state)
{
    (void)state;
    peer_put_up("home", "correct horse!", -50);
    assert_int_equal(ctrl_result(CONNECT, "0a04686f6d65 120e636f727265637420686f72736521", 1), 0);

    const struct ctrl_message ap = ctrl_ask(GET_AP, NULL);

    assert_true(ctrl_has_bytes(&ap, 1, "home", 5)); /* upstream's hosts read until the NUL */
    assert_true(ctrl_has_text(&ap, 2, "11:22:33:44:55:01"));
    assert_int_equal(ctrl_number(&ap, 3), -50);
    assert_int_equal(ctrl_number(&ap, 4), 6);
    assert_int_equal(ctrl_number(&ap, 5), 3);
    assert_int_equal(ctrl_number(&ap, 6), 0);
}

/* 32 access points with names of 32 bytes: the longest answer there is. */
static void a_long_answer_goes_in_fragments(void **state)
{
    (void)state;
    for (int i = 0; i < 32; i++) {
        char ssid[33];

        snprintf(ssid, sizeof(ssid), "%02d-34567890123456789012345678901", i);
        peer_put_up(ssid, "", (int8_t)(-30 - i));
    }

    const struct message *answer = peer_ask_hex("1069 18ffffffffffffffffff01");

    assert_non_null(answer);
    assert_true(answer->len > 1500);

    HostedCtrl__Message *message =
        hosted_ctrl__message__unpack(NULL, answer->len - 14, answer->bytes + 14);

    assert_non_null(message);
    assert_int_equal(message->uid, -1);
    assert_int_equal(message->resp_scan->count, 32);
    assert_int_equal(message->resp_scan->n_entries, 32);
    for (size_t i = 0; i < 32; i++) {
        assert_int_equal(message->resp_scan->entries[i]->ssid.len, 32);
        assert_int_equal(message->resp_scan->entries[i]->rssi, -30 - (int)i);
    }
    hosted_ctrl__message__free_unpacked(message, NULL);
}

static void the_mode_comes_with_the_identity(void **state)
{
    (void)state;

    const struct message *answer = peer_ask_hex("1067");

    assert_non_null(answer);

    HostedCtrl__Message *message =
        hosted_ctrl__message__unpack(NULL, answer->len - 14, answer->bytes + 14);

    assert_non_null(message);

    const HostedExtension__Identity *identity = message->resp_get_mode->identity;

    assert_non_null(identity);
    assert_true(identity->has_chip_id && identity->has_slot_size && identity->has_features);
    assert_int_equal(identity->features, 23);
    assert_int_equal(identity->window, 3); /* the port's */
    assert_int_equal(identity->chip_id, CHIP_ESP32);
    assert_int_equal(identity->slot_size, 1792 * 1024);
    assert_string_equal(identity->running_slot, "ota_0");
    assert_string_equal(identity->project, "network_adapter");
    assert_string_equal(identity->version, "1.0.0");
    hosted_ctrl__message__free_unpacked(message, NULL);
}

static void wifi_can_be_switched_off_and_on(void **state)
{
    (void)state;
    peer_put_up("home", "correct horse!", -50);
    assert_int_equal(ctrl_result(FEATURE, "0801 1001", 1), 0); /* it is on */
    assert_int_equal(ctrl_result(GET_MODE, NULL, 1), 1);
    assert_int_equal(ctrl_result(CONNECT, "0a04686f6d65 120e636f727265637420686f72736521", 1), 0);
    peer_event_count = 0;

    assert_int_equal(ctrl_result(FEATURE, "0801", 1), 0);

    const struct ctrl_message lost = ctrl_event(0, 303);

    assert_int_equal(peer_event_count, 1);
    assert_int_equal(ctrl_number(&lost, 5), 8);
    assert_int_equal(ctrl_result(FEATURE, "0801", 1), 0);
    assert_int_equal(ctrl_result(DISCONNECT, NULL, 1), -1); /* no connection is wanted back */
    assert_int_equal(ctrl_result(GET_MODE, NULL, 2), -1);
    assert_int_equal(ctrl_result(SCAN, NULL, 3), -1);
    assert_int_equal(ctrl_result(GET_AP, NULL, 6), 1);
    assert_int_equal(ctrl_result(CONNECT, "0a04686f6d65 120e636f727265637420686f72736521", 1), -1);
    assert_int_equal(ctrl_result(OTA_BEGIN, NULL, 1), 0);       /* which needs no radio */
    assert_int_equal(ctrl_result(FEATURE, "0801 1001", 1), -1); /* not during an update */
    assert_int_equal(ctrl_result(OTA_END, NULL, 1), -1);        /* which is over by that */

    assert_int_equal(ctrl_result(FEATURE, "0801 1001", 1), 0);
    assert_int_equal(ctrl_result(GET_MODE, NULL, 1), 0);
    assert_int_equal(ctrl_result(CONNECT, "0a04686f6d65 120e636f727265637420686f72736521", 1), 0);
    assert_int_equal(ctrl_result(GET_AP, NULL, 6), 0);
}

/* A scan whose answer is still owed gets it. */
static void wifi_is_switched_off_under_a_scan(void **state)
{
    struct message answer;

    (void)state;
    ctrl_say(SCAN, NULL);
    ctrl_say(FEATURE, "0801");
    assert_int_equal(peer_take_answers(&answer), 2);
    assert_int_equal(ctrl_take(&answer, "ctrlResp").id, FEATURE + 100);
    peer_settle();
    assert_int_equal(peer_take_answers(NULL), 0);
    assert_int_equal(ctrl_result(SCAN, NULL, 3), -1);
}

#define CHUNK_BYTES 4000

/* Image header, segment header; esp_app_desc_t */
#define VERSION_OFFSET (24 + 8 + 16)
#define VERSION_BYTES  32

static void send_image(const uint8_t *image, size_t size)
{
    static uint8_t request[CHUNK_BYTES + 32];

    assert_int_equal(ctrl_result(OTA_BEGIN, NULL, 1), 0);
    for (size_t at = 0; at < size; at += CHUNK_BYTES) {
        const size_t len = size - at < CHUNK_BYTES ? size - at : CHUNK_BYTES;
        uint8_t *end = request + peer_unhex("1075 aa07", request, sizeof(request));

        end = wire_put_varint(end, len + 3); /* key and two bytes of length */
        *end++ = 0x0a;
        end = wire_put_varint(end, len);
        memcpy(end, image + at, len);

        const struct message *answer = peer_ask(request, (size_t)(end - request) + len);

        assert_non_null(answer);
        assert_int_equal(answer->len, 14 + 8);
        assert_memory_equal(answer->bytes + 14, "\x08\x02\x10\xd9\x01\xca\x0d\x00", 8);
    }
    assert_int_equal(ctrl_result(OTA_END, NULL, 1), 0);
}

/* An update to an image of that version; the chip is the test's to boot. */
static void update(void *arg)
{
    uint8_t *image = test_image(CHIP_ESP32, 20000, true);

    memset(image + VERSION_OFFSET, 0, VERSION_BYTES);
    memcpy(image + VERSION_OFFSET, arg, strnlen(arg, VERSION_BYTES));
    test_image_seal(image, 20000);
    peer_start_ctrl_firmware();
    send_image(image, 20000);
    free(image);
}

/* What an image of some version makes the firmware say. */
struct release_case {
    const char *version;
    const char *tag;     /* of the INIT event: eight bytes, hexadecimal */
    const char *payload; /* of the version's answer */
};

static void check_release(void *arg)
{
    const struct release_case *expected = arg;
    uint8_t tag[8], payload[64];
    const size_t payload_len = peer_unhex(expected->payload, payload, sizeof(payload));
    struct frame frame;

    assert_int_equal(peer_unhex(expected->tag, tag, sizeof(tag)), sizeof(tag));
    peer_start_ctrl_firmware();
    hosted_control_send_init();
    assert_int_equal(frame_parse(peer_frame, peer_frame_len, &frame), 0);
    assert_int_equal(frame.length, 21);
    assert_memory_equal(frame.payload, "\0\x13\x02\x01\x00\x00\x01\xe8\x03\x01\x00\x04\x08", 13);
    assert_memory_equal(frame.payload + 13, tag, sizeof(tag));

    const struct ctrl_message answer = ctrl_ask(VERSION, NULL);

    assert_int_equal(answer.payload_len, payload_len);
    assert_memory_equal(answer.payload, payload, payload_len);
}

static void the_version_is_that_of_the_image(void **state)
{
    static struct release_case cases[] = {
        {"FG-1.0.0.0.0", "464700 0100000000", "12024647 1801"},
        {"FG-1.2.3.4.5", "464700 0102030405", "12024647 1801 2002 2803 3004 3805"},
        {"FG-0.0.0.0.7", "464700 0000000007", "12024647 3807"},
        {"F-9.0.0.0.0", "460000 0900000000", "120146 1809"},
        {"MINE-1.0.0.0.0", "4d4900 0100000000", "12044d494e45 1801"},
        {"a-b-1.0.0.0.0", "612d00 0100000000", "1203612d62 1801"},
        /* more than a byte is not taken for less */
        {"FG-255.256.300.1.0", "464700 ffffff0100", "12024647 18ff01 208002 28ac02 3001"},
        /* none of that form */
        {"1.0.0", "464700 0000000000", "12024647"},
        {"", "464700 0000000000", "12024647"},
        {"FG-1.0.0.0", "464700 0000000000", "12024647"},
        {"FG-1.0.0.0.0.0", "464700 0000000000", "12024647"},
        {"FG-1.0.0.0.0-dirty", "464700 0000000000", "12024647"},
        {"-1.0.0.0.0", "464700 0000000000", "12024647"},
        {"FG-1.0.0.0.x", "464700 0000000000", "12024647"},
        /* as long as the descriptor has room, without a NUL */
        {"FG-1.0.0.0.000000000000000000000", "464700 0100000000", "12024647 1801"},
        {"FG-1.0.0.0.000000000000000000001", "464700 0100000001", "12024647 1801 3801"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("%s\n", cases[i].version);
        assert_int_equal(life_live(update, (void *)cases[i].version), LIFE_DONE);
        board_boot();
        assert_int_equal(life_live(check_release, &cases[i]), LIFE_DONE);
    }
}

static void confirm_by_answer(void *arg)
{
    (void)arg;
    peer_start_ctrl_firmware();
    hosted_control_send_init(); /* events go out to nobody: no proof */
    assert_null(peer_ask_hex("10c801"));
    assert_int_equal(board_slot_state("ota_1"), OTADATA_PENDING_VERIFY);
    peer_check_alive();
    assert_int_equal(board_slot_state("ota_1"), OTADATA_VALID);
}

static void the_first_answer_confirms(void **state)
{
    (void)state;
    assert_int_equal(life_live(update, (void *)"2.0.0"), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(confirm_by_answer, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
}

static int bare(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_uid_comes_back_as_it_was, setup),
        cmocka_unit_test_setup(other_spellings_are_understood, setup),
        cmocka_unit_test_setup(what_is_not_in_this_firmware_is_refused, setup),
        cmocka_unit_test_setup(what_lacks_its_payload_is_refused, setup),
        cmocka_unit_test_setup(what_cannot_be_used_is_refused, setup),
        cmocka_unit_test_setup(unknown_requests_are_dropped, setup),
        cmocka_unit_test_setup(other_endpoints_are_dropped, setup),
        cmocka_unit_test(classic_firmware_drops_this_dialect),
        cmocka_unit_test_setup(addresses_and_modes_are_set, setup),
        cmocka_unit_test_setup(the_access_point_is_named_to_its_end, setup),
        cmocka_unit_test_setup(a_long_answer_goes_in_fragments, setup),
        cmocka_unit_test_setup(the_mode_comes_with_the_identity, setup),
        cmocka_unit_test_setup(wifi_can_be_switched_off_and_on, setup),
        cmocka_unit_test_setup(wifi_is_switched_off_under_a_scan, setup),
        cmocka_unit_test_setup(the_version_is_that_of_the_image, bare),
        cmocka_unit_test_setup(the_first_answer_confirms, bare),
    };

    return LIVES_RUN(tests);
}
