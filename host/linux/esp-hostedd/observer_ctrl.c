/* SPDX-License-Identifier: Apache-2.0 */
#include "hosted_ctrl.pb-c.h"
#include "observer.h"

static enum observer_event after_get_ap(int result)
{
    switch (result) {
    case HOSTED_CTRL__RESULT__SUCCESS:
        return OBSERVER_CONNECTED;
    case HOSTED_CTRL__RESULT__NOT_CONNECTED:
        return OBSERVER_DISCONNECTED;
    default:
        return OBSERVER_NOTHING;
    }
}

/*
 * The reply to a connect is a success whatever became of it, so it tells nothing: the events do.
 * What `resp` says in those is only whether the ESP32 had the memory for the names.
 */
static enum observer_event after(const HostedCtrl__Message *message)
{
    switch (message->payload_case) {
    case HOSTED_CTRL__MESSAGE__PAYLOAD_EVENT_CONNECTED:
        return OBSERVER_CONNECTED;
    case HOSTED_CTRL__MESSAGE__PAYLOAD_EVENT_DISCONNECTED:
    case HOSTED_CTRL__MESSAGE__PAYLOAD_EVENT_INIT:
    case HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_DISCONNECT_AP: /* refused: there was no connection */
        return OBSERVER_DISCONNECTED;
    case HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_AP:
        return after_get_ap(message->resp_get_ap->resp);
    default:
        return OBSERVER_NOTHING;
    }
}

enum observer_event observer_decode_ctrl(const uint8_t *data, size_t len)
{
    enum observer_event event = OBSERVER_NOTHING;
    HostedCtrl__Message *message = hosted_ctrl__message__unpack(NULL, len, data);

    if (message == NULL)
        return OBSERVER_NOTHING;
    if (message->id == (int)message->payload_case) /* the same number, in every message */
        event = after(message);
    hosted_ctrl__message__free_unpacked(message, NULL);
    return event;
}
