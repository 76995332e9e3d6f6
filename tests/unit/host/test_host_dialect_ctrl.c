/* SPDX-License-Identifier: Apache-2.0 */
/* Our ctrl requests are upstream's, and its recorded replies and events mean what they say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dialect.h"
#include "transcript.h"

#define UID 3 /* what most recorded requests carry */

static const uint8_t *find_bytes(const uint8_t *in, size_t len, const uint8_t *what, size_t n)
{
    for (size_t i = 0; n <= len && i <= len - n; i++)
        if (memcmp(in + i, what, n) == 0)
            return in + i;
    return NULL;
}

static void assert_recorded(const char *name, const struct ctrl_request *request)
{
    struct transcript transcript = transcript_read(name);
    uint8_t buf[SERIAL_TLV_MAX_BYTES];
    const int len = dialect_ctrl.encode(request, UID, buf, sizeof(buf));

    assert_true(len > 0);
    assert_non_null(find_bytes(transcript.to_device, transcript.to_device_len, buf, (size_t)len));
    transcript_free(&transcript);
}

static void requests_with_content_are_the_recorded_ones(void **state)
{
    (void)state;
    const struct ctrl_request get_mac = {.command = CTRL_GET_MAC, .mode = HOSTED_MODE_STATION};

    assert_recorded("ctrl-mac", &get_mac);
}

/* Upstream's host leaves an empty submessage out; some firmware looks into it unasked. */
static void every_request_has_its_submessage(void **state)
{
    (void)state;
    static const struct {
        enum ctrl_command command;
        uint8_t id;
        uint8_t tag[2];
    } cases[] = {
        {CTRL_GET_MODE, 103, {0xba, 0x06}},      {CTRL_GET_AP, 106, {0xd2, 0x06}},
        {CTRL_DISCONNECT, 108, {0xe2, 0x06}},    {CTRL_SCAN, 105, {0xca, 0x06}},
        {CTRL_OTA_BEGIN, 116, {0xa2, 0x07}},     {CTRL_OTA_END, 118, {0xb2, 0x07}},
        {CTRL_GET_VERSION, 123, {0xda, 0x07}},   {CTRL_SET_MODE, 104, {0xc2, 0x06}},
        {CTRL_SET_HEARTBEAT, 121, {0xca, 0x07}}, {CTRL_SET_FEATURE, 122, {0xd2, 0x07}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ctrl_request request = {.command = cases[i].command};
        const uint8_t expected[] = {1,
                                    8,
                                    0,
                                    'c',
                                    't',
                                    'r',
                                    'l',
                                    'R',
                                    'e',
                                    's',
                                    'p',
                                    2,
                                    7,
                                    0,
                                    0x10,
                                    cases[i].id,
                                    0x18,
                                    UID,
                                    cases[i].tag[0],
                                    cases[i].tag[1],
                                    0};
        uint8_t buf[64];

        assert_int_equal(dialect_ctrl.encode(&request, UID, buf, sizeof(buf)), sizeof(expected));
        assert_memory_equal(buf, expected, sizeof(expected));
    }
}

static void a_write_is_the_recorded_one(void **state)
{
    (void)state;
    struct transcript transcript = transcript_read("ctrl-ota-40001");
    const uint8_t head[] = {0x10, 0x75, 0x18, 4, 0xaa, 0x07, 0xa3, 0x1f, 0x0a, 0xa0, 0x1f};
    const uint8_t *recorded =
        find_bytes(transcript.to_device, transcript.to_device_len, head, sizeof(head));
    uint8_t buf[SERIAL_TLV_MAX_BYTES];

    assert_non_null(recorded);

    const struct ctrl_request request = {
        .command = CTRL_OTA_WRITE,
        .write = {.data = recorded + sizeof(head), .len = 4000},
    };

    assert_int_equal(dialect_ctrl.encode(&request, 4, buf, sizeof(buf)), 14 + 11 + 4000);
    assert_memory_equal(buf + 14, recorded, 11 + 4000);
    transcript_free(&transcript);
}

/* The largest number makes the longest message; upstream's firmware takes 4096 bytes. */
static void a_whole_chunk_fits_with_any_number(void **state)
{
    (void)state;
    static uint8_t data[4000];
    const struct ctrl_request request = {
        .command = CTRL_OTA_WRITE,
        .write = {.data = data, .len = sizeof(data)},
    };
    uint8_t buf[SERIAL_TLV_MAX_BYTES];

    assert_true(dialect_ctrl.encode(&request, INT32_MAX, buf, sizeof(buf)) > 4000);
    assert_int_equal(dialect_ctrl.encode(&request, 1, buf, 4000), -EMSGSIZE);
}

/* Every message that the recording has for the host, in order. */
static struct ctrl_message nth_message(const char *name, int nth)
{
    struct transcript transcript = transcript_read(name);
    struct ctrl_message message = {0};
    size_t at = 0;

    for (int i = 0; i <= nth; i++) {
        struct serial_tlv tlv;
        const int whole =
            serial_tlv_parse(transcript.to_host + at, transcript.to_host_len - at, &tlv);

        assert_true(whole > 0);
        assert_ptr_equal(dialect_of_message(&tlv), &dialect_ctrl);
        if (i == nth)
            assert_int_equal(dialect_ctrl.decode(&tlv, &message), 0);
        at += (size_t)whole;
    }
    transcript_free(&transcript);
    return message;
}

static void replies_mean_what_they_say(void **state)
{
    (void)state;
    struct ctrl_message message = nth_message("ctrl-mac", 3);

    assert_false(message.is_event);
    assert_int_equal(message.reply.command, CTRL_GET_MAC);
    assert_int_equal(message.reply.uid, 3);
    assert_string_equal(message.reply.mac, "24:0a:c4:11:22:33");

    message = nth_message("ctrl-mode", 3);
    assert_int_equal(message.reply.command, CTRL_GET_MODE);
    assert_int_equal(message.reply.mode.mode, HOSTED_MODE_STATION);
    assert_false(message.reply.mode.identity.known);

    message = nth_message("ctrl-fw-version", 2);
    assert_int_equal(message.reply.command, CTRL_GET_VERSION);
    assert_string_equal(message.reply.version, "FG-1.0.0.0.0");

    message = nth_message("ctrl-station-disconnect", 3);
    assert_int_equal(message.reply.command, CTRL_DISCONNECT);
    assert_int_equal(message.reply.outcome, CTRL_REFUSED);
    assert_int_equal(message.reply.code, -1);

    message = nth_message("ctrl-scan", 3);
    assert_int_equal(message.reply.command, CTRL_SCAN);
    assert_int_equal(message.reply.scan.count, 2);
    assert_string_equal(message.reply.scan.list[1].ssid, "TestNet-1");
    assert_int_equal(message.reply.scan.list[1].channel, 6);
    assert_int_equal(message.reply.scan.list[1].rssi, -41);
    ctrl_reply_free(&message.reply);
}

static void events_mean_what_they_say(void **state)
{
    (void)state;
    struct ctrl_message message = nth_message("ctrl-mode", 0);

    assert_true(message.is_event);
    assert_int_equal(message.event.kind, HOSTED_EVENT_INIT);

    message = nth_message("ctrl-station-connect", 5);
    assert_true(message.is_event);
    assert_int_equal(message.event.kind, HOSTED_EVENT_DISCONNECTED);
    assert_string_equal(message.event.ssid, "MyWifi");
    assert_int_equal(message.event.reason, 8);

    message = nth_message("ctrl-station-connect", 6);
    assert_int_equal(message.event.kind, HOSTED_EVENT_CONNECTED);
    assert_string_equal(message.event.ssid, "MyWifi");
    assert_int_equal(message.event.ssid_len, 6);
    assert_string_equal(message.event.bssid, "02:11:22:33:44:55");
    assert_int_equal(message.event.channel, 6);

    message = nth_message("ctrl-ota-event-midway", 3);
    assert_int_equal(message.event.kind, HOSTED_EVENT_HEARTBEAT);
}

static int decode(const char *endpoint, const void *data, size_t len, struct ctrl_message *ret)
{
    const struct serial_tlv tlv = {(const uint8_t *)endpoint, strlen(endpoint), data, len};

    return dialect_ctrl.decode(&tlv, ret);
}

static void what_is_no_reply_is_told_apart(void **state)
{
    (void)state;
    struct ctrl_message message;
    const uint8_t no_payload[] = {0x08, 2, 0x10, 0xd9, 0x01, 0x18, 9};
    const uint8_t request[] = {0x08, 1, 0x10, 0x75, 0x18, 9, 0xaa, 0x07, 0};
    const uint8_t unknown[] = {0x08, 2, 0x10, 0xd1, 0x01, 0xca, 0x0d, 0};
    const uint8_t other_payload[] = {0x10, 0xd9, 0x01, 0x18, 9, 0xc2, 0x0d, 0};
    const uint8_t other_event[] = {0x08, 3, 0x10, 0xb3, 0x02};

    assert_int_equal(decode("ctrlResp", no_payload, sizeof(no_payload), &message), -EPROTO);
    assert_int_equal(message.reply.command, CTRL_OTA_WRITE);
    assert_int_equal(message.reply.uid, 9);
    assert_int_equal(decode("ctrlResp", other_payload, sizeof(other_payload), &message), -EPROTO);
    assert_int_equal(decode("ctrlResp", request, sizeof(request), &message), -ENOMSG);
    assert_int_equal(decode("ctrlResp", unknown, sizeof(unknown), &message), -ENOMSG);
    assert_int_equal(decode("ctrlResp", "\x08", 1, &message), -EBADMSG);
    assert_int_equal(decode("ctrlEvnt", other_event, sizeof(other_event), &message), 0);
    assert_int_equal(message.event.kind, HOSTED_EVENT_OTHER);
    assert_int_equal(message.event.number, 307);
}

static void an_identity_may_leave_out_its_texts(void **state)
{
    (void)state;
    static const uint8_t reply[] = {0x10, 0xcb, 0x01, 0xda, 0x0c, 5, 0xa2, 0x06, 2, 0x08, 5};
    struct ctrl_message message;

    assert_int_equal(decode("ctrlResp", reply, sizeof(reply), &message), 0);
    assert_true(message.reply.mode.identity.known);
    assert_int_equal(message.reply.mode.identity.chip_id, 5);
    assert_string_equal(message.reply.mode.identity.running_slot, "");
    assert_string_equal(message.reply.mode.identity.project, "");
    assert_string_equal(message.reply.mode.identity.version, "");
}

static void a_release_is_spelt_out_once(void **state)
{
    (void)state;
    static const uint8_t reply[] = {0x10, 0xdf, 0x01, 0xfa, 0x0d, 5, 0x12, 1, 0x1b, 0x18, 2};
    struct ctrl_message message;

    assert_int_equal(decode("ctrlResp", reply, sizeof(reply), &message), 0);
    assert_string_equal(message.reply.version, "\\x1b-2.0.0.0.0");
}

static void damaged_messages_are_survived(void **state)
{
    (void)state;
    static const char *const names[] = {"ctrl-scan", "ctrl-station-connect", "ctrl-fw-version"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct transcript transcript = transcript_read(names[i]);
        struct serial_tlv tlv;
        int whole;

        for (size_t at = 0; at < transcript.to_host_len; at += (size_t)whole) {
            whole = serial_tlv_parse(transcript.to_host + at, transcript.to_host_len - at, &tlv);
            assert_true(whole > 0);
            for (size_t bit = 0; bit < tlv.data_len * 8; bit++) {
                uint8_t *copy = malloc(tlv.data_len);
                struct ctrl_message message = {0};

                memcpy(copy, tlv.data, tlv.data_len);
                copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
                if (decode("ctrlResp", copy, tlv.data_len, &message) == 0 && !message.is_event)
                    ctrl_reply_free(&message.reply);
                free(copy);
            }
        }
        transcript_free(&transcript);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_with_content_are_the_recorded_ones),
        cmocka_unit_test(every_request_has_its_submessage),
        cmocka_unit_test(a_write_is_the_recorded_one),
        cmocka_unit_test(a_whole_chunk_fits_with_any_number),
        cmocka_unit_test(replies_mean_what_they_say),
        cmocka_unit_test(events_mean_what_they_say),
        cmocka_unit_test(what_is_no_reply_is_told_apart),
        cmocka_unit_test(an_identity_may_leave_out_its_texts),
        cmocka_unit_test(a_release_is_spelt_out_once),
        cmocka_unit_test(damaged_messages_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
