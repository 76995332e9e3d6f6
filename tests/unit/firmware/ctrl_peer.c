/* SPDX-License-Identifier: Apache-2.0 */
#include "ctrl_peer.h"

#include <string.h>

#include "life.h"
#include "wire.h"

#define UID 0x5eed

struct ctrl_message ctrl_take(const struct message *message, const char *endpoint)
{
    struct ctrl_message taken = {0};
    struct serial_tlv tlv;

    assert_int_equal(serial_tlv_parse(message->bytes, message->len, &tlv), message->len);
    assert_int_equal(tlv.endpoint_len, strlen(endpoint));
    assert_memory_equal(tlv.endpoint, endpoint, tlv.endpoint_len);
    for (const uint8_t *at = tlv.data; at < tlv.data + tlv.data_len;) {
        const struct wire_field field = wire_take(&at, tlv.data + tlv.data_len);

        if (field.number == 1)
            taken.type = (int64_t)field.value;
        else if (field.number == 2)
            taken.id = (int64_t)field.value;
        else if (field.number == 3)
            taken.uid = (int64_t)field.value;
        else
            assert_int_equal(field.number, taken.id);
        taken.has_uid = taken.has_uid || field.number == 3;
        if (field.bytes != NULL) {
            taken.payload = field.bytes;
            taken.payload_len = field.len;
        }
    }
    assert_non_null(taken.payload);
    return taken;
}

static bool find(const struct ctrl_message *message, unsigned number, struct wire_field *ret)
{
    const uint8_t *at = message->payload, *const end = at + message->payload_len;

    while (at < end) {
        *ret = wire_take(&at, end);
        if (ret->number == number)
            return true;
    }
    return false;
}

int64_t ctrl_number(const struct ctrl_message *message, unsigned field)
{
    struct wire_field found;

    if (!find(message, field, &found))
        return 0;
    assert_null(found.bytes);
    assert_int_not_equal(found.value, 0);
    return (int64_t)found.value;
}

bool ctrl_has_bytes(const struct ctrl_message *message, unsigned field, const void *bytes,
                    size_t len)
{
    struct wire_field found;

    return find(message, field, &found) && found.len == len && memcmp(found.bytes, bytes, len) == 0;
}

bool ctrl_has_text(const struct ctrl_message *message, unsigned field, const char *text)
{
    return ctrl_has_bytes(message, field, text, strlen(text));
}

static size_t make(unsigned id, const char *payload, uint8_t *ret, size_t size)
{
    uint8_t body[SERIAL_TLV_MAX_BYTES];
    const size_t len = payload != NULL ? peer_unhex(payload, body, sizeof(body)) : 0;
    uint8_t *at = ret;

    assert_true(len + 32 <= size);
    *at++ = 0x10;
    at = wire_put_varint(at, id);
    *at++ = 0x18;
    at = wire_put_varint(at, UID);
    if (payload != NULL) {
        at = wire_put_varint(at, (uint64_t)id << 3 | 2);
        at = wire_put_varint(at, len);
        memcpy(at, body, len);
        at += len;
    }
    return (size_t)(at - ret);
}

struct ctrl_message ctrl_ask(unsigned id, const char *payload)
{
    uint8_t request[SERIAL_TLV_MAX_BYTES];
    const struct message *answer = peer_ask(request, make(id, payload, request, sizeof(request)));

    assert_non_null(answer);

    const struct ctrl_message taken = ctrl_take(answer, "ctrlResp");

    assert_int_equal(taken.type, CTRL_REPLY);
    assert_int_equal(taken.id, id + 100);
    assert_int_equal(taken.uid, UID);
    return taken;
}

int64_t ctrl_result(unsigned id, const char *payload, unsigned field)
{
    const struct ctrl_message answer = ctrl_ask(id, payload);

    return ctrl_number(&answer, field);
}

void ctrl_say(unsigned id, const char *payload)
{
    uint8_t request[SERIAL_TLV_MAX_BYTES];

    peer_send_request("ctrlResp", request, make(id, payload, request, sizeof(request)));
}

struct ctrl_message ctrl_event(size_t index, unsigned id)
{
    assert_true(index < peer_event_count);

    const struct ctrl_message event = ctrl_take(&peer_events[index], "ctrlEvnt");

    assert_int_equal(event.type, CTRL_EVENT);
    assert_int_equal(event.id, id);
    assert_false(event.has_uid);
    return event;
}
