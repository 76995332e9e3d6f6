/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing that comes in stops the control endpoint: upstream's is dead after each of these. */
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "damage.h"
#include "frame.h"
#include "hosted_control.h"
#include "life.h"
#include "peer.h"
#include "transcript.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int setup(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    peer_put_up("MyWifi", "MyWifiPass@123", -40);
    peer_start_firmware();
    return 0;
}

static struct hosted_control_counters counters(void)
{
    struct hosted_control_counters now;

    hosted_control_get_counters(&now);
    return now;
}

static void unknown_requests_are_dropped(void **state)
{
    static const char *const requests[] = {
        "08 c8 01",                         /* message 200 */
        "08 03",                            /* a reply */
        "08 28",                            /* behind the last message */
        "08 ff ff ff ff ff ff ff ff ff 01", /* message -1 */
        "08 ff ff ff ff 07",                /* the largest number */
        "08 f5 ff ff ff ff ff ff ff ff 01", /* message -11 */
        "08",                               /* no number */
        "07",                               /* wire type 7 */
        "ff ff ff ff ff ff ff ff ff ff ff", /* a number without an end */
        "c2 02 ff ff ff ff 0f",             /* a payload longer than all there is */
        "c2 02 05 0a 04 e9",                /* its data longer than the payload */
        "08 1e c2 02 03 0a 7f e9",          /* the same, with a message number */
        "92 01 05 08 01 08 01 08",          /* a name that is a number */
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

/* Each costs memory while it is decoded, of which there is only so much. */
static void strange_fields_are_skipped_up_to_a_point(void **state)
{
    uint8_t request[2 + 3 * 1000] = {0x08, 0x02};
    int answered = 0;

    (void)state;
    for (size_t at = 2; at < sizeof(request); at += 3)
        memcpy(request + at, "\xa0\x06\x07", 3);
    for (size_t fields = 0; fields <= 1000; fields += 10)
        answered += peer_ask(request, 2 + 3 * fields) != NULL;
    print_message("%d of 101\n", answered);
    assert_true(answered >= 5);
    assert_int_equal(counters().bad_requests, 101 - answered);
    assert_true(counters().bad_requests > 50);
    peer_check_alive();
}

/* It is clear what was asked: the refusal spares the host a wait of 30 s. */
static void unusable_requests_are_refused(void **state)
{
    static const struct {
        const char *request;
        unsigned field; /* of `resp` in the answer */
    } cases[] = {
        {"08 00", 2},                /* GetMAC without payload */
        {"08 00 72 02 08 01", 2},    /* … with another message's */
        {"08 04", 1},                /* SetMode */
        {"08 08", 1},                /* SetAPConfig */
        {"08 16", 1},                /* SetMAC */
        {"08 1e", 1},                /* OTAWrite: upstream's panics */
        {"08 1e c2 02 00", 1},       /* … empty */
        {"08 1e c2 02 02 0a 00", 1}, /* … of no bytes */
        {"08 04 72 02 08 09", 1},    /* mode 9 */
        {"08 04 72 02 08 04", 1},    /* the mode behind the last */
        {"08 04 72 0b 08 ff ff ff ff ff ff ff ff ff 01", 1},
        {"08 00 52 02 08 07", 2},    /* GetMAC of interface 7 */
        {"08 16 82 02 02 10 01", 1}, /* SetMAC without an address */
        {"08 16 82 02 15 0a 11 31613a31313a31313a31313a31313a3167 10 01", 1}, /* no hex */
        {"08 16 82 02 15 0a 11 31613a31312d31313a31313a31313a3131 10 01", 1}, /* no colon */
        {"08 16 82 02 15 0a 11 31613a31313a31313a31313a31313a3131 10 03", 1}, /* interface 3 */
        {"08 16 82 02 16 0a 12 31613a31313a31313a31313a31313a313131 10 01", 1},
        {"08 08 92 01 02 0a 00", 1}, /* no SSID */
        /* 33 bytes of SSID */
        {"08 08 92 01 23 0a 21 414141414141414141414141414141414141414141414141414141414141414141",
         1},
        /* 65 bytes of password */
        {"08 08 92 01 46 0a 01 41 12 41 "
         "4141414141414141414141414141414141414141414141414141414141414141414141414141414141414141"
         "414141414141414141414141414141414141414141",
         1},
        /* addresses of an access point that are none */
        {"08 08 92 01 08 0a 01 41 1a 03 313a31", 1},
        {"08 08 92 01 17 0a 01 41 1a 12 31313a32323a33333a34343a35353a36363a", 1},
    };

    (void)state;
    /* What could work does: a station with another address, an update that is open. */
    assert_int_equal(peer_result("08 04 72 02 08 01", 1), 0);
    assert_int_equal(
        peer_result("08 16 82 02 15 0a 11 32363a31313a31313a31313a31313a3131 10 01", 1), 0);
    assert_int_equal(peer_result("08 1c", 1), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("%s\n", cases[i].request);
        assert_int_equal(peer_result(cases[i].request, cases[i].field), -1);
        peer_check_alive();
    }
}

static void messages_without_sense_are_dropped(void **state)
{
    static const struct {
        const char *bytes;
    } cases[] = {
        {"01 0700 636f6e74726f6c 02 0200"},                      /* no data */
        {"01 0700 636f6e74726f6c 02 0000"},                      /* data of no bytes */
        {"01 0700 636f6e74726f6c 02 0300 0802"},                 /* less than announced */
        {"01 0700 636f6e74726f6c 02 0200 0802 00"},              /* more */
        {"01 0700 636f6e74726f6c 03 0200 0802"},                 /* another tag */
        {"02 0700 636f6e74726f6c 02 0200 0802"},                 /* … in front */
        {"01 0600 636f6e74726f 02 0200 0802"},                   /* endpoint "contro" */
        {"01 0800 636f6e74726f6c6c 02 0200 0802"},               /* endpoint "controll" */
        {"01 0800 6374726c52657370 02 0200 0802"},               /* today's endpoint */
        {"01 0000 02 0200 0802"},                                /* no name */
        {"01 0f00 616161616161616161616161616161 02 0200 0802"}, /* too long a name */
        {"01 ffff 636f6e74726f6c 02 0200 0802"},
        {"01 0700 636f6e74726f6c 02 ffff 0802"},
        {"01"},
        {"00"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t bytes[64];
        const uint32_t before = counters().bad_messages;

        print_message("%s\n", cases[i].bytes);
        peer_send(bytes, peer_unhex(cases[i].bytes, bytes, sizeof(bytes)));
        peer_settle();
        assert_int_equal(peer_take_answers(NULL), 0);
        assert_int_equal(counters().bad_messages, before + 1);
        peer_check_alive();
    }
}

static void the_longest_message_fits_and_no_longer(void **state)
{
    uint8_t bytes[2 * SERIAL_TLV_MAX_BYTES] = {0};
    /* OTAWrite with data to the brim: refused, as no update is open, but understood. */
    const size_t data = SERIAL_TLV_MAX_BYTES - 13 - 9;
    uint8_t request[SERIAL_TLV_MAX_BYTES] = {0x08, 0x1e, 0xc2, 0x02};
    const uint32_t before = counters().bad_messages;

    (void)state;
    request[4] = (uint8_t)((data + 3) & 0x7f) | 0x80;
    request[5] = (uint8_t)((data + 3) >> 7);
    request[6] = 0x0a;
    request[7] = (uint8_t)(data & 0x7f) | 0x80;
    request[8] = (uint8_t)(data >> 7);
    assert_non_null(peer_ask(request, 9 + data));
    assert_int_equal(counters().bad_messages, before);

    for (size_t len = SERIAL_TLV_MAX_BYTES + 1; len <= sizeof(bytes); len += 977) {
        peer_send(bytes, len);
        peer_check_alive();
    }
    assert_int_equal(counters().bad_messages, before + 5);
}

/* One fragment of "GetMode" in two, as the bus brings it. */
static void send_fragment(const uint8_t *bytes, size_t len, uint16_t sequence, bool more)
{
    uint8_t buf[FRAME_MAX_BYTES];
    const struct frame frame = {
        .interface_type = FRAME_SERIAL,
        .flags = more ? FRAME_FLAG_MORE_FRAGMENT : 0,
        .sequence = sequence,
        .length = (uint16_t)len,
        .payload = bytes,
    };
    const int whole = frame_build(&frame, buf, sizeof(buf));

    assert_true(whole > 0);
    peer_send_frame(buf, (size_t)whole);
}

static void lost_and_stray_fragments(void **state)
{
    uint8_t get_mode[32];
    const size_t len = peer_unhex("01 0700 636f6e74726f6c 02 0200 0802", get_mode, 32);

    (void)state;
    send_fragment(get_mode, 5, 700, true); /* its other half is lost */
    peer_check_alive();
    send_fragment(get_mode + 5, len - 5, 701, false); /* the first half was lost */
    peer_check_alive();
    send_fragment(get_mode, 5, 702, true);
    send_fragment(get_mode + 5, len - 5, 703, false); /* of another message */
    assert_int_equal(peer_take_answers(NULL), 0);
    peer_check_alive();
    peer_take_answers(NULL);
    send_fragment(get_mode, 5, 704, true); /* and as it should be */
    send_fragment(get_mode + 5, len - 5, 704, false);
    assert_int_equal(peer_take_answers(NULL), 1);
    for (int i = 0; i < 100; i++) /* a message without an end */
        send_fragment(get_mode, len, 705, true);
    peer_check_alive();
}

static void frames_without_sense_are_dropped(void **state)
{
    static const char *const frames[] = {
        "",
        "02",
        "02000000 0c00 0000 00000000", /* no payload: the host's dummy */
        "00000000 0000 0000 00000000",
        "02000200 0b00 0000 00000000 0802", /* the payload begins in the header */
        "02000300 0c00 0000 00000000 0802", /* longer than the frame */
        "0200ffff ffff 0000 00000000 0802",
        "02000200 0c00 ffff 00000000 0802", /* checksum */
        "01000200 0c00 0000 00000000 0802", /* access point */
        "03000200 0c00 0000 00000000 0802", /* Bluetooth */
        "04000200 0c00 0000 00000000 0802", /* private */
        "05000200 0c00 0000 00000000 0802",
        "0f000200 0c00 0000 00000000 0802",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        uint8_t bytes[64];
        const size_t len = peer_unhex(frames[i], bytes, sizeof(bytes));
        uint8_t *copy = malloc(len + 1); /* just these bytes, for the sanitiser */
        const uint32_t before = counters().bad_frames;

        print_message("'%s'\n", frames[i]);
        memcpy(copy, bytes, len);
        peer_send_frame(copy, len);
        free(copy);
        assert_int_equal(counters().bad_frames, before + 1);
        peer_check_alive();
    }
}

#define SEEDS       100000
#define LOOK_EVERY  5000
#define MAX_REQUEST 400

static size_t s_answered;

static void after(int seed)
{
    peer_settle();
    s_answered += peer_take_answers(NULL);
    if (seed % LOOK_EVERY == 0) {
        hosted_control_on_tick();
        peer_check_alive();
        peer_take_answers(NULL);
    }
}

/* The bytes reached what they were meant for. */
static void check_mixture(size_t answered, uint32_t bad_frames, uint32_t bad_messages,
                          uint32_t bad_requests)
{
    const struct hosted_control_counters now = counters();

    print_message("%zu answers, dropped %u frames, %u messages, %u requests\n", s_answered,
                  (unsigned)now.bad_frames, (unsigned)now.bad_messages, (unsigned)now.bad_requests);
    assert_true(s_answered >= answered);
    assert_true(now.bad_frames >= bad_frames);
    assert_true(now.bad_messages >= bad_messages);
    assert_true(now.bad_requests >= bad_requests);
    peer_check_alive();
}

static void random_frames(void **state)
{
    (void)state;
    for (int seed = 1; seed <= SEEDS; seed++) {
        const size_t len = draw(100);
        uint8_t *frame = malloc(len + 1);

        fill_at_random(frame, len);
        if (len >= 8 && draw(2) != 0) { /* else the checksum stops nearly all of them */
            frame[0] = FRAME_SERIAL;
            frame[2] = (uint8_t)draw(100);
            frame[3] = 0;
            frame[4] = (uint8_t)(12 + draw(5));
            frame[5] = frame[6] = frame[7] = 0;
        }
        peer_send_frame(frame, len);
        free(frame);
        after(seed);
    }
    check_mixture(0, 50000, 5000, 0);
}

/* Else hardly one is a request. Returns the length that remains. */
static size_t give_it_a_head(uint8_t *protobuf, size_t len)
{
    const uint8_t number = (uint8_t)draw(50);
    const uint8_t key = (uint8_t)(number + 10);

    if (draw(3) == 0)
        return len;
    protobuf[0] = 0x08;
    if (len < 6 || draw(2) == 0)
        return len;
    protobuf[1] = number; /* and its payload, as long as the rest */
    protobuf[2] = (uint8_t)(key << 3 | 2 | 0x80);
    protobuf[3] = key >> 4;
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
        peer_send_request("control", protobuf, give_it_a_head(protobuf, len));
        after(seed);
    }
    check_mixture(5000, 0, 0, 50000);
}

/* What hosts really send, cut short at every byte: of the protobuf, and of the whole message. */
static void every_cut_request(void **state)
{
    struct transcript recorded = transcript_read("classic-all-commands");
    size_t cuts = 0;

    (void)state;
    for (size_t at = 0; at < recorded.to_device_len;) {
        struct serial_tlv request;
        const int whole =
            serial_tlv_parse(recorded.to_device + at, recorded.to_device_len - at, &request);

        assert_true(whole > 0);
        cuts += damage_cut("control", recorded.to_device + at, (size_t)whole);
        at += (size_t)whole;
    }
    assert_true(cuts > 500);
    transcript_free(&recorded);
}

static void damaged_requests(void **state)
{
    struct transcript recorded = transcript_read("classic-all-commands");
    size_t at = 0;

    (void)state;
    for (int seed = 1; seed <= SEEDS; seed++) {
        uint8_t protobuf[MAX_REQUEST];
        struct serial_tlv request;

        at = at < recorded.to_device_len ? at : 0;

        const int whole =
            serial_tlv_parse(recorded.to_device + at, recorded.to_device_len - at, &request);

        assert_true(whole > 0);
        at += (size_t)whole;
        memcpy(protobuf, request.data, request.data_len);
        peer_send_request("control", protobuf,
                          damage(protobuf, request.data_len, sizeof(protobuf)));
        after(seed);
    }
    check_mixture(10000, 0, 0, 50000);
    transcript_free(&recorded);
}

/* An update that is damaged at one place in each of its messages: whatever becomes of it, the chip
 * boots, and takes the next one. */
static void damaged_updates(void **state)
{
    uint8_t write[300] = {0x08, 0x1e, 0xc2, 0x02, 0x93, 0x02, 0x0a, 0x90, 0x02, 0xe9};

    (void)state;
    for (int seed = 1; seed <= SEEDS / 10; seed++) {
        uint8_t protobuf[MAX_REQUEST];

        peer_send_request("control", (const uint8_t *)"\x08\x1c", 2);
        for (int i = 0; i < 3; i++) {
            memcpy(protobuf, write, 281);
            peer_send_request("control", protobuf, damage(protobuf, 281, sizeof(protobuf)));
        }
        peer_send_request("control", (const uint8_t *)"\x08\x20", 2);
        after(seed);
    }
    check_mixture(SEEDS / 10 * 2, 0, 0, 10000);
    assert_string_equal(board_boot(), "ota_0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(unknown_requests_are_dropped, setup),
        cmocka_unit_test_setup(strange_fields_are_skipped_up_to_a_point, setup),
        cmocka_unit_test_setup(unusable_requests_are_refused, setup),
        cmocka_unit_test_setup(messages_without_sense_are_dropped, setup),
        cmocka_unit_test_setup(the_longest_message_fits_and_no_longer, setup),
        cmocka_unit_test_setup(lost_and_stray_fragments, setup),
        cmocka_unit_test_setup(frames_without_sense_are_dropped, setup),
        cmocka_unit_test_setup(random_frames, setup),
        cmocka_unit_test_setup(random_messages, setup),
        cmocka_unit_test_setup(every_cut_request, setup),
        cmocka_unit_test_setup(damaged_requests, setup),
        cmocka_unit_test_setup(damaged_updates, setup),
    };

    return LIVES_RUN(tests);
}
