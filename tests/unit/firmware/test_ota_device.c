/* SPDX-License-Identifier: Apache-2.0 */
/* The update engine on a modelled flash, whose misuse is an error. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "esp_ota_ops.h"
#include "life.h"
#include "ota_device.h"
#include "otadata.h"
#include "test_image.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BLOCK_BYTES     65536u

/* The flash fails at the n-th write or erase from now on; 0: never. */
static int s_fail_write, s_fail_erase;

static size_t s_written; /* bytes */

static bool is_due(int *countdown)
{
    if (*countdown == 0)
        return false;
    (*countdown)--;
    return *countdown == 0;
}

/* The linker's names (--wrap): what the engine calls, and what it would have called. */
esp_err_t __real_esp_partition_write(const esp_partition_t *partition, size_t offset,
                                     const void *data, size_t size);
esp_err_t __wrap_esp_partition_write(const esp_partition_t *partition, size_t offset,
                                     const void *data, size_t size);
esp_err_t __real_esp_partition_erase_range(const esp_partition_t *partition, size_t offset,
                                           size_t size);
esp_err_t __wrap_esp_partition_erase_range(const esp_partition_t *partition, size_t offset,
                                           size_t size);

void __wrap_ota_restart_after(uint32_t ms, void (*action)(void));

/* The chip goes on: several updates in one life, unless a test is about the restart. */
void __wrap_ota_restart_after(uint32_t ms, void (*action)(void))
{
    (void)ms;
    (void)action;
}

/* Encrypted flash takes whole units of 16 bytes only. */
esp_err_t __wrap_esp_partition_write(const esp_partition_t *partition, size_t offset,
                                     const void *data, size_t size)
{
    assert_int_equal(offset % 16, 0);
    assert_int_equal(size % 16, 0);
    if (is_due(&s_fail_write))
        return ESP_ERR_FLASH_OP_FAIL;
    s_written += size;
    return __real_esp_partition_write(partition, offset, data, size);
}

static struct {
    size_t from, size;
} s_erased[64];
static size_t s_erases;

esp_err_t __wrap_esp_partition_erase_range(const esp_partition_t *partition, size_t offset,
                                           size_t size)
{
    if (is_due(&s_fail_erase))
        return ESP_ERR_FLASH_OP_FAIL;
    if (s_erases < COUNT_OF(s_erased)) {
        s_erased[s_erases].from = offset;
        s_erased[s_erases].size = size;
    }
    s_erases++;
    return __real_esp_partition_erase_range(partition, offset, size);
}

static enum ota_device_code write_all(const uint8_t *image, size_t size, size_t chunk)
{
    enum ota_device_code code = OTA_DEVICE_DONE;

    for (size_t at = 0; at < size && code == OTA_DEVICE_DONE; at += chunk) {
        /* A copy of just this chunk, so that a sanitiser sees a byte too far. */
        const size_t n = size - at < chunk ? size - at : chunk;
        uint8_t *copy = malloc(n);

        memcpy(copy, image + at, n);
        code = ota_device_append(copy, n);
        free(copy);
    }
    return code;
}

static void update(const uint8_t *image, size_t size, size_t chunk)
{
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_int_equal(write_all(image, size, chunk), OTA_DEVICE_DONE);
    assert_int_equal(ota_device_next(), size);
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_DONE);
}

static void check_in_flash(const char *slot, const uint8_t *image, size_t size)
{
    const uint8_t *flash = board_partition(slot);

    assert_memory_equal(flash, image, size);
    for (size_t i = size; i % BLOCK_BYTES != 0 && i < board_partition_size(slot); i++)
        assert_int_equal(flash[i], 0xff);
    assert_int_equal(the_chip.flash.misuses, 0);
}

static void an_image_arrives_whatever_the_chunks(void **state)
{
    (void)state;
    static const struct {
        size_t size, chunk;
    } cases[] = {
        {352, 1},       {352, 352},      {3984, 4000},    {4000, 4000},
        {4016, 4000},   {40000, 7},      {40000, 15},     {40000, 16},
        {40000, 17},    {40000, 4000},   {70000, 65536},  {200000, 70001},
        {400000, 4074}, {1048576, 4000}, {1835008, 4000}, {1835008, 65537},
    };

    board_make(CHIP_ESP32, board_two_slots);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t *image = test_image(CHIP_ESP32, cases[i].size, true);

        print_message("%zu bytes in chunks of %zu\n", cases[i].size, cases[i].chunk);
        update(image, cases[i].size, cases[i].chunk);
        check_in_flash("ota_1", image, cases[i].size);
        assert_int_equal(board_slot_state("ota_1"), OTADATA_NEW);
        free(image);
    }
}

#define BLANK_FROM 8292u /* within a page, as its end */
#define BLANK_TO   24676u

/* How many bytes are programmed of an image with a blank in it. */
static size_t programmed_with_a_blank(size_t chunk)
{
    uint8_t *image = test_image(CHIP_ESP32, 40000, true);

    memset(image + BLANK_FROM, 0xff, BLANK_TO - BLANK_FROM);
    s_written = 0;
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_int_equal(write_all(image, 40000, chunk), OTA_DEVICE_DONE);
    check_in_flash("ota_1", image, 40000);
    free(image);
    return s_written;
}

static void blank_pages_are_not_programmed(void **state)
{
    const size_t pages = BLANK_TO / 256 - (BLANK_FROM / 256 + 1);

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    memset(board_partition("ota_1"), 0,
           board_partition_size("ota_1")); /* it is erased all the same */
    assert_int_equal(programmed_with_a_blank(4000), 40000 - pages * 256);
    assert_int_equal(programmed_with_a_blank(40000), 40000 - pages * 256);
}

/* What is erased does not read as blank there. */
static void encrypted_flash_has_no_blank_pages(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, "otadata, data, ota,   0xd000,  8K\n"
                           "ota_0,   app,  ota_0, 0x10000, 0x20000, encrypted\n"
                           "ota_1,   app,  ota_1, 0x30000, 0x20000, encrypted\n");
    assert_int_equal(programmed_with_a_blank(4000), 40000);
}

static void a_blank_page_is_read_back(void **state)
{
    static uint8_t blank[1024];

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    memset(blank, 0xff, sizeof(blank));
    blank[0] = 0xe9;
    board_break(FLASH_STUCK_AT_0, board_address("ota_1") + 700);
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_int_equal(ota_device_append(blank, sizeof(blank)), OTA_DEVICE_FLASH_DIFFERS);
    assert_int_equal(ota_device_last_fault()->address, board_address("ota_1") + 700);
}

/* Upstream's hosts fill the last chunk up to 4000 bytes, or send it twice. */
static void an_over_long_last_chunk_is_borne(void **state)
{
    uint8_t *image = test_image(CHIP_ESP32, 40000, true);
    uint8_t *sent = malloc(44001);

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    memcpy(sent, image, 40000);
    memset(sent + 40000, 0xa5, 4001);
    update(sent, 44001, 4000);
    check_in_flash("ota_1", sent, 44001);
    assert_string_equal(board_boot(), "ota_1");
    free(image);
    free(sent);
}

static void write_one_image(void *arg)
{
    uint8_t *image = test_image(CHIP_ESP32, 20000, true);

    (void)arg;
    update(image, 20000, 4000);
    free(image);
}

static void confirm_and_write_one_image(void *arg)
{
    assert_int_equal(ota_device_confirm(), ESP_OK);
    write_one_image(arg);
}

static void slots_take_turns(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    assert_int_equal(life_live(write_one_image, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(confirm_and_write_one_image, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(life_live(confirm_and_write_one_image, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_string_equal(board_boot(), "ota_0"); /* nobody has confirmed the last one */
}

static void erases_just_ahead_and_in_blocks(void **state)
{
    uint8_t *image = test_image(CHIP_ESP32, 200000, true);
    uint8_t *slot;

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    slot = board_partition("ota_1");
    memset(slot, 0x5a, board_partition_size("ota_1")); /* an older image */

    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_int_equal(s_erases, 0);
    assert_int_equal(ota_device_append(image, 15), OTA_DEVICE_DONE); /* held back: not a unit yet */
    assert_int_equal(s_erases, 0);
    assert_int_equal(ota_device_append(image + 15, 1), OTA_DEVICE_DONE);
    assert_int_equal(s_erases, 1);
    assert_int_equal(slot[BLOCK_BYTES - 1], 0xff);
    assert_int_equal(slot[BLOCK_BYTES], 0x5a);
    assert_int_equal(ota_device_append(image + 16, BLOCK_BYTES - 16), OTA_DEVICE_DONE);
    assert_int_equal(s_erases, 1);
    assert_int_equal(ota_device_append(image + BLOCK_BYTES, 200000 - BLOCK_BYTES), OTA_DEVICE_DONE);
    assert_int_equal(s_erases, 4);
    for (size_t i = 0; i < s_erases; i++) {
        assert_int_equal(s_erased[i].from, i * BLOCK_BYTES);
        assert_int_equal(s_erased[i].size, BLOCK_BYTES);
    }
    assert_int_equal(slot[4 * BLOCK_BYTES], 0x5a);
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_DONE);
    assert_memory_equal(slot, image, 200000);
    free(image);
}

/* The last part of a slot that is no whole number of blocks goes by sectors; what is behind is
 * somebody else's. */
static void never_erases_behind_the_slot(void **state)
{
    uint8_t *image = test_image(CHIP_ESP32, 0x12000, true);
    uint8_t before[0x10000];

    (void)state;
    board_make(CHIP_ESP32, "nvs,     data, nvs,   0x9000,   16K\n"
                           "otadata, data, ota,   0xd000,   8K\n"
                           "ota_0,   app,  ota_0, 0x10000,  0x12000\n"
                           "ota_1,   app,  ota_1, 0x30000,  0x12000\n"
                           "user,    data, 0x40,  0x42000,  0x10000\n");
    memset(board_partition("user"), 0x3c, sizeof(before));
    memcpy(before, board_partition("user"), sizeof(before));
    update(image, 0x12000, 4000);
    check_in_flash("ota_1", image, 0x12000);
    assert_memory_equal(board_partition("user"), before, sizeof(before));
    assert_int_equal(s_erases, 3);
    assert_int_equal(s_erased[0].size, BLOCK_BYTES);
    assert_int_equal(s_erased[1].size, 4096);
    assert_int_equal(s_erased[2].from + s_erased[2].size, 0x12000);
    free(image);
}

static void what_is_no_image_erases_nothing(void **state)
{
    const uint8_t garbage[4000] = {'<', 'h', 't', 'm', 'l'};

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_int_equal(ota_device_append(garbage, sizeof(garbage)), OTA_DEVICE_NOT_AN_IMAGE);
    assert_int_equal(s_erases, 0);
    assert_int_equal(ota_device_append(garbage, sizeof(garbage)), OTA_DEVICE_NO_SESSION);
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_NO_SESSION);
}

static void a_full_slot_ends_the_update(void **state)
{
    const size_t size = 0x10000;
    uint8_t *image = test_image(CHIP_ESP32, size, true);

    (void)state;
    board_make(CHIP_ESP32, "otadata, data, ota,   0xd000,  8K\n"
                           "ota_0,   app,  ota_0, 0x10000, 0x10000\n"
                           "ota_1,   app,  ota_1, 0x20000, 0x10000\n"
                           "user,    data, 0x40,  0x30000, 0x10000\n");
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_int_equal(ota_device_append(image, size - 8), OTA_DEVICE_DONE);
    assert_int_equal(ota_device_append(image + size - 8, 9), OTA_DEVICE_TOO_LARGE);
    assert_int_equal(ota_device_next(), 0);
    assert_int_equal(ota_device_append(image, 1), OTA_DEVICE_NO_SESSION);
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_NO_SESSION);
    assert_int_equal(board_partition("user")[0], 0xff);
    assert_string_equal(board_boot(), "ota_0");
    free(image);
}

static void calls_in_another_order_are_refused(void **state)
{
    uint8_t *image = test_image(CHIP_ESP32, 4000, true);

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    assert_int_equal(ota_device_append(image, 4000), OTA_DEVICE_NO_SESSION);
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_NO_SESSION);
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_int_equal(ota_device_append(image, 0), OTA_DEVICE_NOT_UNDERSTOOD);
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_TOO_SHORT); /* nothing was written */
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_NO_SESSION);

    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_string_equal(ota_device_slot()->label, "ota_1");
    assert_int_equal(ota_device_append(image, 100), OTA_DEVICE_DONE);
    ota_device_abort();
    assert_int_equal(ota_device_next(), 0);
    assert_int_equal(ota_device_append(image + 100, 100), OTA_DEVICE_NO_SESSION);
    assert_string_equal(board_boot(), "ota_0");
    free(image);
}

static void begin_drops_an_unfinished_update(void **state)
{
    uint8_t *old = test_image(CHIP_ESP32, 90000, true);
    uint8_t *image = test_image(CHIP_ESP32, 40000, false);

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_int_equal(ota_device_append(old, 80007), OTA_DEVICE_DONE);
    update(image, 40000, 4000);
    check_in_flash("ota_1", image, 40000);
    free(old);
    free(image);
}

static void a_damaged_image_is_not_selected(void **state)
{
    uint8_t *image = test_image(CHIP_ESP32, 40000, true);
    uint8_t *other = test_image(CHIP_ESP32C3, 40000, true);

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);

    image[20000] ^= 1; /* checksum and digest are wrong */
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_int_equal(write_all(image, 40000, 4000), OTA_DEVICE_DONE);
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_INVALID_IMAGE);
    image[20000] ^= 1;

    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE); /* cut */
    assert_int_equal(write_all(image, 36000, 4000), OTA_DEVICE_DONE);
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_INVALID_IMAGE);

    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE); /* for another chip */
    assert_int_equal(write_all(other, 40000, 4000), OTA_DEVICE_DONE);
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_INVALID_IMAGE);

    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_NO_SESSION);
    assert_string_equal(board_boot(), "ota_0");
    free(image);
    free(other);
}

static void a_flash_that_fails_ends_the_update(void **state)
{
    uint8_t *image = test_image(CHIP_ESP32, 90000, true);

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);

    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    s_fail_write = 3;
    assert_int_equal(write_all(image, 90000, 4000), OTA_DEVICE_PROGRAM_FAILED);
    assert_int_equal(ota_device_append(image, 4000), OTA_DEVICE_NO_SESSION);
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_NO_SESSION);

    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    s_fail_erase = 2;
    assert_int_equal(write_all(image, 90000, 4000), OTA_DEVICE_ERASE_FAILED);
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_NO_SESSION);

    assert_int_equal(ota_device_begin(NULL),
                     OTA_DEVICE_DONE); /* at the very end, with what was held back */
    assert_int_equal(write_all(image, 4001, 4001), OTA_DEVICE_DONE);
    s_fail_write = 1;
    assert_int_equal(ota_device_end(NULL), OTA_DEVICE_PROGRAM_FAILED);

    update(image, 90000, 4000); /* the next one may do better */
    check_in_flash("ota_1", image, 90000);
    free(image);
}

static const char *say_no(void *ctx)
{
    return ctx;
}

static void the_application_can_veto(void **state)
{
    static char reason[] = "a Bluetooth connection is open";

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    ota_device_set_veto(say_no, reason);
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_VETO);
    assert_string_equal(ota_device_last_fault()->text, reason);
    assert_int_equal(ota_device_append("\xe9", 1), OTA_DEVICE_NO_SESSION);
    ota_device_set_veto(say_no, NULL); /* it has changed its mind */
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_null(ota_device_last_fault()->text);
    ota_device_set_veto(say_no, reason);
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_VETO);
    assert_int_equal(ota_device_next(), 0);
    ota_device_set_veto(NULL, NULL);
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
}

static void begin_without_a_slot(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, "otadata, data, ota,     0xd000,  8K\n"
                           "factory, app,  factory, 0x10000, 1M\n");
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_NO_SLOT);
    assert_null(ota_device_slot());
}

static void begin_with_the_running_slot_alone(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, "otadata, data, ota,   0xd000,  8K\n"
                           "ota_0,   app,  ota_0, 0x10000, 1M\n");
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_NO_SLOT);
}

static void a_factory_image_can_be_updated(void **state)
{
    uint8_t *image = test_image(CHIP_ESP32C3, 20000, true);

    (void)state;
    board_make(CHIP_ESP32C3, "otadata, data, ota,     0xd000,   8K\n"
                             "factory, app,  factory, 0x10000,  1M\n"
                             "ota_0,   app,  ota_0,   0x110000, 1M\n");
    assert_int_equal(ota_device_confirm(), ESP_OK); /* a factory image is never on probation */
    update(image, 20000, 4000);
    assert_string_equal(board_boot(), "ota_0");
    free(image);
}

static void refuse_then_confirm(void *arg)
{
    (void)arg;
    assert_int_equal(ota_device_begin(&(struct ota_device_image){0}), OTA_DEVICE_NOT_CONFIRMED);
    assert_int_equal(board_slot_state("ota_1"), OTADATA_PENDING_VERIFY);

    assert_int_equal(ota_device_confirm(), ESP_OK);
    assert_int_equal(board_slot_state("ota_1"), OTADATA_VALID);

    const uint64_t operations = *the_chip.flash.operations;

    assert_int_equal(ota_device_confirm(), ESP_OK); /* once is enough */
    assert_int_equal(*the_chip.flash.operations, operations);
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_string_equal(ota_device_slot()->label, "ota_0");
}

static void a_firmware_on_probation_takes_no_update(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    assert_int_equal(life_live(write_one_image, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(life_live(refuse_then_confirm, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
}

/* Whatever goes before end: otadata says what it said. */
static void otadata_is_untouched_until_the_end(void **state)
{
    uint8_t *image = test_image(CHIP_ESP32, 40000, true);
    uint8_t before[0x2000];

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    memcpy(before, board_partition("otadata"), sizeof(before));
    assert_int_equal(ota_device_begin(NULL), OTA_DEVICE_DONE);
    assert_int_equal(write_all(image, 40000, 4000), OTA_DEVICE_DONE);
    assert_memory_equal(board_partition("otadata"), before, sizeof(before));
    ota_device_abort();
    assert_memory_equal(board_partition("otadata"), before, sizeof(before));
    free(image);
}

static void write_from_a_cut_on(void *arg)
{
    the_chip.flash.cut_at = *the_chip.flash.operations + *(const uint64_t *)arg;
    write_one_image(NULL);
}

/* At every flash operation of an update: there is always something to boot, and it is whole. */
static void power_may_go_at_any_moment(void **state)
{
    static const enum flash_cut cuts[] = {FLASH_CUT_BEFORE, FLASH_CUT_TORN, FLASH_CUT_DONE};
    uint8_t *before = malloc(BOARD_FLASH_BYTES);
    uint64_t operation = 0;
    int updated = 0;

    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    memcpy(before, the_chip.flash.bytes, BOARD_FLASH_BYTES);
    for (bool cut_off = true; cut_off;) {
        operation++;
        for (size_t i = 0; i < COUNT_OF(cuts); i++) {
            memcpy(the_chip.flash.bytes, before, BOARD_FLASH_BYTES);
            assert_string_equal(board_boot(), "ota_0");
            the_chip.flash.cut = cuts[i];
            cut_off = life_live(write_from_a_cut_on, &operation) == LIFE_POWER_CUT;

            const char *slot = board_boot();

            assert_true(strcmp(slot, "ota_0") == 0 || strcmp(slot, "ota_1") == 0);
            updated += strcmp(slot, "ota_1") == 0;
        }
    }
    print_message("%llu operations\n", (unsigned long long)operation - 1);
    assert_true(operation > 80);  /* 79 pages, a block, two for otadata */
    assert_int_equal(updated, 4); /* just behind the last operation, and three times no cut */
    free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_arrives_whatever_the_chunks),
        cmocka_unit_test(blank_pages_are_not_programmed),
        cmocka_unit_test(encrypted_flash_has_no_blank_pages),
        cmocka_unit_test(a_blank_page_is_read_back),
        cmocka_unit_test(an_over_long_last_chunk_is_borne),
        cmocka_unit_test(slots_take_turns),
        cmocka_unit_test(erases_just_ahead_and_in_blocks),
        cmocka_unit_test(never_erases_behind_the_slot),
        cmocka_unit_test(what_is_no_image_erases_nothing),
        cmocka_unit_test(a_full_slot_ends_the_update),
        cmocka_unit_test(calls_in_another_order_are_refused),
        cmocka_unit_test(begin_drops_an_unfinished_update),
        cmocka_unit_test(a_damaged_image_is_not_selected),
        cmocka_unit_test(a_flash_that_fails_ends_the_update),
        cmocka_unit_test(the_application_can_veto),
        cmocka_unit_test(begin_without_a_slot),
        cmocka_unit_test(begin_with_the_running_slot_alone),
        cmocka_unit_test(a_factory_image_can_be_updated),
        cmocka_unit_test(a_firmware_on_probation_takes_no_update),
        cmocka_unit_test(otadata_is_untouched_until_the_end),
        cmocka_unit_test(power_may_go_at_any_moment),
    };

    return LIVES_RUN(tests);
}
