/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing that comes in stops the control endpoint of the ctrl dialect, where upstream's reads past
 * its buffer, loses memory or dies. What is the same in both dialects is in test_robustness.c. */
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "ctrl_peer.h"
#include "damage.h"
#include "hosted_control.h"
#include "life.h"
#include "wire.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define SEEDS       100000
#define LOOK_EVERY  5000
#define MAX_REQUEST 400

/* One of each request that this firmware has a part for, as hosts send it. */
static const char *const s_requests[] = {
    "1065 1801 aa06 020801",                                                     /* GetMac */
    "1066 1802 b206 150a1132363a31313a31313a31313a31313a3131 1001",              /* SetMac */
    "1067 1803",                                                                 /* GetMode */
    "1068 1804 c206 020801",                                                     /* SetMode */
    "1069 1805 ca06 00",                                                         /* Scan */
    "106a 1806 d206 00",                                                         /* GetAp */
    "106b 1807 da06 1c0a064d7957696669120e4d7957696669506173734031323328033003", /* Connect */
    "106c 1808",                                                                 /* Disconnect */
    "1074 1809",                                                                 /* OtaBegin */
    "1075 180a aa07 080a06e90220200000",                                         /* OtaWrite */
    "1076 180b",                                                                 /* OtaEnd */
    "0801 1079 180c ca07 040801100a",                                            /* SetHeartbeat */
    "107a 180d d207 020803",                                                     /* SetFeature */
    "107b 18ffffffff07",                                                         /* GetVersion */
};

static int setup(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    peer_put_up("MyWifi", "MyWifiPass@123", -40);
    peer_start_ctrl_firmware();
    return 0;
}

static struct hosted_control_counters counters(void)
{
    struct hosted_control_counters now;

    hosted_control_get_counters(&now);
    return now;
}

static size_t s_answered;

/* Connections come and go, and nobody reads of it. */
static void after(int seed)
{
    peer_settle();
    s_answered += peer_take_answers(NULL);
    peer_event_count = 0;
    if (seed % LOOK_EVERY == 0) {
        hosted_control_on_tick();
        peer_check_alive();
        peer_take_answers(NULL);
    }
}

/* The bytes reached what they were meant for. */
static void check_mixture(size_t answered, uint32_t bad_requests)
{
    const struct hosted_control_counters now = counters();

    print_message("%zu answers, dropped %u requests\n", s_answered, (unsigned)now.bad_requests);
    assert_true(s_answered >= answered);
    assert_true(now.bad_requests >= bad_requests);
    peer_check_alive();
}

static void every_whole_request_is_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(s_requests); i++) {
        print_message("%s\n", s_requests[i]);
        assert_non_null(peer_ask_hex(s_requests[i]));
    }
    assert_int_equal(counters().bad_requests, 0);
}

static void every_cut_request(void **state)
{
    size_t cuts = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(s_requests); i++) {
        uint8_t message[MAX_REQUEST], body[MAX_REQUEST];
        const size_t len = peer_unhex(s_requests[i], body, sizeof(body));
        const int head = serial_tlv_head("ctrlResp", len, message, sizeof(message));

        assert_true(head > 0);
        memcpy(message + head, body, len);
        cuts += damage_cut("ctrlResp", message, (size_t)head + len);
        peer_event_count = 0;
    }
    assert_true(cuts > 400);
}

static void messages_without_sense_are_dropped(void **state)
{
    static const char *const cases[] = {
        "01 0800 6374726c52657370 02 0200",                      /* no data */
        "01 0800 6374726c52657370 02 0000",                      /* data of no bytes */
        "01 0800 6374726c52657370 02 0300 1067",                 /* less than announced */
        "01 0800 6374726c52657370 02 0200 1067 00",              /* more */
        "01 0800 6374726c52657370 03 0200 1067",                 /* another tag */
        "02 0800 6374726c52657370 02 0200 1067",                 /* … in front */
        "01 0700 6374726c526573 02 0200 1067",                   /* "ctrlRes" */
        "01 0900 6374726c5265737070 02 0200 1067",               /* "ctrlRespp" */
        "01 0800 6374726c45766e74 02 0200 1067",                 /* where events go out */
        "01 0700 636f6e74726f6c 02 0200 0802",                   /* classic */
        "01 0600 525043527370 02 0200 1067",                     /* esp-hosted-mcu */
        "01 0000 02 0200 1067",                                  /* no name */
        "01 1000 6374726c526573706374726c52657370 02 0200 1067", /* twice the name */
        "01 ffff 6374726c52657370 02 0200 1067",
        "01 0800 6374726c52657370 02 ffff 1067",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t bytes[64];
        const uint32_t before = counters().bad_messages;

        print_message("%s\n", cases[i]);
        peer_send(bytes, peer_unhex(cases[i], bytes, sizeof(bytes)));
        peer_settle();
        assert_int_equal(peer_take_answers(NULL), 0);
        assert_int_equal(counters().bad_messages, before + 1);
        peer_check_alive();
        peer_take_answers(NULL);
    }
}

/* OtaWrite with data to the brim: refused, as no update is open, but understood. */
static void the_longest_message_fits(void **state)
{
    const size_t data = SERIAL_TLV_MAX_BYTES - 14 - 2 - 11 - 4 - 3;
    static uint8_t request[SERIAL_TLV_MAX_BYTES];
    uint8_t *at =
        request + peer_unhex("1075 18ffffffffffffffffff01 aa07", request, sizeof(request));

    (void)state;
    at = wire_put_varint(at, data + 3);
    *at++ = 0x0a;
    at = wire_put_varint(at, data);

    const struct message *answer = peer_ask(request, (size_t)(at - request) + data);

    assert_int_equal((size_t)(at - request) + data, SERIAL_TLV_MAX_BYTES - 14);
    assert_non_null(answer);

    const struct ctrl_message refusal = ctrl_take(answer, "ctrlResp");

    assert_int_equal(refusal.uid, -1);
    assert_int_equal(ctrl_number(&refusal, 1), -1);
    assert_int_equal(counters().bad_messages, 0);
    assert_int_equal(counters().bad_requests, 0);
}

/* Each costs memory while it is decoded, of which there is only so much. */
static void strange_fields_are_skipped_up_to_a_point(void **state)
{
    uint8_t request[2 + 3 * 1000] = {0x10, 0x67};
    int answered = 0;

    (void)state;
    for (size_t at = 2; at < sizeof(request); at += 3)
        memcpy(request + at, "\xa0\x3e\x07", 3);
    for (size_t fields = 0; fields <= 1000; fields += 10)
        answered += peer_ask(request, 2 + 3 * fields) != NULL;
    print_message("%d of 101\n", answered);
    assert_true(answered >= 5);
    assert_int_equal(counters().bad_requests, 101 - answered);
    assert_true(counters().bad_requests > 50);
    peer_check_alive();
}

/* Else hardly one is a request. Returns the length that remains. */
static size_t give_it_a_head(uint8_t *protobuf, size_t len)
{
    const uint8_t number = (uint8_t)(95 + draw(40)); /* 101 to 128, and some around them */

    if (draw(3) == 0 || len < 8)
        return len;
    protobuf[0] = 0x10;
    protobuf[1] = number & 0x7f;
    if (number >= 0x80 || draw(2) == 0)
        return len;
    protobuf[2] = (uint8_t)(number << 3 | 2 | 0x80); /* and its payload, as long as the rest */
    protobuf[3] = number >> 4;
    len = len < 5 + 0x7f ? len : 5 + 0x7f;
    protobuf[4] = (uint8_t)(len - 5);
    return len;
}

static void random_messages(void **state)
{
    (void)state;
    for (int seed = 1; seed <= SEEDS; seed++) {
        uint8_t protobuf[MAX_REQUEST];
        const size_t len = 1 + draw(draw(20) == 0 ? MAX_REQUEST : 24);

        fill_at_random(protobuf, len);
        peer_send_request("ctrlResp", protobuf, give_it_a_head(protobuf, len));
        after(seed);
    }
    check_mixture(5000, 50000);
}

/* What hosts really send, with some bytes changed, taken out or put twice. */
static void damaged_requests(void **state)
{
    (void)state;
    for (int seed = 1; seed <= SEEDS; seed++) {
        uint8_t protobuf[MAX_REQUEST];
        const char *const request = s_requests[(size_t)seed % COUNT_OF(s_requests)];
        const size_t len = peer_unhex(request, protobuf, sizeof(protobuf));

        peer_send_request("ctrlResp", protobuf, damage(protobuf, len, sizeof(protobuf)));
        after(seed);
    }
    check_mixture(10000, 30000);
}

/* An update that is damaged at one place in each of its messages: whatever becomes of it, the chip
 * boots, and takes the next one. */
static void damaged_updates(void **state)
{
    uint8_t write[300] = {0};
    const size_t head = peer_unhex("1075 1801 aa07 9302 0a 9002 e9", write, sizeof(write));
    const size_t len = head - 1 + 0x110;

    (void)state;
    for (int seed = 1; seed <= SEEDS / 10; seed++) {
        uint8_t protobuf[MAX_REQUEST];

        peer_send_request("ctrlResp", (const uint8_t *)"\x10\x74", 2);
        for (int i = 0; i < 3; i++) {
            memcpy(protobuf, write, len);
            peer_send_request("ctrlResp", protobuf, damage(protobuf, len, sizeof(protobuf)));
        }
        peer_send_request("ctrlResp", (const uint8_t *)"\x10\x76", 2);
        after(seed);
    }
    check_mixture(SEEDS / 10 * 2, 10000);
    assert_string_equal(board_boot(), "ota_0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_whole_request_is_answered, setup),
        cmocka_unit_test_setup(every_cut_request, setup),
        cmocka_unit_test_setup(messages_without_sense_are_dropped, setup),
        cmocka_unit_test_setup(the_longest_message_fits, setup),
        cmocka_unit_test_setup(strange_fields_are_skipped_up_to_a_point, setup),
        cmocka_unit_test_setup(random_messages, setup),
        cmocka_unit_test_setup(damaged_requests, setup),
        cmocka_unit_test_setup(damaged_updates, setup),
    };

    return LIVES_RUN(tests);
}
