/* SPDX-License-Identifier: Apache-2.0 */
#include "hosted_classic.pb-c.h"
#include "observer.h"

/* A peer may leave out what is zero. */
#define RESULT_OF(reply) ((reply)->has_resp ? (reply)->resp : HOSTED_CLASSIC__RESULT__SUCCESS)

/* -1 says nothing about where the station is now; these two say that it has left its old network.
 */
static enum observer_event after_connect(int result)
{
    switch (result) {
    case HOSTED_CLASSIC__RESULT__SUCCESS:
        return OBSERVER_CONNECTED;
    case HOSTED_CLASSIC__RESULT__NO_AP_FOUND:
    case HOSTED_CLASSIC__RESULT__CONNECTION_FAIL:
        return OBSERVER_DISCONNECTED;
    default:
        return OBSERVER_NOTHING;
    }
}

static enum observer_event after_get_ap(int result)
{
    switch (result) {
    case HOSTED_CLASSIC__RESULT__SUCCESS:
        return OBSERVER_CONNECTED;
    case HOSTED_CLASSIC__RESULT__NOT_CONNECTED:
        return OBSERVER_DISCONNECTED;
    default:
        return OBSERVER_NOTHING;
    }
}

enum observer_event observer_decode_classic(const uint8_t *data, size_t len)
{
    enum observer_event event = OBSERVER_NOTHING;
    HostedClassic__Message *message = hosted_classic__message__unpack(NULL, len, data);

    if (message == NULL)
        return OBSERVER_NOTHING;
    switch (message->payload_case) {
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_CONNECT_AP:
        event = after_connect(RESULT_OF(message->resp_connect_ap));
        break;
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_AP:
        event = after_get_ap(RESULT_OF(message->resp_get_ap));
        break;
    case HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_DISCONNECT_AP:
        event = OBSERVER_DISCONNECTED; /* refused, too: there was no connection to end */
        break;
    default:
        break;
    }
    hosted_classic__message__free_unpacked(message, NULL);
    return event;
}
