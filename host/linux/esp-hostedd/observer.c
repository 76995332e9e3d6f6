/* SPDX-License-Identifier: Apache-2.0 */
#include "observer.h"

#include <string.h>

struct dialect {
    const char *endpoint;
    enum observer_event (*decode)(const uint8_t *data, size_t len);
};

static const struct dialect dialects[] = {
    {"control", observer_decode_classic},
    {"ctrlResp", observer_decode_ctrl},
    {"ctrlEvnt", observer_decode_ctrl},
};

static enum observer_event decode(const uint8_t *message, size_t len)
{
    struct serial_tlv tlv;

    if (serial_tlv_parse(message, len, &tlv) < 0)
        return OBSERVER_NOTHING;
    for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++)
        if (strlen(dialects[i].endpoint) == tlv.endpoint_len &&
            memcmp(dialects[i].endpoint, tlv.endpoint, tlv.endpoint_len) == 0)
            return dialects[i].decode(tlv.data, tlv.data_len);
    return OBSERVER_NOTHING;
}

void observer_reset(struct observer *observer)
{
    observer->len = 0;
    observer->overflow = false;
}

enum observer_event observer_take(struct observer *observer, const struct frame *fragment)
{
    enum observer_event event = OBSERVER_NOTHING;

    if (fragment->length > sizeof(observer->message) - observer->len)
        observer->overflow = true;
    if (!observer->overflow) {
        memcpy(observer->message + observer->len, fragment->payload, fragment->length);
        observer->len += fragment->length;
    }
    if (fragment->flags & FRAME_FLAG_MORE_FRAGMENT)
        return OBSERVER_NOTHING;

    if (!observer->overflow)
        event = decode(observer->message, observer->len);
    observer_reset(observer);
    return event;
}

bool observer_is_mcu(const struct frame *frame)
{
    static const char head[] = "\x01\x06\x00RPC"; /* then Evt or Rsp, and the data's tag */

    return (frame->interface_type == FRAME_SERIAL || frame->interface_type == FRAME_HCI) &&
           frame->length >= 10 && memcmp(frame->payload, head, 6) == 0 &&
           (memcmp(frame->payload + 6, "Evt\x02", 4) == 0 ||
            memcmp(frame->payload + 6, "Rsp\x02", 4) == 0);
}
