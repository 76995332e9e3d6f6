/* SPDX-License-Identifier: Apache-2.0 */
#include "observer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hosted_classic.pb-c.h"

static struct observer s_observer;

static int setup(void **state)
{
    (void)state;
    memset(&s_observer, 0xa5, sizeof(s_observer));
    observer_reset(&s_observer);
    return 0;
}

/* One serial message in pieces of `piece` bytes; what the last of them said. */
static enum observer_event take(const uint8_t *message, size_t len, size_t piece)
{
    enum observer_event event = OBSERVER_NOTHING;

    for (size_t at = 0; at < len; at += piece) {
        const bool last = len - at <= piece;
        const struct frame frame = {
            .interface_type = FRAME_SERIAL,
            .flags = last ? 0 : FRAME_FLAG_MORE_FRAGMENT,
            .length = (uint16_t)(last ? len - at : piece),
            .payload = message + at,
        };

        event = observer_take(&s_observer, &frame);
        assert_true(last || event == OBSERVER_NOTHING);
    }
    return event;
}

static enum observer_event take_message(const char *endpoint, const HostedClassic__Message *message)
{
    uint8_t wire[256];
    const size_t len = hosted_classic__message__get_packed_size(message);
    const int head = serial_tlv_head(endpoint, len, wire, sizeof(wire));

    assert_true(head > 0);
    hosted_classic__message__pack(message, wire + head);
    return take(wire, (size_t)head + len, 1500);
}

struct reply_case {
    int32_t resp;
    bool has_resp;
    enum observer_event expected;
};

static void a_connect_reply_tells(void **state)
{
    static const struct reply_case cases[] = {
        {0, true, OBSERVER_CONNECTED},    {0, false, OBSERVER_CONNECTED},
        {2, true, OBSERVER_DISCONNECTED}, {3, true, OBSERVER_DISCONNECTED},
        {-1, true, OBSERVER_NOTHING},     {4, true, OBSERVER_NOTHING},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        HostedClassic__RespOnly reply = HOSTED_CLASSIC__RESP_ONLY__INIT;
        HostedClassic__Message message = HOSTED_CLASSIC__MESSAGE__INIT;

        reply.resp = cases[i].resp;
        reply.has_resp = cases[i].has_resp;
        message.payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_CONNECT_AP;
        message.resp_connect_ap = &reply;
        assert_int_equal(take_message("control", &message), cases[i].expected);
        assert_int_equal(take_message("ctrlResp", &message), OBSERVER_NOTHING);
        assert_int_equal(take_message("controls", &message), OBSERVER_NOTHING);
    }
}

static void a_get_ap_reply_tells(void **state)
{
    static const struct reply_case cases[] = {
        {0, true, OBSERVER_CONNECTED},
        {1, true, OBSERVER_DISCONNECTED},
        {-1, true, OBSERVER_NOTHING},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        HostedClassic__RespGetAp reply = HOSTED_CLASSIC__RESP_GET_AP__INIT;
        HostedClassic__Message message = HOSTED_CLASSIC__MESSAGE__INIT;

        reply.resp = cases[i].resp;
        reply.has_resp = cases[i].has_resp;
        message.payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_AP;
        message.resp_get_ap = &reply;
        assert_int_equal(take_message("control", &message), cases[i].expected);
    }
}

static void any_disconnect_reply_tells(void **state)
{
    (void)state;
    for (int resp = -1; resp <= 1; resp++) {
        HostedClassic__RespOnly reply = HOSTED_CLASSIC__RESP_ONLY__INIT;
        HostedClassic__Message message = HOSTED_CLASSIC__MESSAGE__INIT;

        reply.resp = resp;
        reply.has_resp = 1;
        message.payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_DISCONNECT_AP;
        message.resp_disconnect_ap = &reply;
        assert_int_equal(take_message("control", &message), OBSERVER_DISCONNECTED);
    }
}

static void other_replies_tell_nothing(void **state)
{
    HostedClassic__RespOnly reply = HOSTED_CLASSIC__RESP_ONLY__INIT;
    HostedClassic__Message message = HOSTED_CLASSIC__MESSAGE__INIT;

    (void)state;
    message.payload_case = HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_OTA_END;
    message.resp_ota_end = &reply;
    assert_int_equal(take_message("control", &message), OBSERVER_NOTHING);
}

/* Recorded: the answer to a connect that succeeded, with its endpoint. */
static const uint8_t recorded_connect[] = {
    0x01, 0x07, 0x00, 'c',  'o',  'n',  't',  'r',  'o',  'l',
    0x02, 0x07, 0x00, 0x08, 0x09, 0x9a, 0x01, 0x02, 0x08, 0x00,
};

static void fragments_are_put_together(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= sizeof(recorded_connect); piece++)
        assert_int_equal(take(recorded_connect, sizeof(recorded_connect), piece),
                         OBSERVER_CONNECTED);
}

static void what_it_cannot_read_passes(void **state)
{
    static const uint8_t long_one[3 * SERIAL_TLV_MAX_BYTES] = {0x01, 0x07};
    uint8_t broken[sizeof(recorded_connect)];

    (void)state;
    for (size_t cut = 1; cut < sizeof(recorded_connect); cut++)
        assert_int_equal(take(recorded_connect, cut, 1500), OBSERVER_NOTHING);
    for (size_t at = 0; at < sizeof(broken); at++) {
        memcpy(broken, recorded_connect, sizeof(broken));
        broken[at] = 0xff;
        take(broken, sizeof(broken), 1500); /* whatever it says, it reads no byte too far */
    }
    assert_int_equal(take(long_one, sizeof(long_one), 1500), OBSERVER_NOTHING);
    assert_int_equal(take(recorded_connect, sizeof(recorded_connect), 1500), OBSERVER_CONNECTED);
}

static void half_a_message_ends_with_a_reboot(void **state)
{
    const struct frame half = {
        .interface_type = FRAME_SERIAL,
        .flags = FRAME_FLAG_MORE_FRAGMENT,
        .length = 10,
        .payload = recorded_connect,
    };

    (void)state;
    assert_int_equal(observer_take(&s_observer, &half), OBSERVER_NOTHING);
    observer_reset(&s_observer);
    assert_int_equal(take(recorded_connect, sizeof(recorded_connect), 1500), OBSERVER_CONNECTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_connect_reply_tells, setup),
        cmocka_unit_test_setup(a_get_ap_reply_tells, setup),
        cmocka_unit_test_setup(any_disconnect_reply_tells, setup),
        cmocka_unit_test_setup(other_replies_tell_nothing, setup),
        cmocka_unit_test_setup(fragments_are_put_together, setup),
        cmocka_unit_test_setup(what_it_cannot_read_passes, setup),
        cmocka_unit_test_setup(half_a_message_ends_with_a_reboot, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
