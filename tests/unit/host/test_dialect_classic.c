/* SPDX-License-Identifier: Apache-2.0 */
/* Our requests are upstream's, byte for byte, and its recorded replies mean what they say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dialect.h"
#include "transcript.h"

/* The next recorded message whose number is `number`, from *at on. */
static struct serial_tlv find(const uint8_t *bytes, size_t len, int number, size_t *at)
{
    struct serial_tlv message = {0};

    while (*at < len) {
        const int whole = serial_tlv_parse(bytes + *at, len - *at, &message);

        assert_true(whole > 0);
        *at += (size_t)whole;
        if (message.data[1] == number)
            return message;
    }
    fail_msg("no message %d", number);
    return message;
}

static void check_request(const char *name, int number, const struct ctrl_request *request)
{
    struct transcript transcript = transcript_read(name);
    uint8_t buf[SERIAL_TLV_MAX_BYTES];
    size_t at = 0;
    const struct serial_tlv recorded =
        find(transcript.to_device, transcript.to_device_len, number, &at);
    const size_t whole = SERIAL_TLV_OVERHEAD(recorded.endpoint_len) + recorded.data_len;

    assert_int_equal(dialect_classic.encode(request, 0, buf, sizeof(buf)), whole);
    assert_memory_equal(buf, transcript.to_device + at - whole, whole);
    transcript_free(&transcript);
}

static void requests_are_the_recorded_ones(void **state)
{
    (void)state;
    static const struct {
        const char *recording;
        int number;
        struct ctrl_request request;
    } cases[] = {
        {"classic-mode-and-mac", 0, {.command = CTRL_GET_MAC, .mode = HOSTED_MODE_STATION}},
        {"classic-mode-and-mac", 2, {.command = CTRL_GET_MODE}},
        {"classic-all-commands", 4, {.command = CTRL_SET_MODE, .mode = HOSTED_MODE_NONE}},
        {"classic-mode-and-mac", 6, {.command = CTRL_GET_AP}},
        {"classic-station-connect",
         8,
         {.command = CTRL_CONNECT,
          .network =
              {.ssid = "MyWifi", .password = "MyWifiPass@123", .bssid = "", .listen_interval = 5}}},
        {"classic-all-commands", 14, {.command = CTRL_DISCONNECT}},
        {"classic-scan", 18, {.command = CTRL_SCAN}},
        {"classic-all-commands",
         22,
         {.command = CTRL_SET_MAC,
          .set_mac = {.mode = HOSTED_MODE_STATION, .mac = "1a:11:11:11:11:11"}}},
        {"classic-ota-40000", 28, {.command = CTRL_OTA_BEGIN}},
        {"classic-ota-40000", 32, {.command = CTRL_OTA_END}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("message %d of %s\n", cases[i].number, cases[i].recording);
        check_request(cases[i].recording, cases[i].number, &cases[i].request);
    }
}

static void a_write_is_the_recorded_one(void **state)
{
    (void)state;
    struct transcript transcript = transcript_read("classic-ota-40000");
    size_t at = 0;

    for (int i = 0; i < 10; i++) {
        const struct serial_tlv recorded =
            find(transcript.to_device, transcript.to_device_len, 30, &at);
        const struct ctrl_request request = {
            .command = CTRL_OTA_WRITE,
            .write = {.data = recorded.data + recorded.data_len - 4000, .len = 4000},
        };
        uint8_t buf[SERIAL_TLV_MAX_BYTES];

        assert_int_equal(dialect_classic.encode(&request, 0, buf, sizeof(buf)), 4022);
        assert_memory_equal(buf, transcript.to_device + at - 4022, 4022);
    }
    transcript_free(&transcript);
}

/* The nth recorded reply with this number. */
static struct ctrl_reply decode(const char *name, int number, int nth)
{
    struct transcript transcript = transcript_read(name);
    struct ctrl_message decoded = {0};
    struct serial_tlv message = {0};
    size_t at = 0;

    for (int i = 0; i < nth; i++)
        message = find(transcript.to_host, transcript.to_host_len, number, &at);
    assert_int_equal(dialect_classic.decode(&message, &decoded), 0);
    assert_false(decoded.is_event);
    transcript_free(&transcript);
    return decoded.reply;
}

static void replies_mean_what_they_say(void **state)
{
    (void)state;
    struct ctrl_reply reply = decode("classic-mode-and-mac", 1, 1);

    assert_int_equal(reply.command, CTRL_GET_MAC);
    assert_int_equal(reply.outcome, CTRL_OK);
    assert_string_equal(reply.mac, "24:0a:c4:11:22:33");

    reply = decode("classic-mode-and-mac", 3, 1);
    assert_int_equal(reply.command, CTRL_GET_MODE);
    assert_int_equal(reply.mode.mode, HOSTED_MODE_NONE);
    assert_false(reply.mode.identity.known);

    reply = decode("classic-mode-and-mac", 7, 1);
    assert_int_equal(reply.command, CTRL_GET_AP);
    assert_string_equal(reply.ap.ssid, "MyWifi");
    assert_int_equal(reply.ap.ssid_len, 6);
    assert_string_equal(reply.ap.bssid, "11:22:33:44:55:66");
    assert_int_equal(reply.ap.rssi, -40);
    assert_int_equal(reply.ap.channel, 6);
    assert_int_equal(reply.ap.encryption, HOSTED_WPA2_PSK);
}

static void outcomes_of_a_connect(void **state)
{
    (void)state;
    struct ctrl_reply reply = decode("classic-station-connect", 9, 1);

    assert_int_equal(reply.outcome, CTRL_OK);
    reply = decode("classic-station-connect-no-ap", 9, 1);
    assert_int_equal(reply.outcome, CTRL_NO_AP_FOUND);
    assert_int_equal(reply.code, 2);
}

static void a_scan_has_its_access_points(void **state)
{
    (void)state;
    struct ctrl_reply reply = decode("classic-scan", 19, 1);

    assert_int_equal(reply.scan.count, 2);
    assert_string_equal(reply.scan.list[0].ssid, "MyWifi");
    assert_int_equal(reply.scan.list[0].rssi, -40);
    assert_int_equal(reply.scan.list[0].encryption, HOSTED_WPA2_PSK);
    assert_string_equal(reply.scan.list[1].ssid, "Open");
    assert_string_equal(reply.scan.list[1].bssid, "12:22:33:44:55:66");
    assert_int_equal(reply.scan.list[1].channel, 11);
    assert_int_equal(reply.scan.list[1].encryption, HOSTED_OPEN);
    ctrl_reply_free(&reply);
}

static void a_refused_write_is_a_refusal(void **state)
{
    (void)state;
    struct ctrl_reply reply = decode("classic-ota-write-refused", 31, 2);

    assert_int_equal(reply.outcome, CTRL_OK);
    reply = decode("classic-ota-write-refused", 31, 3);
    assert_int_equal(reply.outcome, CTRL_REFUSED);
    assert_int_equal(reply.code, -1);
}

/* Every command that is ours, in the recording of all; no byte of a reply may crash the decoder. */
static void damaged_replies_are_survived(void **state)
{
    (void)state;
    struct transcript transcript = transcript_read("classic-all-commands");
    struct serial_tlv message;
    int whole;

    for (size_t at = 0; at < transcript.to_host_len; at += (size_t)whole) {
        whole = serial_tlv_parse(transcript.to_host + at, transcript.to_host_len - at, &message);
        assert_true(whole > 0);
        for (size_t byte = 0; byte < message.data_len * 8; byte++) {
            uint8_t *copy = malloc(message.data_len);
            const struct serial_tlv damaged = {message.endpoint, message.endpoint_len, copy,
                                               message.data_len};
            struct ctrl_message decoded = {0};

            memcpy(copy, message.data, message.data_len);
            copy[byte / 8] ^= (uint8_t)(1u << byte % 8);
            if (dialect_classic.decode(&damaged, &decoded) == 0)
                ctrl_reply_free(&decoded.reply);
            free(copy);
        }
    }
    transcript_free(&transcript);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_the_recorded_ones),
        cmocka_unit_test(a_write_is_the_recorded_one),
        cmocka_unit_test(replies_mean_what_they_say),
        cmocka_unit_test(outcomes_of_a_connect),
        cmocka_unit_test(a_scan_has_its_access_points),
        cmocka_unit_test(a_refused_write_is_a_refusal),
        cmocka_unit_test(damaged_replies_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
