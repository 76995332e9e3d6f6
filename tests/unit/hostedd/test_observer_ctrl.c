/* SPDX-License-Identifier: Apache-2.0 */
/* What the messages of the ctrl dialect, and those of esp-hosted-mcu, tell the observer. */
#include "observer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hosted_ctrl.pb-c.h"

static struct observer s_observer;

static int setup(void **state)
{
    (void)state;
    memset(&s_observer, 0xa5, sizeof(s_observer));
    observer_reset(&s_observer);
    return 0;
}

/* One serial message in pieces of `piece` bytes, numbered as the ESP32 numbers them. */
static enum observer_event take(const uint8_t *message, size_t len, size_t piece)
{
    enum observer_event event = OBSERVER_NOTHING;

    for (size_t at = 0; at < len; at += piece) {
        const bool last = len - at <= piece;
        const struct frame frame = {
            .interface_type = FRAME_SERIAL,
            .flags = last ? 0 : FRAME_FLAG_MORE_FRAGMENT,
            .sequence = (uint16_t)(at / piece),
            .length = (uint16_t)(last ? len - at : piece),
            .payload = message + at,
        };

        event = observer_take(&s_observer, &frame);
        assert_true(last || event == OBSERVER_NOTHING);
    }
    return event;
}

static enum observer_event take_message(const char *endpoint, const HostedCtrl__Message *message)
{
    uint8_t wire[256];
    const size_t len = hosted_ctrl__message__get_packed_size(message);
    const int head = serial_tlv_head(endpoint, len, wire, sizeof(wire));

    assert_true(head > 0);
    hosted_ctrl__message__pack(message, wire + head);
    return take(wire, (size_t)head + len, 1500);
}

static size_t from_hex(const char *hex, uint8_t *ret, size_t size)
{
    const size_t len = strlen(hex) / 2;

    assert_true(len <= size);
    for (size_t i = 0; i < len; i++) {
        const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};

        ret[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return len;
}

#define RESP "0108006374726c5265737002"
#define EVNT "0108006374726c45766e7402"

#define RECORDED_CONNECTED                                                                         \
    EVNT "2b00080310b1028a132312064d79576966691806221130323a31313a32323a33333a34343a3535280630033" \
         "801"

/* Upstream's firmware of April 2026: a session that connects, and one that is not connected. */
static const struct recorded {
    const char *hex;
    enum observer_event tells;
} recorded[] = {
    {EVNT "0800080310ad02ea1200", OBSERVER_DISCONNECTED},
    {RESP "1500080210de011801f20d0b08ffffffffffffffffff01", OBSERVER_NOTHING},
    {RESP "1000080210df011802fa0d06120246471801", OBSERVER_NOTHING},
    {RESP "1d00080210c9011803ca0c130a1132343a30613a63343a31313a32323a3333", OBSERVER_NOTHING},
    /* The reply to the connect, then the two events that tell what became of it. */
    {RESP "1d00080210cf011804fa0c13121132343a30613a63343a31313a32323a3333", OBSERVER_NOTHING},
    {EVNT "2500080310af02fa121d12064d7957696669221130303a30303a30303a30303a30303a30302808",
     OBSERVER_DISCONNECTED},
    {RECORDED_CONNECTED, OBSERVER_CONNECTED},
    /* The refusal of a disconnect. */
    {RESP "1500080210d0011803820d0b08ffffffffffffffffff01", OBSERVER_DISCONNECTED},
};

static void recorded_messages_tell(void **state)
{
    uint8_t wire[128];

    (void)state;
    for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
        const size_t len = from_hex(recorded[i].hex, wire, sizeof(wire));

        for (size_t piece = 1; piece <= len; piece++)
            assert_int_equal(take(wire, len, piece), recorded[i].tells);
    }
}

static void a_get_ap_reply_tells(void **state)
{
    static const struct {
        int32_t resp;
        enum observer_event expected;
    } cases[] = {
        {0, OBSERVER_CONNECTED},
        {1, OBSERVER_DISCONNECTED},
        {-1, OBSERVER_NOTHING},
        {2, OBSERVER_NOTHING},
    };
    HostedCtrl__RespGetAp reply = HOSTED_CTRL__RESP_GET_AP__INIT;
    HostedCtrl__Message message = HOSTED_CTRL__MESSAGE__INIT;

    (void)state;
    message.type = HOSTED_CTRL__MESSAGE_TYPE__REPLY;
    message.id = HOSTED_CTRL__MESSAGE_ID__RESP_GET_AP;
    message.uid = 7;
    message.payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_AP;
    message.resp_get_ap = &reply;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reply.resp = cases[i].resp;
        assert_int_equal(take_message("ctrlResp", &message), cases[i].expected);
    }

    /* And without its payload: nobody knows what it would have been. */
    message.payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD__NOT_SET;
    assert_int_equal(take_message("ctrlResp", &message), OBSERVER_NOTHING);
}

static void a_disconnect_reply_tells_whatever_it_says(void **state)
{
    HostedCtrl__RespOnly reply = HOSTED_CTRL__RESP_ONLY__INIT;
    HostedCtrl__Message message = HOSTED_CTRL__MESSAGE__INIT;

    (void)state;
    message.id = HOSTED_CTRL__MESSAGE_ID__RESP_DISCONNECT_AP;
    message.payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_DISCONNECT_AP;
    message.resp_disconnect_ap = &reply;
    for (reply.resp = -1; reply.resp <= 1; reply.resp++)
        assert_int_equal(take_message("ctrlResp", &message), OBSERVER_DISCONNECTED);
}

static void a_connect_reply_tells_nothing_whatever_it_says(void **state)
{
    HostedCtrl__RespConnectAp reply = HOSTED_CTRL__RESP_CONNECT_AP__INIT;
    HostedCtrl__Message message = HOSTED_CTRL__MESSAGE__INIT;

    (void)state;
    message.id = HOSTED_CTRL__MESSAGE_ID__RESP_CONNECT_AP;
    message.payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_CONNECT_AP;
    message.resp_connect_ap = &reply;
    for (reply.resp = -1; reply.resp <= 4; reply.resp++)
        assert_int_equal(take_message("ctrlResp", &message), OBSERVER_NOTHING);
}

/* Out of memory for the names of the access point, the ESP32 says -1 of a connection that stands.
 */
static void a_failed_event_is_still_the_event(void **state)
{
    HostedCtrl__EventConnected connected = HOSTED_CTRL__EVENT_CONNECTED__INIT;
    HostedCtrl__Message message = HOSTED_CTRL__MESSAGE__INIT;

    (void)state;
    connected.resp = -1;
    message.id = HOSTED_CTRL__MESSAGE_ID__EVENT_CONNECTED;
    message.payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_EVENT_CONNECTED;
    message.event_connected = &connected;
    assert_int_equal(take_message("ctrlEvnt", &message), OBSERVER_CONNECTED);
}

static void other_messages_tell_nothing(void **state)
{
    HostedCtrl__EventHeartbeat heartbeat = HOSTED_CTRL__EVENT_HEARTBEAT__INIT;
    HostedCtrl__EventConnected connected = HOSTED_CTRL__EVENT_CONNECTED__INIT;
    HostedCtrl__Message message = HOSTED_CTRL__MESSAGE__INIT;

    (void)state;
    message.id = HOSTED_CTRL__MESSAGE_ID__EVENT_HEARTBEAT;
    message.payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_EVENT_HEARTBEAT;
    message.event_heartbeat = &heartbeat;
    assert_int_equal(take_message("ctrlEvnt", &message), OBSERVER_NOTHING);

    /* A payload under another message's number. */
    message.payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_EVENT_CONNECTED;
    message.event_connected = &connected;
    assert_int_equal(take_message("ctrlEvnt", &message), OBSERVER_NOTHING);

    /* Another dialect's endpoint, and one that only begins like it. */
    message.id = HOSTED_CTRL__MESSAGE_ID__EVENT_CONNECTED;
    assert_int_equal(take_message("control", &message), OBSERVER_NOTHING);
    assert_int_equal(take_message("ctrlEvnts", &message), OBSERVER_NOTHING);
    assert_int_equal(take_message("ctrlEvnt", &message), OBSERVER_CONNECTED);
}

static void what_it_cannot_read_passes(void **state)
{
    uint8_t wire[128];
    const size_t len = from_hex(RECORDED_CONNECTED, wire, sizeof(wire));

    (void)state;
    for (size_t cut = 1; cut < len; cut++)
        assert_int_equal(take(wire, cut, 1500), OBSERVER_NOTHING);
    for (size_t at = 0; at < len; at++) {
        const uint8_t good = wire[at];

        for (unsigned bit = 0; bit < 8; bit++) {
            wire[at] = (uint8_t)(good ^ 1u << bit);
            take(wire, len, 1500); /* whatever it says, it reads no byte too far */
        }
        wire[at] = good;
    }
    assert_int_equal(take(wire, len, 1500), OBSERVER_CONNECTED);
}

static bool is_mcu(uint8_t interface, const char *data, size_t len)
{
    uint8_t *copy = malloc(len); /* of its own size, for ASan */
    const struct frame frame = {
        .interface_type = interface,
        .length = (uint16_t)len,
        .payload = copy,
    };

    assert_non_null(copy);
    memcpy(copy, data, len);

    const bool found = observer_is_mcu(&frame);

    free(copy);
    return found;
}

static void the_firmware_for_microcontrollers_is_recognised(void **state)
{
    static const char event[] = "\x01\x06\x00RPCEvt\x02\x02\x00\x08\x03";
    static const char reply[] = "\x01\x06\x00RPCRsp\x02\x02\x00\x08\x02";
    const size_t len = sizeof(event) - 1;

    (void)state;
    assert_true(is_mcu(3, event, len)); /* its own number for the control path */
    assert_true(is_mcu(3, reply, len));
    assert_true(is_mcu(FRAME_SERIAL, event, len));
    assert_true(is_mcu(FRAME_SERIAL, reply, len));
    assert_false(is_mcu(FRAME_STATION, event, len));
    assert_false(is_mcu(FRAME_PRIVATE, reply, len));
    for (size_t cut = 1; cut < 10; cut++)
        assert_false(is_mcu(3, event, cut));
    for (size_t at = 0; at < 10; at++) {
        char other[sizeof(event)];

        memcpy(other, event, sizeof(other));
        other[at] ^= 0x20;
        assert_false(is_mcu(3, other, len));
    }
    assert_false(is_mcu(FRAME_SERIAL,
                        "\x01\x08\x00"
                        "ctrlEvnt\x02\x02\x00\x08\x03",
                        16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(recorded_messages_tell, setup),
        cmocka_unit_test_setup(a_get_ap_reply_tells, setup),
        cmocka_unit_test_setup(a_disconnect_reply_tells_whatever_it_says, setup),
        cmocka_unit_test_setup(a_connect_reply_tells_nothing_whatever_it_says, setup),
        cmocka_unit_test_setup(a_failed_event_is_still_the_event, setup),
        cmocka_unit_test_setup(other_messages_tell_nothing, setup),
        cmocka_unit_test_setup(what_it_cannot_read_passes, setup),
        cmocka_unit_test_setup(the_firmware_for_microcontrollers_is_recognised, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
