/* SPDX-License-Identifier: Apache-2.0 */
/* The extension as a host sees it, in both dialects: packed requests in, packed replies out. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "chip_time.h"
#include "hosted_control.h"
#include "hosted_extension.pb-c.h"
#include "life.h"
#include "ota_device.h"
#include "ota_extension.h"
#include "otadata.h"
#include "peer.h"
#include "test_image.h"
#include "wire.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SIZE            90000u
#define BYTES           4096u
#define MODE_REPLY      101u

/* A request's number and the field that its payload is in. */
struct ask {
    unsigned number, field;
};

/* What both dialects have, in the one that is spoken. */
static struct {
    bool ctrl;
    struct ask mode, begin, write, end, set_mode, scan, connect, disconnect, set_mac, get_ap;
} s_say;

static uint8_t *s_image;
static uint8_t s_sha256[32];

static void choose(bool ctrl)
{
    s_say.ctrl = ctrl;
    s_say.mode = ctrl ? (struct ask){103, 103} : (struct ask){2, 12};
    s_say.begin = ctrl ? (struct ask){116, 116} : (struct ask){28, 38};
    s_say.write = ctrl ? (struct ask){117, 117} : (struct ask){30, 40};
    s_say.end = ctrl ? (struct ask){118, 118} : (struct ask){32, 42};
    s_say.set_mode = ctrl ? (struct ask){104, 104} : (struct ask){4, 14};
    s_say.scan = ctrl ? (struct ask){105, 105} : (struct ask){18, 28};
    s_say.connect = ctrl ? (struct ask){107, 107} : (struct ask){8, 18};
    s_say.disconnect = ctrl ? (struct ask){108, 108} : (struct ask){14, 24};
    s_say.set_mac = ctrl ? (struct ask){102, 102} : (struct ask){22, 32};
    s_say.get_ap = ctrl ? (struct ask){106, 106} : (struct ask){6, 16};
}

static void make(bool ctrl)
{
    choose(ctrl);
    board_make(CHIP_ESP32, board_two_slots);
    if (ctrl)
        peer_start_ctrl_firmware();
    else
        peer_start_firmware();
    s_image = test_image(CHIP_ESP32, SIZE, true);
    SHA256(s_image, SIZE, s_sha256);
}

static int setup_classic(void **state)
{
    (void)state;
    make(false);
    return 0;
}

static int setup_ctrl(void **state)
{
    (void)state;
    make(true);
    return 0;
}

static uint8_t *put_field(uint8_t *at, unsigned field, const void *bytes, size_t len)
{
    at = wire_put_varint(at, (uint64_t)field << 3 | 2);
    at = wire_put_varint(at, len);
    if (len > 0)
        memcpy(at, bytes, len);
    return at + len;
}

/* The payload of the answer, with the answer checked to be that request's. */
static const uint8_t *ask(struct ask what, const uint8_t *payload, size_t len, bool has_payload,
                          const uint8_t **ret_end)
{
    uint8_t request[BYTES + 64];
    uint8_t *end = wire_put_varint(request, s_say.ctrl ? 2 << 3 : 1 << 3);
    const size_t head = s_say.ctrl ? 14 : 13;

    end = wire_put_varint(end, what.number);
    if (has_payload)
        end = put_field(end, what.field, payload, len);

    const struct message *answer = peer_ask(request, (size_t)(end - request));

    assert_non_null(answer);

    const uint8_t *at = answer->bytes + head;

    while (at < answer->bytes + answer->len) {
        const struct wire_field field = wire_take(&at, answer->bytes + answer->len);

        if (field.number == what.field + (s_say.ctrl ? 100 : 1)) {
            *ret_end = field.bytes + field.len;
            return field.bytes;
        }
    }
    fail_msg("no payload");
    *ret_end = NULL;
    return NULL;
}

static bool find(const uint8_t *at, const uint8_t *end, unsigned number, struct wire_field *ret)
{
    while (at < end) {
        *ret = wire_take(&at, end);
        if (ret->number == number)
            return true;
    }
    return false;
}

/* The stock part of an answer: its `resp`, 0 where the dialect leaves zeros out. */
static int64_t s_resp;
static HostedExtension__Reply *s_reply;

/* Sends the extension's bytes and keeps the reply, if there is one. */
static void send_bytes(struct ask what, const uint8_t *extension, size_t len, const void *data,
                       size_t data_len)
{
    const bool is_mode = what.number == s_say.mode.number;
    uint8_t payload[BYTES + 64];
    uint8_t *end = payload;
    const uint8_t *stop;
    struct wire_field field;

    if (data != NULL)
        end = put_field(end, 1, data, data_len);
    if (extension != NULL)
        end = put_field(end, 100, extension, len);

    const uint8_t *body = ask(what, payload, (size_t)(end - payload), end > payload, &stop);

    if (s_reply != NULL)
        hosted_extension__reply__free_unpacked(s_reply, NULL);
    s_reply = NULL;
    s_resp = find(body, stop, is_mode ? 2 : 1, &field) ? (int64_t)field.value : 0;
    if (find(body, stop, is_mode ? MODE_REPLY : 100, &field)) {
        s_reply = hosted_extension__reply__unpack(NULL, field.len, field.bytes);
        assert_non_null(s_reply);
        assert_true(s_reply->has_code);
    }
}

static void send_request(struct ask what, const HostedExtension__Request *request, const void *data,
                         size_t data_len)
{
    uint8_t packed[512];

    assert_true(hosted_extension__request__get_packed_size(request) <= sizeof(packed));
    send_bytes(what, packed, hosted_extension__request__pack(request, packed), data, data_len);
    assert_non_null(s_reply);
}

#define REQUEST(case_, member, value)                                                              \
    (&(HostedExtension__Request){PROTOBUF_C_MESSAGE_INIT(&hosted_extension__request__descriptor),  \
                                 .what_case = HOSTED_EXTENSION__REQUEST__WHAT_##case_,             \
                                 .member = (value)})

static void check(unsigned code, int64_t resp)
{
    assert_int_equal(s_reply->code, code);
    assert_int_equal(s_resp, resp);
}

static void begin(void)
{
    HostedExtension__Begin begin = HOSTED_EXTENSION__BEGIN__INIT;

    begin.has_chip_id = begin.has_size = begin.has_sha256 = true;
    begin.project = (char *)"test";
    begin.version = (char *)"2.0.0";
    begin.size = SIZE;
    begin.sha256.data = s_sha256;
    begin.sha256.len = 32;
    send_request(s_say.begin, REQUEST(BEGIN, begin, &begin), NULL, 0);
    check(OTA_DEVICE_DONE, 0);
    assert_true(s_reply->has_next);
    assert_int_equal(s_reply->next, 0);
}

static void write_at(uint32_t offset, const uint8_t *data, size_t len)
{
    HostedExtension__Write write = HOSTED_EXTENSION__WRITE__INIT;

    write.has_offset = write.has_run_end = true;
    write.offset = offset;
    write.run_end = SIZE;
    send_request(s_say.write, REQUEST(WRITE, write, &write), data, len);
}

static void write_all(void)
{
    for (uint32_t at = 0; at < SIZE; at += 4000) {
        const uint32_t n = SIZE - at < 4000 ? SIZE - at : 4000;

        write_at(at, s_image + at, n);
        check(OTA_DEVICE_DONE, 0);
        assert_int_equal(s_reply->next, at + n);
    }
}

static void end(const uint8_t *sha256, size_t len)
{
    HostedExtension__End end = HOSTED_EXTENSION__END__INIT;

    end.has_size = end.has_sha256 = true;
    end.size = SIZE;
    end.sha256.data = (uint8_t *)sha256;
    end.sha256.len = len;
    send_request(s_say.end, REQUEST(END, end, &end), NULL, 0);
}

static HostedExtension__None s_none = HOSTED_EXTENSION__NONE__INIT;

static void an_update(void **state)
{
    (void)state;
    begin();
    write_all();
    write_at(0, s_image, 4000); /* a repeat */
    check(OTA_DEVICE_DONE, 0);
    end(s_sha256, 31);
    check(OTA_DEVICE_NOT_UNDERSTOOD, -1);
    end(s_sha256, 32);
    check(OTA_DEVICE_DONE, 0);
    assert_false(s_reply->has_next);
    end(s_sha256, 32);
    check(OTA_DEVICE_DONE, 0);
    assert_memory_equal(board_partition("ota_1"), s_image, SIZE);
    assert_string_equal(board_boot(), "ota_1");
}

static void refusals_say_why(void **state)
{
    HostedExtension__Begin begin_ = HOSTED_EXTENSION__BEGIN__INIT;

    (void)state;
    begin_.has_chip_id = true;
    begin_.chip_id = 5;
    send_request(s_say.begin, REQUEST(BEGIN, begin, &begin_), NULL, 0);
    check(OTA_DEVICE_WRONG_CHIP, -1);
    assert_false(s_reply->has_next || s_reply->has_address || s_reply->has_esp_err);
    write_at(0, s_image, 4000);
    check(OTA_DEVICE_NO_SESSION, -1);
    begin();
    write_at(100, s_image, 4000);
    check(OTA_DEVICE_WRONG_OFFSET, -1);
    assert_true(s_reply->has_next);

    const struct flash_fault fault = {.kind = FLASH_PROGRAM_FAILS, .at = 0x1d0100};

    flash_set_faults(&the_chip.flash, &fault, 1);
    write_at(0, s_image, 4000);
    check(OTA_DEVICE_PROGRAM_FAILED, -1);
    assert_int_equal(s_reply->address, 0x1d0000);
    assert_true(s_reply->has_esp_err);
    flash_set_faults(&the_chip.flash, NULL, 0);
    send_bytes(s_say.end, NULL, 0, NULL, 0);
    assert_int_equal(s_resp, -1);
    assert_null(s_reply); /* who does not ask is not told */
}

static const char *say(void *ctx)
{
    return ctx;
}

static void the_words_of_a_veto(void **state)
{
    HostedExtension__Begin begin_ = HOSTED_EXTENSION__BEGIN__INIT;
    char words[400];

    (void)state;
    memset(words, 'x', sizeof(words));
    words[sizeof(words) - 1] = '\0';
    ota_device_set_veto(say, words);
    send_request(s_say.begin, REQUEST(BEGIN, begin, &begin_), NULL, 0);
    check(OTA_DEVICE_VETO, -1);
    assert_int_equal(strlen(s_reply->text), 119); /* as much as there is room for */
    ota_device_set_veto(say, (void *)"a call is active");
    send_request(s_say.begin, REQUEST(BEGIN, begin, &begin_), NULL, 0);
    assert_string_equal(s_reply->text, "a call is active");
}

/* The words are of that refusal alone; the update stays open. */
static void a_trial_that_is_too_long(void **state)
{
    HostedExtension__End end_ = HOSTED_EXTENSION__END__INIT;

    (void)state;
    begin();
    write_all();
    end_.has_trial_seconds = true;
    end_.trial_seconds = 86401;
    send_request(s_say.end, REQUEST(END, end, &end_), NULL, 0);
    check(OTA_DEVICE_NOT_UNDERSTOOD, -1);
    assert_string_equal(s_reply->text, "a trial is at most a day, 86400 s");
    send_request(s_say.end, REQUEST(ABORT, abort, &s_none), NULL, 0);
    check(OTA_DEVICE_NOT_UNDERSTOOD, -1);
    assert_null(s_reply->text);
    end_.trial_seconds = 86400;
    send_request(s_say.end, REQUEST(END, end, &end_), NULL, 0);
    check(OTA_DEVICE_DONE, 0);
}

static void what_is_not_understood(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {{"", 0}, {"\xff", 1}, {"\x0a\x05", 2}, {"\x7a\x00", 2}};
    HostedExtension__Write write = HOSTED_EXTENSION__WRITE__INIT;
    uint8_t many[3000];

    (void)state;
    begin();
    for (size_t i = s_say.ctrl ? 1 : 0; i < COUNT_OF(cases); i++) { /* ctrl has no empty field */
        send_bytes(s_say.mode, (const uint8_t *)cases[i].bytes, cases[i].len, NULL, 0);
        check(OTA_DEVICE_NOT_UNDERSTOOD, 0);
    }
    send_request(s_say.write, REQUEST(WRITE, write, &write), s_image, 4000); /* without offset */
    check(OTA_DEVICE_NOT_UNDERSTOOD, -1);
    send_request(s_say.mode, REQUEST(WRITE, write, &write), NULL, 0); /* on another's message */
    check(OTA_DEVICE_NOT_UNDERSTOOD, 0);
    send_request(s_say.end, REQUEST(ABORT, abort, &s_none), NULL, 0);
    check(OTA_DEVICE_NOT_UNDERSTOOD, -1);
    for (size_t i = 0; i < sizeof(many); i += 3) { /* more than the memory for a request holds */
        many[i] = 0xfa;
        many[i + 1] = 0x01;
        many[i + 2] = 0x00;
    }
    send_bytes(s_say.mode, many, sizeof(many), NULL, 0);
    check(OTA_DEVICE_NOT_UNDERSTOOD, 0);
    assert_true(ota_device_is_open());
}

static void status_has_every_slot(void **state)
{
    (void)state;
    send_request(s_say.mode, REQUEST(STATUS, status, &s_none), NULL, 0);
    check(OTA_DEVICE_DONE, 0);

    const HostedExtension__Status *status = s_reply->status;

    assert_non_null(status);
    assert_int_equal(status->n_slots, 2);
    assert_false(status->has_session_next || status->has_trial_left);
    assert_string_equal(status->slots[0]->label, "ota_0");
    assert_true(status->slots[0]->running && status->slots[0]->boots_next);
    assert_false(status->slots[0]->update_next);
    assert_int_equal(status->slots[0]->state, OTA_DEVICE_STATE_VALID);
    assert_string_equal(status->slots[0]->project, "network_adapter");
    assert_string_equal(status->slots[0]->version, "1.0.0");
    assert_int_equal(status->slots[0]->elf_sha256.len, 32);
    assert_int_equal(status->slots[1]->size, 1792 * 1024);
    assert_true(status->slots[1]->update_next);
    assert_false(status->slots[1]->running || status->slots[1]->boots_next);
    assert_null(status->slots[1]->version);
    assert_int_equal(status->slots[1]->state, OTA_DEVICE_STATE_NONE);

    begin();
    write_at(0, s_image, 4000);
    send_request(s_say.mode, REQUEST(STATUS, status, &s_none), NULL, 0);
    assert_int_equal(s_reply->status->session_next, 4000);
    assert_string_equal(s_reply->status->slots[1]->version, "2.0.0");
    send_request(s_say.mode, REQUEST(ABORT, abort, &s_none), NULL, 0);
    check(OTA_DEVICE_DONE, 0);
    assert_false(s_reply->has_next);
    assert_false(ota_device_is_open());
}

static void sixty_four_digests_fit(void **state)
{
    HostedExtension__Digests digests = HOSTED_EXTENSION__DIGESTS__INIT;
    uint8_t digest[32];

    (void)state;
    begin();
    digests.has_offset = digests.has_block = digests.has_count = true;
    digests.block = 4096;
    digests.count = 64;
    send_request(s_say.mode, REQUEST(DIGESTS, digests, &digests), NULL, 0);
    check(OTA_DEVICE_DONE, 0);
    assert_int_equal(s_reply->digests.len, 64 * 32);
    SHA256(board_partition("ota_1") + 63 * 4096, 4096, digest);
    assert_memory_equal(s_reply->digests.data + 63 * 32, digest, 32);
}

static void refuses(struct ask what, const char *hex)
{
    uint8_t payload[256];
    const size_t len = hex != NULL ? peer_unhex(hex, payload, sizeof(payload)) : 0;
    const uint8_t *stop;
    const uint8_t *body = ask(what, payload, len, hex != NULL, &stop);
    struct wire_field field;

    assert_true(find(body, stop, what.number == s_say.scan.number ? 3 : 1, &field));
    assert_int_equal((int64_t)field.value, -1);
    assert_true(find(body, stop, 100, &field));

    HostedExtension__Reply *reply = hosted_extension__reply__unpack(NULL, field.len, field.bytes);

    assert_non_null(reply);
    assert_int_equal(reply->code, OTA_DEVICE_IN_PROGRESS);
    assert_string_equal(reply->text, "update in progress");
    hosted_extension__reply__free_unpacked(reply, NULL);
}

static void an_open_update_is_not_disturbed(void **state)
{
    static const char mac[] = "0a1132343a30613a63343a31313a32323a3333 1001";
    HostedExtension__Confirm confirm = HOSTED_EXTENSION__CONFIRM__INIT;
    const uint8_t *stop;

    (void)state;
    begin();
    refuses(s_say.set_mode, "0801");
    refuses(s_say.scan, NULL);
    refuses(s_say.connect, "0a04686f6d65");
    refuses(s_say.disconnect, NULL);
    refuses(s_say.set_mac, mac);
    if (s_say.ctrl) {
        refuses((struct ask){121, 121}, "0801");
        refuses((struct ask){122, 122}, "0801");
    }
    ask(s_say.get_ap, NULL, 0, false, &stop); /* those that only ask are answered */
    peer_check_alive();
    send_request(s_say.mode, REQUEST(ROLLBACK, rollback, &s_none), NULL, 0);
    check(OTA_DEVICE_IN_PROGRESS, 0);
    confirm.version = (char *)"1.0.0";
    send_request(s_say.mode, REQUEST(CONFIRM, confirm, &confirm), NULL, 0);
    check(OTA_DEVICE_IN_PROGRESS, 0);
    assert_true(ota_device_is_open());
    write_all();
}

static void silence_ends_it_at_the_tick(void **state)
{
    (void)state;
    begin();
    world_advance(60 * 1000000);
    hosted_control_on_tick();
    assert_false(ota_device_is_open());
    write_at(0, s_image, 4000);
    check(OTA_DEVICE_NO_SESSION, -1);
}

/* As from a host without it: not a byte more than upstream's. */
static void stock_updates_are_as_they_were(void **state)
{
    const uint8_t *stop;
    const uint8_t *body = ask(s_say.begin, NULL, 0, false, &stop);

    (void)state;
    assert_int_equal(stop - body, s_say.ctrl ? 0 : 2);
    send_bytes(s_say.write, NULL, 0, "no image", 8);
    assert_int_equal(s_resp, -1);
    assert_null(s_reply);
    send_bytes(s_say.begin, NULL, 0, NULL, 0);
    for (uint32_t at = 0; at < SIZE; at += 4000) {
        send_bytes(s_say.write, NULL, 0, s_image + at, SIZE - at < 4000 ? SIZE - at : 4000);
        assert_int_equal(s_resp, 0);
        assert_null(s_reply);
    }
    send_bytes(s_say.end, NULL, 0, NULL, 0);
    assert_int_equal(s_resp, 0);
    assert_null(s_reply);
    send_bytes(s_say.end, NULL, 0, NULL, 0); /* the second one */
    assert_int_equal(s_resp, -1);
    assert_string_equal(board_boot(), "ota_1");
}

static void the_longest_status_fits(void **state)
{
    char table[1200] = "otadata, data, ota, 0xd000, 8K\nfactory, app, factory, 0x10000, 0x10000\n";
    const struct ota_extension_request packed = {
        .carrier = OTA_EXTENSION_ON_MODE, .bytes = (const uint8_t *)"\x22\x00", .len = 2};
    uint8_t reply[OTA_EXTENSION_REPLY_BYTES];
    enum ota_device_code code;

    (void)state;
    for (unsigned i = 0; i < 16; i++)
        snprintf(table + strlen(table), sizeof(table) - strlen(table),
                 "long_label_%05u, app, ota_%u, 0x%x, 0x10000\n", i, i, 0x20000 + i * 0x10000);
    board_make(CHIP_ESP32, table);
    for (unsigned i = 0; i < 16; i++) {
        uint8_t *slot = the_chip.flash.bytes + 0x20000 + i * 0x10000;

        memcpy(slot + 0x20, "\x32\x54\xcd\xab\xff\xff\xff\xff", 8);
        memset(slot + 0x30, 'v', 64); /* version and project without a NUL */
    }

    const size_t len = ota_extension_handle(&packed, reply, sizeof(reply), &code);

    assert_int_equal(code, OTA_DEVICE_DONE);
    assert_in_range(len, 2000, sizeof(reply));

    HostedExtension__Reply *got = hosted_extension__reply__unpack(NULL, len, reply);

    assert_non_null(got);
    assert_int_equal(got->status->n_slots, 17);
    assert_int_equal(strlen(got->status->slots[16]->version), 32);
    assert_string_equal(got->status->slots[16]->label, "long_label_00015");
    hosted_extension__reply__free_unpacked(got, NULL);
}

/* A message of somebody else's, which has no field for the extension. */
static void fields_are_found_and_attached(void **state)
{
    struct ota_extension_field fields[2];
    HostedExtension__None reply = HOSTED_EXTENSION__NONE__INIT;
    uint8_t packed[600], bytes[OTA_EXTENSION_HEAD_BYTES + 300], empty[OTA_EXTENSION_HEAD_BYTES];
    const uint8_t *found;
    size_t len;

    (void)state;
    memset(bytes, 0xc5, sizeof(bytes));
    fields[0] = (struct ota_extension_field){.tag = 100, .packed = bytes, .len = 300};
    fields[1] = (struct ota_extension_field){.tag = 101, .packed = empty, .len = 0};
    assert_true(ota_extension_attach(&reply.base, fields, 2));
    len = hosted_extension__none__pack(&reply, packed);
    ota_extension_detach(&reply.base);
    assert_int_equal(hosted_extension__none__get_packed_size(&reply), 0);

    HostedExtension__None *got = hosted_extension__none__unpack(NULL, len, packed);

    assert_non_null(got);
    assert_true(ota_extension_find(&got->base, 100, &found, &len));
    assert_int_equal(len, 300);
    assert_memory_equal(found, bytes + OTA_EXTENSION_HEAD_BYTES, len);
    assert_true(ota_extension_find(&got->base, 101, &found, &len));
    assert_int_equal(len, 0);
    assert_false(ota_extension_find(&got->base, 102, &found, &len));
    assert_false(ota_extension_find(NULL, 100, &found, &len));
    hosted_extension__none__free_unpacked(got, NULL);

    fields[0].len = OTA_EXTENSION_REPLY_BYTES + 1;
    assert_false(ota_extension_attach(&reply.base, fields, 1));
    assert_false(ota_extension_attach(&reply.base, fields, 3));
    assert_int_equal(reply.base.n_unknown_fields, 0);
}

static void the_identity_for_others(void **state)
{
    uint8_t packed[OTA_EXTENSION_IDENTITY_BYTES];

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    ota_device_start();

    const size_t len = ota_extension_identity(packed, sizeof(packed));
    HostedExtension__Identity *got = hosted_extension__identity__unpack(NULL, len, packed);

    assert_true(len > 0);
    assert_non_null(got);
    assert_string_equal(got->running_slot, "ota_0");
    assert_string_equal(got->version, "1.0.0");
    assert_int_equal(got->features, 7);
    assert_true(got->has_on_trial && !got->on_trial && !got->has_can_roll_back);
    assert_false(got->has_window);
    hosted_extension__identity__free_unpacked(got, NULL);
    assert_int_equal(ota_extension_identity(packed, len - 1), 0);
}

static void check_window(uint32_t granted, uint32_t features, bool told, uint32_t window)
{
    uint8_t packed[OTA_EXTENSION_IDENTITY_BYTES];

    ota_extension_grant_window(granted);

    const size_t len = ota_extension_identity(packed, sizeof(packed));
    HostedExtension__Identity *got = hosted_extension__identity__unpack(NULL, len, packed);

    assert_non_null(got);
    assert_int_equal(got->features, features);
    assert_int_equal(got->has_window, told);
    assert_int_equal(got->window, told ? window : 0);
    assert_int_equal(ota_extension_window(), window);
    hosted_extension__identity__free_unpacked(got, NULL);
}

static void a_window_is_told_when_it_is_granted(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    ota_device_start();
    check_window(3, 23, true, 3);
    check_window(1, 7, false, 1);
    check_window(0, 7, false, 1);
}

#define IN_BOTH(test)                                                                              \
    cmocka_unit_test_setup_teardown(test, setup_classic, NULL),                                    \
        cmocka_unit_test_setup_teardown(test, setup_ctrl, NULL)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(an_update),
        IN_BOTH(refusals_say_why),
        IN_BOTH(the_words_of_a_veto),
        IN_BOTH(a_trial_that_is_too_long),
        IN_BOTH(what_is_not_understood),
        IN_BOTH(status_has_every_slot),
        IN_BOTH(sixty_four_digests_fit),
        IN_BOTH(an_open_update_is_not_disturbed),
        IN_BOTH(silence_ends_it_at_the_tick),
        IN_BOTH(stock_updates_are_as_they_were),
        cmocka_unit_test(the_longest_status_fits),
        cmocka_unit_test(fields_are_found_and_attached),
        cmocka_unit_test(the_identity_for_others),
        cmocka_unit_test(a_window_is_told_when_it_is_granted),
    };

    return LIVES_RUN(tests);
}
