/* SPDX-License-Identifier: Apache-2.0 */
/* Updates with offsets, digests and codes: the engine as the extension uses it. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "chip_time.h"
#include "esp_efuse.h"
#include "esp_ota_ops.h"
#include "life.h"
#include "noise.h"
#include "ota_device.h"
#include "otadata.h"
#include "test_image.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SECTOR          4096u
#define BLOCK           65536u
#define SLOT            (1792u * 1024)
#define SIZE            200000u

static const char s_small_slots[] = "otadata, data, ota,   0xd000,  8K\n"
                                    "ota_0,   app,  ota_0, 0x10000, 0x20000\n"
                                    "ota_1,   app,  ota_1, 0x30000, 0x20000\n"
                                    "user,    data, 0x40,  0x50000, 0x10000\n";

static const struct ota_device_image s_unknown;

static uint8_t *s_image;
static uint8_t s_sha256[32];

static int setup(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    s_image = test_image(CHIP_ESP32, SIZE, true);
    SHA256(s_image, SIZE, s_sha256);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(s_image);
    return 0;
}

#define CHECK_CODE(call, expected) assert_int_equal((call), (expected))

static void send(uint32_t from, uint32_t to, uint32_t run_end)
{
    while (from < to) {
        const uint32_t n = to - from < 4000 ? to - from : 4000;

        CHECK_CODE(ota_device_write(from, run_end, s_image + from, n), OTA_DEVICE_DONE);
        from += n;
    }
}

static enum ota_device_code end_with(uint32_t size, const uint8_t *sha256)
{
    return ota_device_end(&(struct ota_device_end){.size = size, .sha256 = sha256});
}

static void begin(void)
{
    CHECK_CODE(ota_device_begin(&s_unknown), OTA_DEVICE_DONE);
}

static void an_update_by_offsets(void **state)
{
    const uint8_t *slot = board_partition("ota_1");

    (void)state;
    begin();
    send(0, SIZE, SIZE);
    assert_int_equal(ota_device_next(), SIZE);
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE);
    assert_memory_equal(slot, s_image, SIZE);
    assert_int_equal(board_slot_state("ota_1"), OTADATA_NEW);
    assert_int_equal(the_chip.flash.misuses, 0);
    assert_string_equal(board_boot(), "ota_1");
}

static void a_repeat_is_answered_and_changes_nothing(void **state)
{
    uint8_t other[8000];

    (void)state;
    memset(other, 0, sizeof(other));
    begin();
    send(0, 8000, SIZE);

    const uint64_t operations = *the_chip.flash.operations;

    CHECK_CODE(ota_device_write(4000, SIZE, other, 4000), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(0, SIZE, other, 8000), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(7999, SIZE, other, 1), OTA_DEVICE_DONE);
    assert_int_equal(*the_chip.flash.operations, operations);
    assert_int_equal(ota_device_next(), 8000);
    send(8000, SIZE, SIZE);
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE);
}

/* A host that sends up to three writes ahead, over a bus that loses some and repeats others. */
static void writes_ahead_over_a_bus_that_loses_and_repeats(void **state)
{
    enum { WINDOW = 3, CHUNK = 4000 };
    uint32_t lost = 0, refused = 0, noise = 7;

    (void)state;
    begin();
    while (ota_device_next() < SIZE) {
        const uint32_t base = ota_device_next();

        for (uint32_t i = 0; i < WINDOW && base + i * CHUNK < SIZE; i++) {
            const uint32_t at = base + i * CHUNK;
            const uint32_t n = SIZE - at < CHUNK ? SIZE - at : CHUNK;
            const unsigned fate = noise_below(&noise, 4);

            for (unsigned times = fate < 2 ? 1 : fate == 2 ? 0 : 2; times > 0; times--) {
                const bool fits = at <= ota_device_next();

                CHECK_CODE(ota_device_write(at, SIZE, s_image + at, n),
                           fits ? OTA_DEVICE_DONE : OTA_DEVICE_WRONG_OFFSET);
                refused += !fits;
            }
            lost += fate == 2;
        }
    }
    assert_true(lost > 3 && refused > 3);
    assert_int_equal(the_chip.flash.misuses, 0);
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE);
    assert_memory_equal(board_partition("ota_1"), s_image, SIZE);
}

static void what_fits_nowhere_is_a_wrong_offset(void **state)
{
    static const struct {
        uint32_t offset;
        size_t len;
    } cases[] = {
        {7999, 2},                        /* half of it was taken */
        {0, 8001},          {8001, 4000}, /* a gap that begins and ends within a sector */
        {2 * SECTOR, 4000},               /* that begins within one */
        {3 * SECTOR, 4000},
    };

    (void)state;
    begin();
    send(0, 8000, 8000);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CHECK_CODE(ota_device_write(cases[i].offset, SIZE, s_image, cases[i].len),
                   OTA_DEVICE_WRONG_OFFSET);
        assert_int_equal(ota_device_next(), 8000);
    }
    CHECK_CODE(ota_device_write(8000, SIZE, s_image, 0), OTA_DEVICE_NOT_UNDERSTOOD);
    CHECK_CODE(ota_device_write(8000, 0, s_image + 8000, 2 * SECTOR - 8000), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(3 * SECTOR + 1, SIZE, s_image, 1), OTA_DEVICE_WRONG_OFFSET);
    CHECK_CODE(ota_device_write(3 * SECTOR, SIZE, s_image, 1), OTA_DEVICE_DONE);
}

static void numbers_do_not_wrap_round(void **state)
{
    static const uint32_t offsets[] = {SLOT, SLOT - 3999, 0xfffffff0, 0xfffff000, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(offsets); i++) {
        begin();
        CHECK_CODE(ota_device_write(offsets[i], 0xffffffff, s_image, 4000), OTA_DEVICE_TOO_LARGE);
        CHECK_CODE(ota_device_write(0, SIZE, s_image, 4000), OTA_DEVICE_NO_SESSION);
    }
    begin();
    CHECK_CODE(ota_device_write(0, 0xffffffff, s_image, 4000), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(4000, 0, s_image + 4000, 4000), OTA_DEVICE_DONE);
    assert_int_equal(the_chip.flash.misuses, 0);
}

/* Which sectors are no longer what they were: '1' for each. */
static void check_erased(const char *slot, const char *expected)
{
    const uint8_t *flash = board_partition(slot);

    for (size_t i = 0; expected[i] != '\0'; i++) {
        const uint8_t *at = flash + i * SECTOR;
        const bool is_old = at[0] == 0x5a && memcmp(at, at + 1, SECTOR - 1) == 0;

        if (is_old == (expected[i] == '1'))
            fail_msg("sector %zu", i);
    }
}

static void erases_no_further_than_the_image_follows(void **state)
{
    uint8_t *slot = board_partition("ota_1");

    (void)state;
    memset(slot, 0x5a, SLOT);
    begin();
    CHECK_CODE(ota_device_write(0, 100, s_image, 4000), OTA_DEVICE_DONE);
    check_erased("ota_1", "10000000000000000");
    CHECK_CODE(ota_device_write(4000, BLOCK, s_image + 4000, 4000), OTA_DEVICE_DONE);
    check_erased("ota_1", "11000000000000000");
    send(8000, BLOCK, BLOCK);
    check_erased("ota_1", "11111111111111110");
    CHECK_CODE(ota_device_write(BLOCK, 2 * BLOCK - SECTOR, s_image + BLOCK, 16), OTA_DEVICE_DONE);
    check_erased("ota_1", "111111111111111110000000000000000");
    send(BLOCK + 16, 2 * BLOCK, 2 * BLOCK);
    CHECK_CODE(ota_device_write(2 * BLOCK, 3 * BLOCK - SECTOR + 1, s_image + 2 * BLOCK, 16),
               OTA_DEVICE_DONE); /* rounded up it covers the block */
    check_erased("ota_1", "111111111111111111111111111111111111111111111111"
                          "0");
    send(2 * BLOCK + 16, SIZE, SIZE);
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE);
}

static void a_gap_keeps_its_sectors(void **state)
{
    uint8_t *slot = board_partition("ota_1");

    (void)state;
    memset(slot, 0xff, SLOT);
    memcpy(slot, s_image, SIZE);
    slot[3 * SECTOR + 5] ^= 1;
    slot[2 * BLOCK] ^= 1;
    begin();

    const uint64_t before = *the_chip.flash.operations;

    CHECK_CODE(ota_device_write(3 * SECTOR, 4 * SECTOR, s_image + 3 * SECTOR, SECTOR),
               OTA_DEVICE_DONE);
    assert_int_equal(ota_device_next(), 4 * SECTOR);

    assert_int_equal(*the_chip.flash.operations - before, 1 + SECTOR / 256); /* one sector */
    CHECK_CODE(ota_device_write(2 * BLOCK, 2 * BLOCK + SECTOR, s_image + 2 * BLOCK, SECTOR),
               OTA_DEVICE_DONE);
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE); /* a gap up to its end */
    assert_memory_equal(slot, s_image, SIZE);
}

static void nothing_to_write_is_an_update_too(void **state)
{
    (void)state;
    memcpy(board_partition("ota_1"), s_image, SIZE);
    begin();
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE);
    assert_string_equal(board_boot(), "ota_1");
}

static void what_was_erased_ahead_is_no_gap(void **state)
{
    (void)state;
    memcpy(board_partition("ota_1"), s_image, SIZE);
    begin();
    CHECK_CODE(ota_device_write(0, BLOCK, s_image, SECTOR), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(2 * SECTOR, BLOCK, s_image + 2 * SECTOR, SECTOR),
               OTA_DEVICE_WRONG_OFFSET);
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_TOO_SHORT);
    CHECK_CODE(ota_device_write(BLOCK, BLOCK + 1, s_image + BLOCK, SECTOR), OTA_DEVICE_DONE);
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_WRONG_DIGEST);
    assert_string_equal(board_boot(), "ota_0");
}

static void end_knows_how_long_the_image_is(void **state)
{
    (void)state;
    begin();
    CHECK_CODE(end_with(0, NULL), OTA_DEVICE_TOO_SHORT); /* nothing is there */
    send(0, 8000, SIZE);
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_TOO_SHORT);
    CHECK_CODE(end_with(SLOT + 1, s_sha256), OTA_DEVICE_TOO_LARGE);
    CHECK_CODE(end_with(0xffffffff, s_sha256), OTA_DEVICE_TOO_LARGE);
    assert_int_equal(ota_device_next(), 8000); /* and the update is open still */
    send(8000, SIZE, SIZE);
    CHECK_CODE(ota_device_append("more", 4), OTA_DEVICE_DONE); /* as upstream's hosts do */
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE);
}

static void what_begin_said_counts_at_the_end(void **state)
{
    const struct ota_device_image image = {.size = SIZE, .sha256 = s_sha256};

    (void)state;
    CHECK_CODE(ota_device_begin(&image), OTA_DEVICE_DONE);
    send(0, 8000, 8000);
    CHECK_CODE(end_with(0, NULL), OTA_DEVICE_TOO_SHORT);
    s_image[SIZE - 1] ^= 1;
    send(8000, SIZE, SIZE);
    CHECK_CODE(end_with(0, NULL), OTA_DEVICE_WRONG_DIGEST);
    CHECK_CODE(end_with(0, NULL), OTA_DEVICE_NO_SESSION);
}

static void an_end_may_be_repeated(void **state)
{
    uint8_t other[32] = {1};

    (void)state;
    begin();
    send(0, SIZE, SIZE);
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE);

    const uint64_t operations = *the_chip.flash.operations;

    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE);
    CHECK_CODE(end_with(SIZE, other), OTA_DEVICE_RESTARTING);
    CHECK_CODE(end_with(SIZE, NULL), OTA_DEVICE_RESTARTING);
    CHECK_CODE(end_with(SIZE - 1, s_sha256), OTA_DEVICE_RESTARTING);
    CHECK_CODE(ota_device_end(NULL), OTA_DEVICE_RESTARTING);
    CHECK_CODE(ota_device_begin(NULL), OTA_DEVICE_RESTARTING);
    CHECK_CODE(ota_device_begin(&s_unknown), OTA_DEVICE_RESTARTING);
    CHECK_CODE(ota_device_rollback(), OTA_DEVICE_RESTARTING);
    CHECK_CODE(ota_device_confirm_version("1.0.0"), OTA_DEVICE_RESTARTING);
    CHECK_CODE(ota_device_write(0, 0, s_image, 1), OTA_DEVICE_NO_SESSION);
    assert_int_equal(*the_chip.flash.operations, operations);
}

static void end_then_wait(void *arg)
{
    begin();
    send(0, SIZE, SIZE);
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE);
    world_advance(*(const int64_t *)arg);
}

static void the_restart_comes_after_five_seconds(void **state)
{
    int64_t us = 4999999;

    (void)state;
    assert_int_equal(life_live(end_then_wait, &us), LIFE_DONE);
    us++;
    assert_int_equal(life_live(end_then_wait, &us), LIFE_RESTARTED);
}

static void refusals_come_before_anything_is_erased(void **state)
{
    static const uint8_t some[4000] = {0xe9};
    struct ota_device_image image = {
        .chip_id_known = true, .chip_id = CHIP_ESP32C3, .size = SLOT + 1};
    const uint64_t operations = *the_chip.flash.operations;

    (void)state;
    CHECK_CODE(ota_device_begin(&image), OTA_DEVICE_WRONG_CHIP); /* the first of two */
    image.chip_id = 0x10000;
    CHECK_CODE(ota_device_begin(&image), OTA_DEVICE_WRONG_CHIP);
    image.chip_id = CHIP_ESP32;
    CHECK_CODE(ota_device_begin(&image), OTA_DEVICE_TOO_LARGE);
    image.size = 0xffffffff;
    CHECK_CODE(ota_device_begin(&image), OTA_DEVICE_TOO_LARGE);
    CHECK_CODE(ota_device_write(0, 0, some, sizeof(some)), OTA_DEVICE_NO_SESSION);
    image.size = SLOT;
    CHECK_CODE(ota_device_begin(&image), OTA_DEVICE_DONE);
    CHECK_CODE(ota_device_write(0, SLOT, "no image", 8), OTA_DEVICE_NOT_AN_IMAGE);
    assert_int_equal(*the_chip.flash.operations, operations);
    CHECK_CODE(ota_device_write(0, SLOT, some, sizeof(some)), OTA_DEVICE_NO_SESSION);
}

static void check_digests(uint32_t offset, uint32_t block, uint32_t count, uint32_t end,
                          size_t expected)
{
    const uint8_t *slot = board_partition("ota_1");
    uint8_t digests[OTA_DEVICE_MAX_DIGESTS * 32];
    const uint32_t stop = end == 0 ? SLOT : end;
    size_t n = 0;

    CHECK_CODE(ota_device_digests(offset, block, count, end, digests, &n), OTA_DEVICE_DONE);
    assert_int_equal(n, expected);
    for (size_t i = 0; i < n; i++) {
        const uint32_t at = offset + (uint32_t)i * block;
        uint8_t digest[32];

        SHA256(slot + at, stop - at < block ? stop - at : block, digest);
        assert_memory_equal(digests + i * 32, digest, 32);
    }
}

static void digests_are_of_what_is_in_flash(void **state)
{
    (void)state;
    const uint64_t operations = *the_chip.flash.operations;

    memcpy(board_partition("ota_1"), s_image, SIZE);
    begin();
    check_digests(0, BLOCK, 4, SIZE, 4);
    check_digests(0, BLOCK, 64, SIZE, 4); /* the last one is short */
    check_digests(0, BLOCK, 64, 0, 16);   /* no more than 1 MiB at once */
    check_digests(16 * BLOCK, BLOCK, 64, 0, 12);
    check_digests(0, SECTOR, 64, SIZE, 49);
    check_digests(0, SECTOR, 64, 0, 64);
    check_digests(48 * SECTOR, SECTOR, 1, 0, 1);
    check_digests(48 * SECTOR, SECTOR, 64, 48 * SECTOR + 1, 1);
    check_digests(SLOT - SECTOR, SECTOR, 64, 0, 1);
    assert_int_equal(*the_chip.flash.operations, operations);
    assert_true(ota_device_is_open());
}

static void digests_that_make_no_sense(void **state)
{
    static const struct {
        uint32_t offset, block, count, end;
        enum ota_device_code code;
    } cases[] = {
        {0, 0, 1, 0, OTA_DEVICE_NOT_UNDERSTOOD},
        {0, 8192, 1, 0, OTA_DEVICE_NOT_UNDERSTOOD},
        {SECTOR, BLOCK, 1, 0, OTA_DEVICE_NOT_UNDERSTOOD},
        {1, SECTOR, 1, 0, OTA_DEVICE_NOT_UNDERSTOOD},
        {0, SECTOR, 0, 0, OTA_DEVICE_NOT_UNDERSTOOD},
        {0, SECTOR, 65, 0, OTA_DEVICE_NOT_UNDERSTOOD},
        {0, SECTOR, 0xffffffff, 0, OTA_DEVICE_NOT_UNDERSTOOD},
        {SLOT, SECTOR, 1, 0, OTA_DEVICE_NOT_UNDERSTOOD},
        {0xffff0000, BLOCK, 64, 0, OTA_DEVICE_NOT_UNDERSTOOD},
        {SECTOR, SECTOR, 1, SECTOR, OTA_DEVICE_NOT_UNDERSTOOD},
        {0, SECTOR, 1, SLOT + 1, OTA_DEVICE_TOO_LARGE},
        {0, SECTOR, 1, 0xffffffff, OTA_DEVICE_TOO_LARGE},
    };
    uint8_t digests[OTA_DEVICE_MAX_DIGESTS * 32];
    size_t n;

    (void)state;
    CHECK_CODE(ota_device_digests(0, SECTOR, 1, 0, digests, &n), OTA_DEVICE_NO_SESSION);
    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CHECK_CODE(ota_device_digests(cases[i].offset, cases[i].block, cases[i].count, cases[i].end,
                                      digests, &n),
                   cases[i].code);
        assert_true(ota_device_is_open());
    }
}

static void silence_for_a_minute_ends_a_session(void **state)
{
    (void)state;
    begin();
    world_advance(59999999);
    ota_device_tick();
    assert_true(ota_device_is_open());
    send(0, 4000, SIZE);
    world_advance(59999999);
    ota_device_tick();
    assert_true(ota_device_is_open());
    world_advance(1);
    ota_device_tick();
    assert_false(ota_device_is_open());
    CHECK_CODE(ota_device_write(4000, SIZE, s_image + 4000, 4000), OTA_DEVICE_NO_SESSION);
}

static void check_fault(enum flash_fault_kind kind, uint32_t offset, enum ota_device_code code,
                        uint32_t address)
{
    const uint32_t base = 0x1d0000;
    struct flash_fault fault = {.kind = kind, .at = base + offset};
    enum ota_device_code got = OTA_DEVICE_DONE;

    memset(board_partition("ota_1"), 0xff, SLOT);
    flash_set_faults(&the_chip.flash, &fault, 1);
    begin();
    for (uint32_t at = 0; at < SIZE && got == OTA_DEVICE_DONE; at += 4000)
        got = ota_device_write(at, SIZE, s_image + at, SIZE - at < 4000 ? SIZE - at : 4000);
    CHECK_CODE(got, code);
    assert_int_equal(ota_device_last_fault()->address, base + address);
    assert_false(ota_device_is_open());
    assert_string_equal(board_boot(), "ota_0");
    flash_set_faults(&the_chip.flash, NULL, 0);
}

static uint32_t byte_with_low_bit(uint32_t from, unsigned bit)
{
    while ((s_image[from] & 1) != bit)
        from++;
    return from;
}

static void a_broken_flash_is_told_with_its_address(void **state)
{
    const uint32_t one = byte_with_low_bit(70001, 1);
    const uint32_t zero = byte_with_low_bit(9001, 0);

    (void)state;
    check_fault(FLASH_STUCK_AT_0, one, OTA_DEVICE_FLASH_DIFFERS, one);
    check_fault(FLASH_STUCK_AT_1, zero, OTA_DEVICE_FLASH_DIFFERS, zero);
    check_fault(FLASH_ERASE_FAILS, 70000, OTA_DEVICE_ERASE_FAILED, BLOCK);
    check_fault(FLASH_PROGRAM_FAILS, 0, OTA_DEVICE_PROGRAM_FAILED, 0);
    assert_int_equal(ota_device_last_fault()->esp_err != ESP_OK, 1);
}

/* The record of a rollback is of other bytes, once they are erased. */
static void a_new_image_does_not_inherit_a_rollback(void **state)
{
    (void)state;
    begin();
    send(0, SIZE, SIZE);
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(board_slot_state("ota_1"), OTADATA_ABORTED);
}

static void after_a_rollback(void *arg)
{
    (void)arg;
    begin();
    assert_int_equal(board_slot_state("ota_1"), OTADATA_ABORTED); /* not before the first erase */
    send(0, 4000, SIZE);
    assert_int_equal(board_slot_state("ota_1"), -1);
    assert_string_equal(board_boot(), "ota_0");
}

static void update_life(void *arg)
{
    a_new_image_does_not_inherit_a_rollback(arg);
}

static void a_rollback_is_forgotten_at_the_first_erase(void **state)
{
    (void)state;
    assert_int_equal(life_live(update_life, NULL), LIFE_DONE);
    board_boot();
    assert_int_equal(life_live(after_a_rollback, NULL), LIFE_DONE);
}

static void select_then_spoil(void *arg)
{
    (void)arg;
    begin();
    send(0, SIZE, SIZE);
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE);
    board_partition("ota_1")[100]++;
    assert_string_equal(board_boot(), "ota_0");
}

static void update_again(void *arg)
{
    const uint8_t *otadata = board_partition("otadata");
    uint32_t first, second;

    (void)arg;
    begin();
    assert_int_equal(board_slot_state("ota_0"), OTADATA_VALID);
    board_partition("ota_1")[100]--;
    CHECK_CODE(end_with(SIZE, s_sha256), OTA_DEVICE_DONE);
    memcpy(&first, otadata, 4);
    memcpy(&second, otadata + SECTOR, 4);
    assert_int_not_equal(first, second);
}

/* Else the next selection would repeat the number of the image that did not boot. */
static void after_a_fallback_the_trial_is_not_lost(void **state)
{
    (void)state;
    assert_int_equal(life_live(select_then_spoil, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(life_live(update_again, NULL), LIFE_DONE);
    assert_string_equal(board_boot(), "ota_1");
    assert_int_equal(board_slot_state("ota_1"), OTADATA_PENDING_VERIFY);
    assert_string_equal(board_boot(), "ota_0");
    assert_int_equal(board_slot_state("ota_1"), OTADATA_ABORTED);
}

static void begin_with_a_cut(void *arg)
{
    the_chip.flash.cut_at = *the_chip.flash.operations + *(const uint64_t *)arg;
    begin();
}

static void power_that_goes_while_the_running_slot_is_selected_again(void **state)
{
    uint8_t *before = malloc(BOARD_FLASH_BYTES);
    bool cut_off = true;

    (void)state;
    the_chip.rollback = false; /* a boot loader that leaves the record of what did not boot */
    assert_int_equal(life_live(select_then_spoil, NULL), LIFE_DONE);
    memcpy(before, the_chip.flash.bytes, BOARD_FLASH_BYTES);
    for (uint64_t operation = 1; cut_off; operation++) {
        for (enum flash_cut cut = FLASH_CUT_BEFORE; cut <= FLASH_CUT_DONE; cut++) {
            memcpy(the_chip.flash.bytes, before, BOARD_FLASH_BYTES);
            assert_string_equal(board_boot(), "ota_0");
            the_chip.flash.cut = cut;
            cut_off = life_live(begin_with_a_cut, &operation) == LIFE_POWER_CUT;
            assert_string_equal(board_boot(), "ota_0");
        }
        assert_true(operation < 10);
    }
    free(before);
}

static void one_slot(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, "otadata, data, ota,   0xd000,  8K\n"
                           "ota_0,   app,  ota_0, 0x10000, 1M\n");
    CHECK_CODE(ota_device_begin(&s_unknown), OTA_DEVICE_NO_SLOT);
}

/* One step of a host that has lost its wits. */
static void random_step(uint32_t *noise, uint8_t *image, uint32_t size, const uint8_t sha256[32],
                        bool *ret_done)
{
    static const uint32_t steps[] = {0, 1, 16, 255, 4000, 4096, 8192, 65536, 0xfffffff0};
    const uint32_t near = ota_device_next() + steps[noise_below(noise, COUNT_OF(steps))];
    const uint32_t offset = noise_below(noise, 16) == 0 ? near : ota_device_next();
    const uint32_t len = steps[noise_below(noise, 7)];
    uint8_t digests[OTA_DEVICE_MAX_DIGESTS * 32];
    size_t n;

    *ret_done = false;
    switch (noise_below(noise, 100)) {
    case 0:
        ota_device_begin(&(struct ota_device_image){.size = noise_below(noise, 2) * size});
        break;
    case 1:
        *ret_done = end_with(size, sha256) == OTA_DEVICE_DONE;
        break;
    case 2:
        ota_device_abort();
        break;
    case 3:
        ota_device_digests(offset & ~4095u, SECTOR, noise_below(noise, 70), 0, digests, &n);
        break;
    default:
        if (offset < size) /* the image's own bytes, or an end could never succeed */
            ota_device_write(offset, noise_next(noise) % (2 * size), image + offset,
                             len < size - offset ? len : size - offset);
        else
            ota_device_write(offset, offset - len, image, len);
        break;
    }
}

#define SMALL_SIZE 0x1c000u

static void live_randomly(void *arg)
{
    uint8_t *image = test_image(CHIP_ESP32, SMALL_SIZE, true);
    uint32_t noise = *(const uint32_t *)arg;
    uint8_t sha256[32];
    bool done = false;

    SHA256(image, SMALL_SIZE, sha256);
    for (int i = 0; i < 100000 && !done; i++)
        random_step(&noise, image, SMALL_SIZE, sha256, &done);
    assert_true(done);
    assert_memory_equal(board_partition("ota_1"), image, SMALL_SIZE);
    assert_int_equal(the_chip.flash.misuses, 0);
    free(image);
}

/* Whatever comes: the running slot and what is beside the slots stay, and DONE at the end means
 * that the slot holds the image. */
static void random_sequences_do_no_harm(void **state)
{
    uint8_t *before = malloc(BOARD_FLASH_BYTES);

    (void)state;
    board_make(CHIP_ESP32, s_small_slots);
    memcpy(before, the_chip.flash.bytes, BOARD_FLASH_BYTES);
    for (uint32_t seed = 1; seed <= 10; seed++) {
        memcpy(the_chip.flash.bytes, before, BOARD_FLASH_BYTES);
        assert_string_equal(board_boot(), "ota_0");
        assert_int_equal(life_live(live_randomly, &seed), LIFE_DONE);
        assert_memory_equal(the_chip.flash.bytes + 0x10000, before + 0x10000, 0x20000);
        assert_memory_equal(the_chip.flash.bytes + 0x50000, before + 0x50000, 0x10000);
    }
    free(before);
}

#define ON_A_BOARD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_BOARD(an_update_by_offsets),
        ON_A_BOARD(a_repeat_is_answered_and_changes_nothing),
        ON_A_BOARD(writes_ahead_over_a_bus_that_loses_and_repeats),
        ON_A_BOARD(what_fits_nowhere_is_a_wrong_offset),
        ON_A_BOARD(numbers_do_not_wrap_round),
        ON_A_BOARD(erases_no_further_than_the_image_follows),
        ON_A_BOARD(a_gap_keeps_its_sectors),
        ON_A_BOARD(nothing_to_write_is_an_update_too),
        ON_A_BOARD(what_was_erased_ahead_is_no_gap),
        ON_A_BOARD(end_knows_how_long_the_image_is),
        ON_A_BOARD(what_begin_said_counts_at_the_end),
        ON_A_BOARD(an_end_may_be_repeated),
        ON_A_BOARD(the_restart_comes_after_five_seconds),
        ON_A_BOARD(refusals_come_before_anything_is_erased),
        ON_A_BOARD(digests_are_of_what_is_in_flash),
        ON_A_BOARD(digests_that_make_no_sense),
        ON_A_BOARD(silence_for_a_minute_ends_a_session),
        ON_A_BOARD(a_broken_flash_is_told_with_its_address),
        ON_A_BOARD(a_new_image_does_not_inherit_a_rollback),
        ON_A_BOARD(a_rollback_is_forgotten_at_the_first_erase),
        ON_A_BOARD(after_a_fallback_the_trial_is_not_lost),
        ON_A_BOARD(power_that_goes_while_the_running_slot_is_selected_again),
        cmocka_unit_test(one_slot),
        cmocka_unit_test(random_sequences_do_no_harm),
    };

    return LIVES_RUN(tests);
}
