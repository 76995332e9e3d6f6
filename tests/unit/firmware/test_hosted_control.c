/* SPDX-License-Identifier: Apache-2.0 */
/* The control endpoint from its bus: what was recorded, what it says beyond, when it restarts. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board.h"
#include "chip_time.h"
#include "esp_partition.h"
#include "hosted_classic.pb-c.h"
#include "hosted_control.h"
#include "life.h"
#include "otadata.h"
#include "peer.h"
#include "test_image.h"
#include "transcript.h"
#include "wire.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CHUNK_BYTES     4000
#define SECOND_US       1000000

/* The flash fails at the n-th write from now on; 0: never. */
static int s_fail_write;

esp_err_t __real_esp_partition_write(const esp_partition_t *partition, size_t offset,
                                     const void *data, size_t size);
esp_err_t __wrap_esp_partition_write(const esp_partition_t *partition, size_t offset,
                                     const void *data, size_t size);

esp_err_t __wrap_esp_partition_write(const esp_partition_t *partition, size_t offset,
                                     const void *data, size_t size)
{
    if (s_fail_write > 0) {
        s_fail_write--;
        if (s_fail_write == 0)
            return ESP_ERR_FLASH_OP_FAIL;
    }
    return __real_esp_partition_write(partition, offset, data, size);
}

static void start(void)
{
    board_make(CHIP_ESP32, board_two_slots);
    peer_start_firmware();
}

static void put_up_recorded(bool my_wifi, bool open)
{
    if (my_wifi)
        memcpy(peer_put_up("MyWifi", "MyWifiPass@123", -40)->bssid, "\x11\x22\x33\x44\x55\x66", 6);
    if (open) {
        struct air_ap *const ap = peer_put_up("Open", "", -80);

        memcpy(ap->bssid, "\x12\x22\x33\x44\x55\x66", 6);
        ap->channel = 11;
    }
}

/* Without the fields from 100 up of the payload: what stock firmware would have said. */
static struct message as_stock(const struct message *message)
{
    struct message stock = {0};
    struct serial_tlv tlv;
    uint8_t inner[SERIAL_TLV_MAX_BYTES], data[SERIAL_TLV_MAX_BYTES];
    size_t inner_len = 0;

    assert_int_equal(serial_tlv_parse(message->bytes, message->len, &tlv), message->len);

    const uint8_t *at = tlv.data;
    const struct wire_field number = wire_take(&at, tlv.data + tlv.data_len);
    const struct wire_field payload = wire_take(&at, tlv.data + tlv.data_len);

    for (at = payload.bytes; at < payload.bytes + payload.len;) {
        const struct wire_field field = wire_take(&at, payload.bytes + payload.len);

        if (field.number < 100) {
            memcpy(inner + inner_len, field.begin, (size_t)(field.end - field.begin));
            inner_len += (size_t)(field.end - field.begin);
        }
    }

    uint8_t *end = data;

    memcpy(end, number.begin, (size_t)(number.end - number.begin));
    end += number.end - number.begin;
    end = wire_put_varint(end, payload.number << 3 | 2);
    end = wire_put_varint(end, inner_len);
    memcpy(end, inner, inner_len);
    end += inner_len;

    const int head =
        serial_tlv_head("control", (size_t)(end - data), stock.bytes, sizeof(stock.bytes));

    assert_true(head > 0);
    memcpy(stock.bytes + head, data, (size_t)(end - data));
    stock.len = (size_t)head + (size_t)(end - data);
    return stock;
}

/* Soft access point, power save, vendor elements, transmit power. */
static bool is_out_of_scope(const struct serial_tlv *request)
{
    return strchr("\x0a\x0c\x10\x14\x18\x1a\x22\x24\x26", request->data[1]) != NULL &&
           request->data[1] != 0;
}

static void compare(const char *name)
{
    struct transcript said = transcript_read(name);
    size_t asked = 0, answered = 0, compared = 0;

    while (asked < said.to_device_len) {
        struct serial_tlv request, recorded;
        const int sent =
            serial_tlv_parse(said.to_device + asked, said.to_device_len - asked, &request);
        const int expected =
            serial_tlv_parse(said.to_host + answered, said.to_host_len - answered, &recorded);

        assert_true(sent > 0 && expected > 0);
        if (!is_out_of_scope(&request)) {
            const struct message *answer = peer_ask(request.data, request.data_len);

            print_message("%s: message %d\n", name, request.data[1]);
            assert_non_null(answer);

            const struct message stock = as_stock(answer);

            assert_int_equal(stock.len, expected);
            assert_memory_equal(stock.bytes, said.to_host + answered, stock.len);
            compared++;
        }
        asked += (size_t)sent;
        answered += (size_t)expected;
    }
    assert_int_equal(answered, said.to_host_len);
    assert_true(compared > 0);
    transcript_free(&said);
}

static void mode_and_mac_as_recorded(void **state)
{
    (void)state;
    start();
    put_up_recorded(true, false);
    compare("classic-mode-and-mac");
}

static void scan_as_recorded(void **state)
{
    (void)state;
    start();
    put_up_recorded(true, true);
    compare("classic-scan");
}

static void connect_as_recorded(void **state)
{
    (void)state;
    start();
    put_up_recorded(true, true);
    compare("classic-station-connect");
}

static void missing_access_point_as_recorded(void **state)
{
    (void)state;
    start();
    put_up_recorded(false, true);
    compare("classic-station-connect-no-ap");
}

static void all_commands_as_recorded(void **state)
{
    (void)state;
    start();
    put_up_recorded(true, true);
    compare("classic-all-commands");
}

static void update_as_recorded(void **state)
{
    (void)state;
    start();
    compare("classic-ota-40000");
    assert_string_equal(board_boot(), "ota_1");
}

static void odd_update_as_recorded(void **state)
{
    (void)state;
    start();
    compare("classic-ota-40001");
    assert_string_equal(board_boot(), "ota_1");
}

static void refused_write_as_recorded(void **state)
{
    (void)state;
    start();
    s_fail_write = 3;
    compare("classic-ota-write-refused");
    assert_string_equal(board_boot(), "ota_0");
}

/* A host that leaves zeros out, as proto3 would have it, and one that says more than we know. */
static void other_spellings_are_understood(void **state)
{
    (void)state;
    start();
    peer_put_up("MyWifi", "MyWifiPass@123", -40);

    const struct message *answer = peer_ask_hex("52 02 08 01"); /* GetMAC is message 0 */

    assert_non_null(answer);
    assert_memory_equal(answer->bytes + 13,
                        "\x08\x01\x5a\x15\x0a\x11"
                        "24:0a:c4:11:22:33\x10\x00",
                        25);
    assert_int_equal(peer_result("08 04 72 00", 1), 0);          /* SetMode: none */
    assert_int_equal(peer_result("08 02 62 00", 2), 0);          /* GetMode with an empty payload */
    assert_int_equal(peer_result("08 02 62 03 c0 07 07", 2), 0); /* … and an unknown field */
    assert_int_equal(peer_result("08 02 a0 06 07 f2 06 00", 2), 0); /* strange fields */
    /* SetAPConfig: name and password alone */
    assert_int_equal(peer_result("08 08 92 01 18 0a 06 4d7957696669 12 0e "
                                 "4d7957696669506173734031 3233",
                                 1),
                     0);
}

static void a_refused_mac_is_left_out(void **state)
{
    (void)state;
    start();

    const struct message *answer = peer_ask_hex("08 00 52 02 08 07");
    static const uint8_t refusal[] = {0x08, 0x01, 0x5a, 0x0b, 0x10, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};

    assert_non_null(answer);
    assert_int_equal(answer->len, 13 + sizeof(refusal));
    assert_memory_equal(answer->bytes + 13, refusal, sizeof(refusal));
}

static void what_is_not_in_this_firmware_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        unsigned field; /* of `resp` in the answer */
    } cases[] = {
        {"080a", 8},
        {"080c b201 020801", 1},
        {"0810", 1},
        {"0814", 3},
        {"0818 9202 020801", 1},
        {"081a", 2},
        {"0822 e202 020801", 1},
        {"0824 f202 020808", 1},
        {"0826", 2},
    };

    start();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(peer_result(cases[i].request, cases[i].field), -1);
    peer_check_alive();
}

/* A frame of ESP-Hosted's documentation of the time, for an ESP32-C3. */
static void the_init_event_is_the_known_one(void **state)
{
    uint8_t known[64];
    const size_t len =
        peer_unhex("04000b000c00b50000000000 00 09 020105 01011e 000168", known, sizeof(known));

    (void)state;
    board_make(CHIP_ESP32C3, board_two_slots);
    peer_start_firmware();
    hosted_control_send_init();
    assert_int_equal(peer_frames, 1);
    assert_int_equal(peer_frame_len, len);
    assert_memory_equal(peer_frame, known, len);
}

/* 32 access points with names of 32 bytes: the longest answer there is. */
static void a_long_answer_goes_in_fragments(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 32; i++) {
        char ssid[33];

        snprintf(ssid, sizeof(ssid), "%02d-34567890123456789012345678901", i);
        peer_put_up(ssid, "", (int8_t)(-30 - i));
    }

    const struct message *answer = peer_ask_hex("0812");

    assert_non_null(answer);
    assert_true(answer->len > 1500);

    HostedClassic__Message *message =
        hosted_classic__message__unpack(NULL, answer->len - 13, answer->bytes + 13);

    assert_non_null(message);
    assert_int_equal(message->resp_scan->count, 32);
    assert_int_equal(message->resp_scan->n_entries, 32);
    for (size_t i = 0; i < 32; i++) {
        assert_int_equal(message->resp_scan->entries[i]->ssid.len, 32);
        assert_int_equal(message->resp_scan->entries[i]->rssi, -30 - (int)i);
    }
    hosted_classic__message__free_unpacked(message, NULL);
}

/* What a check of the identity expects. */
struct expected_identity {
    const char *slot, *project, *version;
    bool rollback_known, rollback;
};

static void check_identity(void *arg)
{
    const struct expected_identity *expected = arg;

    peer_start_firmware();

    const struct message *answer = peer_ask_hex("0802");

    assert_non_null(answer);

    HostedClassic__Message *message =
        hosted_classic__message__unpack(NULL, answer->len - 13, answer->bytes + 13);

    assert_non_null(message);

    const HostedExtension__Identity *identity = message->resp_get_mode->identity;

    assert_non_null(identity);
    assert_true(identity->has_chip_id && identity->has_slot_size && identity->has_features);
    assert_int_equal(identity->features, 23);
    assert_int_equal(identity->window, 3); /* the port's */
    assert_int_equal(identity->chip_id, world->chip_id);
    assert_int_equal(identity->slot_size, 1792 * 1024);
    assert_string_equal(identity->running_slot, expected->slot);
    assert_string_equal(identity->project, expected->project);
    assert_string_equal(identity->version, expected->version);
    assert_int_equal(identity->has_can_roll_back, expected->rollback_known);
    assert_int_equal(identity->can_roll_back, expected->rollback);
    hosted_classic__message__free_unpacked(message, NULL);
}

static void send_image(uint16_t chip_id)
{
    const size_t size = 20000;
    uint8_t *image = test_image(chip_id, size, true);
    uint8_t request[CHUNK_BYTES + 16] = {0x08, 0x1e, 0xc2, 0x02, 0xa3, 0x1f, 0x0a, 0xa0, 0x1f};

    assert_int_equal(peer_result("081c", 1), 0);
    for (size_t at = 0; at < size; at += CHUNK_BYTES) {
        memcpy(request + 9, image + at, CHUNK_BYTES);

        const struct message *answer = peer_ask(request, 9 + CHUNK_BYTES);

        assert_non_null(answer);
        assert_memory_equal(answer->bytes + 13, "\x08\x1f\xca\x02\x02\x08\x00", 7);
    }
    free(image);
}

static void update_at_the_bus(void *arg)
{
    (void)arg;
    peer_start_firmware();
    send_image(world->chip_id);
    assert_int_equal(peer_result("0820", 1), 0);
}

static void identity_of(bool rollback, uint16_t chip_id, const struct expected_identity *updated)
{
    struct expected_identity first = {"ota_0", "network_adapter", "1.0.0", false, false};
    struct expected_identity second = *updated;

    board_make(chip_id, board_two_slots);
    the_chip.rollback = rollback;
    assert_int_equal(life_live(check_identity, &first), LIFE_DONE);
    assert_int_equal(life_live(update_at_the_bus, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(check_identity, &second), LIFE_DONE);
}

static void the_mode_comes_with_the_identity(void **state)
{
    static const struct expected_identity updated = {"ota_1", "test", "2.0.0", true, true};

    (void)state;
    identity_of(true, CHIP_ESP32, &updated);
}

static void an_old_boot_loader_is_found_out(void **state)
{
    static const struct expected_identity updated = {"ota_1", "test", "2.0.0", true, false};

    (void)state;
    identity_of(false, CHIP_ESP32C3, &updated);
}

static void confirm_by_answer(void *arg)
{
    (void)arg;
    peer_start_firmware();
    assert_null(peer_ask_hex("08c801")); /* no such message: no answer, no proof */
    assert_int_equal(board_slot_state("ota_1"), OTADATA_PENDING_VERIFY);
    peer_check_alive();
    assert_int_equal(board_slot_state("ota_1"), OTADATA_VALID);
}

static void the_first_answer_confirms(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    assert_int_equal(life_live(update_at_the_bus, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(confirm_by_answer, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
}

static void a_begin_as_the_first_word_confirms(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    assert_int_equal(life_live(update_at_the_bus, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(update_at_the_bus, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_0");
}

static void update_and_wait(void *arg)
{
    update_at_the_bus(NULL);
    assert_int_equal(peer_result("081c", 1), -1); /* it would erase what was just selected */
    assert_int_equal(peer_result("081e c202 03 0a01e9", 1), -1);
    assert_int_equal(peer_result("0820", 1), -1);
    peer_check_alive();
    world_advance(*(const int64_t *)arg);
}

static void restarts_five_seconds_after_a_good_end(void **state)
{
    int64_t before_us = 5 * SECOND_US - 1, then_us = 5 * SECOND_US;

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    assert_int_equal(life_live(update_and_wait, &before_us), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(update_and_wait, &then_us), LIFE_RESTARTED);
    assert_string_equal(board_boot(), "ota_0");
}

static void a_bad_end_does_not_restart(void **state)
{
    (void)state;
    start();
    send_image(CHIP_ESP32C3);
    assert_int_equal(peer_result("0820", 1), -1);
    world_advance(60 * (int64_t)SECOND_US);
    peer_check_alive();
    send_image(CHIP_ESP32); /* and the next update may do better */
    assert_int_equal(peer_result("0820", 1), 0);
}

/* Hosts look for it in the file; nobody else does, and linkers drop what nobody refers to. */
static void the_marker_of_the_extension_is_in_the_program(void **state)
{
    char marker[32];
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;
    char *bytes;

    (void)state;
    snprintf(marker, sizeof(marker), "%s-%s", "esp-hosted-ota", "ext-1");
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_true(bytes != MAP_FAILED);
    assert_non_null(memmem(bytes, (size_t)status.st_size, marker, strlen(marker)));
    munmap(bytes, (size_t)status.st_size);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mode_and_mac_as_recorded),
        cmocka_unit_test(scan_as_recorded),
        cmocka_unit_test(connect_as_recorded),
        cmocka_unit_test(missing_access_point_as_recorded),
        cmocka_unit_test(all_commands_as_recorded),
        cmocka_unit_test(update_as_recorded),
        cmocka_unit_test(odd_update_as_recorded),
        cmocka_unit_test(refused_write_as_recorded),
        cmocka_unit_test(other_spellings_are_understood),
        cmocka_unit_test(a_refused_mac_is_left_out),
        cmocka_unit_test(what_is_not_in_this_firmware_is_refused),
        cmocka_unit_test(the_init_event_is_the_known_one),
        cmocka_unit_test(a_long_answer_goes_in_fragments),
        cmocka_unit_test(the_mode_comes_with_the_identity),
        cmocka_unit_test(an_old_boot_loader_is_found_out),
        cmocka_unit_test(the_first_answer_confirms),
        cmocka_unit_test(a_begin_as_the_first_word_confirms),
        cmocka_unit_test(restarts_five_seconds_after_a_good_end),
        cmocka_unit_test(a_bad_end_does_not_restart),
        cmocka_unit_test(the_marker_of_the_extension_is_in_the_program),
    };

    return LIVES_RUN(tests);
}
