/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of hosted/device.h, and the words for everything that goes wrong with them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_esp32.h"

#define PASSWORD "Sesam-7-auf!"

static int start(void **state)
{
    *state = fake_new();
    return 0;
}

static int stop(void **state)
{
    fake_free(*state);
    return 0;
}

static void assert_says(const struct hosted_fault *fault, const char *words)
{
    if (strstr(fault->text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, fault->text);
}

static void the_first_request_asks_who_is_there(void **state)
{
    struct fake_esp32 *fake = *state;
    uint8_t buf[FAKE_MESSAGE_MAX];
    struct hosted_device *device = fake_device(fake, NULL);
    char mac[HOSTED_MAC_CHARS + 1];
    struct hosted_fault fault;

    fake_answer(fake, FAKE_GET_MODE, 0, buf, fake_reply_identity(buf, 5, 0x180000));
    assert_false(hosted_identity(device)->known);
    assert_int_equal(hosted_get_mac(device, HOSTED_MODE_STATION, mac, &fault), 0);
    assert_string_equal(mac, "24:0a:c4:11:22:33");
    assert_int_equal(hosted_get_mac(device, HOSTED_MODE_STATION, mac, &fault), 0);
    assert_int_equal(fake_count(fake, FAKE_GET_MODE), 1);

    const struct hosted_identity *identity = hosted_identity(device);

    assert_true(identity->known);
    assert_int_equal(identity->chip_id, 5);
    assert_int_equal(identity->slot_bytes, 0x180000);
    assert_string_equal(identity->version, "2.3.1");
    assert_string_equal(identity->project, "network_adapter");
    assert_string_equal(identity->running_slot, "ota_0");
    assert_int_equal(identity->can_roll_back, 1);
    assert_string_equal(hosted_path(device), "/dev/fake");
    hosted_close(device);
    assert_true(fake->closed);
}

/* On its own endpoint before any other, and so long that an answer 3 s late is not missed. */
static void a_silent_device_is_asked_on_each_endpoint(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *device = fake_device(fake, NULL);
    char mac[HOSTED_MAC_CHARS + 1];
    struct hosted_fault fault;

    fake_answer(fake, FAKE_GET_MODE, 0, NULL, 0);
    assert_int_equal(hosted_get_mac(device, HOSTED_MODE_STATION, mac, &fault), -ETIMEDOUT);
    assert_int_equal(fault.status, HOSTED_NO_ANSWER);
    assert_int_equal(fault.error, -ETIMEDOUT);
    assert_says(&fault,
                "/dev/fake: no answer to get_mode for 11 s, asked on the endpoints control, "
                "ctrlResp and RPCRsp");
    assert_int_equal(fake_count(fake, FAKE_GET_MODE), 2);
    assert_int_equal(fake->requests, 5);
    assert_true(fake->longest_wait_ms > 3000);
    hosted_close(device);
}

static void who_names_the_dialect_need_not_ask(void **state)
{
    struct fake_esp32 *fake = *state;
    const struct hosted_options options = {.dialect = HOSTED_DIALECT_CLASSIC, .timeout_s = 1};
    struct hosted_device *device = fake_device(fake, &options);
    char mac[HOSTED_MAC_CHARS + 1];
    struct hosted_fault fault;

    fake_answer(fake, FAKE_GET_MODE, 0, NULL, 0);
    assert_int_equal(hosted_get_mac(device, HOSTED_MODE_STATION, mac, &fault), 0);
    assert_true(fake->longest_wait_ms <= 1000);

    enum hosted_mode mode;

    assert_int_equal(hosted_get_mode(device, &mode, NULL, &fault), -ETIMEDOUT);
    assert_says(&fault, "no answer to get_mode for 1 s");
    hosted_close(device);
}

static void after_a_silence_it_is_asked_again(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *device = fake_device(fake, NULL);
    char mac[HOSTED_MAC_CHARS + 1];

    fake_answer(fake, FAKE_GET_MAC, 1, NULL, 0);
    assert_int_equal(hosted_get_mac(device, HOSTED_MODE_STATION, mac, NULL), -ETIMEDOUT);
    assert_int_equal(hosted_get_mac(device, HOSTED_MODE_STATION, mac, NULL), 0);
    assert_int_equal(fake_count(fake, FAKE_GET_MODE), 2);
    hosted_close(device);
}

static void a_timeout_is_the_callers(void **state)
{
    struct fake_esp32 *fake = *state;
    const struct hosted_options options = {.timeout_s = 7};
    struct hosted_device *device = fake_device(fake, &options);
    struct hosted_fault fault;

    fake_answer(fake, FAKE_DISCONNECT, 0, NULL, 0);
    assert_int_equal(hosted_disconnect(device, &fault), -ETIMEDOUT);
    assert_says(&fault, "no answer to disconnect for 7 s");
    assert_in_range(fake->longest_wait_ms, 6000, 7000);
    hosted_close(device);
}

static void every_failure_has_its_words(void **state)
{
    struct fake_esp32 *fake = *state;
    static const struct {
        int error;
        enum hosted_status status;
        const char *words;
    } cases[] = {
        {-ENODEV, HOSTED_NO_ANSWER, "the control device has gone at disconnect"},
        {-ECANCELED, HOSTED_LOCAL, "interrupted at disconnect"},
        {-EIO, HOSTED_NO_ANSWER, "the link failed at disconnect: Input/output error"},
        {-ENOMEM, HOSTED_LOCAL, "disconnect: Cannot allocate memory"},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hosted_device *device = fake_device(fake, NULL);
        struct hosted_fault fault;

        fake_failure(fake, FAKE_DISCONNECT, i + 1, cases[i].error);
        assert_int_equal(hosted_disconnect(device, &fault), cases[i].error);
        assert_int_equal(fault.status, cases[i].status);
        assert_says(&fault, cases[i].words);
        hosted_close(device);
    }
}

static void a_refusal_has_the_code_of_the_esp32(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *device = fake_device(fake, NULL);
    struct hosted_fault fault;

    fake_result(fake, FAKE_DISCONNECT, 0, -1);
    assert_int_equal(hosted_disconnect(device, &fault), -EREMOTEIO);
    assert_int_equal(fault.status, HOSTED_REFUSED);
    assert_int_equal(fault.device_code, -1);
    assert_says(&fault, "the ESP32 refused disconnect (code -1)");
    assert_int_equal(hosted_disconnect(device, NULL), -EREMOTEIO);
    hosted_close(device);
}

static void modes_are_read_and_set(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *device = fake_device(fake, NULL);
    struct hosted_identity identity;
    enum hosted_mode mode = HOSTED_MODE_NONE;
    uint8_t buf[FAKE_MESSAGE_MAX];
    struct hosted_fault fault;

    fake_answer(fake, FAKE_GET_MODE, 1, buf, fake_reply_identity(buf, 0, 4096));
    assert_int_equal(hosted_get_mode(device, &mode, &identity, &fault), 0);
    assert_int_equal(mode, HOSTED_MODE_STATION);
    assert_true(identity.known);
    assert_int_equal(hosted_set_mode(device, HOSTED_MODE_BOTH, &fault), 0);

    const unsigned before = fake->requests;

    assert_int_equal(hosted_set_mode(device, (enum hosted_mode)9, &fault), -EINVAL);
    assert_int_equal(fault.status, HOSTED_USAGE);
    assert_int_equal(fake->requests, before);
    hosted_close(device);
}

static void mac_addresses_are_looked_at(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *device = fake_device(fake, NULL);
    static const uint8_t nonsense[] = {0x0a, 3, 'a', 'b', 'c', 0x10, 0};
    uint8_t buf[FAKE_MESSAGE_MAX];
    char mac[HOSTED_MAC_CHARS + 1] = "untouched";
    struct hosted_fault fault;

    fake_answer(fake, FAKE_GET_MAC, 1, buf,
                fake_reply(buf, FAKE_GET_MAC, nonsense, sizeof(nonsense)));
    assert_int_equal(hosted_get_mac(device, HOSTED_MODE_STATION, mac, &fault), -EPROTO);
    assert_string_equal(mac, "untouched");
    assert_int_equal(hosted_get_mac(device, HOSTED_MODE_BOTH, mac, &fault), -EINVAL);
    assert_int_equal(hosted_set_mac(device, HOSTED_MODE_STATION, "aa:bb", &fault), -EINVAL);
    assert_int_equal(hosted_set_mac(device, HOSTED_MODE_NONE, "1a:2b:3c:4d:5e:6f", &fault),
                     -EINVAL);
    assert_int_equal(fake_count(fake, FAKE_SET_MAC), 0);
    assert_int_equal(hosted_set_mac(device, HOSTED_MODE_STATION, "1a:2b:3c:4d:5e:6f", &fault), 0);
    hosted_close(device);
}

static void joining_a_network_ends_in_one_of_four_ways(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *device = fake_device(fake, NULL);
    const struct hosted_network network = {.ssid = "Home\x1b[31m", .password = PASSWORD};
    static const struct {
        int code, error;
        const char *words;
    } cases[] = {
        {2, -ENOENT, "'Home\\x1b[31m': no access point of this name in reach"},
        {3, -EACCES, "the access point refused the password"},
        {-1, -EREMOTEIO, "the ESP32 could not connect (code -1)"},
    };
    struct hosted_fault fault;

    for (unsigned i = 0; i < 3; i++) {
        fake_result(fake, FAKE_CONNECT, i + 1, cases[i].code);
        assert_int_equal(hosted_connect(device, &network, &fault), cases[i].error);
        assert_int_equal(fault.status, HOSTED_REFUSED);
        assert_int_equal(fault.device_code, cases[i].code);
        assert_says(&fault, cases[i].words);
        assert_null(strstr(fault.text, PASSWORD));
    }
    assert_int_equal(hosted_connect(device, &network, &fault), 0);
    assert_non_null(memmem(fake->last, fake->last_len, PASSWORD, strlen(PASSWORD)));
    assert_int_equal(fake->last[fake->last_len - 1], 3); /* the usual listen interval */
    fake_answer(fake, FAKE_CONNECT, 5, NULL, 0);
    assert_int_equal(hosted_connect(device, &network, &fault), -ETIMEDOUT);
    assert_null(strstr(fault.text, PASSWORD));
    assert_null(strstr(fake->log, PASSWORD));
    hosted_close(device);
}

static void networks_that_cannot_be_are_not_asked_for(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *device = fake_device(fake, NULL);
    static const char long_password[] =
        "0123456789012345678901234567890123456789012345678901234567890123x";
    const struct hosted_network cases[] = {
        {.ssid = NULL},
        {.ssid = ""},
        {.ssid = "exactly-33-bytes-of-a-legal-ssid!!"},
        {.ssid = "Home", .password = long_password},
        {.ssid = "Home", .password = "1"},
        {.ssid = "Home", .password = "1234"},
        {.ssid = "Home", .password = "123456"},
        {.ssid = "Home", .password = "1234567"},
        {.ssid = "Home", .bssid = "nonsense"},
        {.ssid = "Home", .listen_interval = -1},
    };
    struct hosted_fault fault;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(hosted_connect(device, &cases[i], &fault), -EINVAL);
        assert_int_equal(fault.status, HOSTED_USAGE);
        assert_null(strstr(fault.text, long_password));
    }
    assert_int_equal(fake->requests, 0);

    const struct hosted_network longest = {.ssid = "exactly-32-bytes-of-a-legal-ssid",
                                           .password = long_password + 1,
                                           .bssid = "02:00:00:00:00:01"};

    assert_int_equal(hosted_connect(device, &longest, &fault), 0);

    const struct hosted_network wep = {.ssid = "Home", .password = "12345"};

    assert_int_equal(hosted_network_check(&wep, &fault), 0);
    hosted_close(device);
}

static void the_access_point_is_told_or_there_is_none(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *device = fake_device(fake, NULL);
    struct hosted_ap ap = {.rssi = 99};
    struct hosted_fault fault;

    fake_result(fake, FAKE_GET_AP, 1, 1);
    assert_int_equal(hosted_get_ap(device, &ap, &fault), -ENOTCONN);
    assert_int_equal(fault.status, HOSTED_REFUSED);
    assert_int_equal(ap.rssi, 99);
    fake_result(fake, FAKE_GET_AP, 2, -1);
    assert_int_equal(hosted_get_ap(device, &ap, &fault), -EREMOTEIO);
    assert_int_equal(hosted_get_ap(device, &ap, &fault), 0);
    hosted_close(device);
}

static void a_scan_returns_its_count(void **state)
{
    struct fake_esp32 *fake = *state;
    struct hosted_device *device = fake_device(fake, NULL);
    /* A name of 32 bytes that is not all text, and one that is padded to 32. */
    uint8_t payload[128] = {0x08, 2, 0x12, 34, 0x0a, 32, 0xff, 0, 'x'};
    uint8_t buf[FAKE_MESSAGE_MAX];
    struct hosted_ap *list = NULL;
    struct hosted_fault fault;

    payload[37] = 'e';
    memcpy(payload + 38,
           "\x12\x06\x0a\x04"
           "ab\0\0",
           8);
    fake_answer(fake, FAKE_SCAN, 1, buf, fake_reply(buf, FAKE_SCAN, payload, 46));
    assert_int_equal(hosted_scan(device, &list, &fault), 2);
    assert_int_equal(list[0].ssid_len, 32);
    assert_int_equal((uint8_t)list[0].ssid[0], 0xff);
    assert_int_equal(list[0].ssid[31], 'e');
    assert_int_equal(list[0].ssid[32], 0);
    assert_int_equal(list[1].ssid_len, 2);
    free(list);

    list = NULL;
    assert_int_equal(hosted_scan(device, &list, &fault), 0);
    free(list);
    fake_result(fake, FAKE_SCAN, 3, -1);
    assert_int_equal(hosted_scan(device, &list, &fault), -EREMOTEIO);
    hosted_close(device);
}

static unsigned s_forgotten;

void __wrap_kept_dialect_forget(const char *path);

void __wrap_kept_dialect_forget(const char *path)
{
    assert_string_equal(path, "/dev/fake");
    s_forgotten++;
}

/* Each time costs milliseconds: an ESP32 that starts again and again would hold up its host. */
static void many_starts_make_one_forget(void **state)
{
    struct fake_esp32 *fake = *state;
    const struct hosted_options options = {.dialect = HOSTED_DIALECT_CTRL};
    struct hosted_device *device = fake_device(fake, &options);
    uint8_t buf[FAKE_MESSAGE_MAX];
    enum hosted_mode mode;
    struct hosted_fault fault;

    fake->dialect = FAKE_CTRL;
    for (int i = 0; i < 100; i++)
        fake_stale(fake, buf, fake_event(buf, 301));
    s_forgotten = 0;
    assert_int_equal(hosted_get_mode(device, &mode, NULL, &fault), 0);
    assert_int_equal(hosted_counters(device)->events, 100);
    assert_int_equal(s_forgotten, 1);

    device_take_mark(device); /* what is found out from now on is outdated by the next start */
    fake_stale(fake, buf, fake_event(buf, 301));
    assert_int_equal(hosted_get_mode(device, &mode, NULL, &fault), 0);
    assert_int_equal(s_forgotten, 2);
    hosted_close(device);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(the_first_request_asks_who_is_there),
        CASE(a_silent_device_is_asked_on_each_endpoint),
        CASE(who_names_the_dialect_need_not_ask),
        CASE(after_a_silence_it_is_asked_again),
        CASE(a_timeout_is_the_callers),
        CASE(every_failure_has_its_words),
        CASE(a_refusal_has_the_code_of_the_esp32),
        CASE(modes_are_read_and_set),
        CASE(mac_addresses_are_looked_at),
        CASE(joining_a_network_ends_in_one_of_four_ways),
        CASE(networks_that_cannot_be_are_not_asked_for),
        CASE(the_access_point_is_told_or_there_is_none),
        CASE(a_scan_returns_its_count),
        CASE(many_starts_make_one_forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
