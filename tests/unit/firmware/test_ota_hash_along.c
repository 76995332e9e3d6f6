/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of the image is made while the update goes on, of what lies in flash: `end` reads only
 * what is missing, and says the same as if it read it all. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "chip_time.h"
#include "esp_ota_ops.h"
#include "life.h"
#include "mbedtls/sha256.h"
#include "ota_device.h"
#include "otadata.h"
#include "test_image.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SECTOR          4096u
#define MIB             (1024u * 1024)
#define BEHIND          5u /* bytes behind the image, as of a signature: its end fills no unit */
#define SIZE            (200000u + BEHIND)
#define LARGE           (1500u * 1024 + BEHIND)

#define CHECK_CODE(call, expected) assert_int_equal((call), (expected))

static const struct ota_device_image s_unknown;

static uint8_t *s_image;
static uint8_t s_sha256[32];

static size_t s_hashed;        /* bytes, by the update and by ESP-IDF's verification */
static size_t s_hashed_by_cpu; /* of these: another hash had the SHA engine */

static void count(void *ctx, enum flash_work work, size_t bytes)
{
    (void)ctx;
    if (work == FLASH_HASH || work == FLASH_HASH_BY_CPU)
        s_hashed += bytes;
    if (work == FLASH_HASH_BY_CPU)
        s_hashed_by_cpu += bytes;
}

/* The linker's names (--wrap): hashes in progress, any of which may hold the SHA engine. */
static const void *s_held[2];

static size_t held(void)
{
    return (s_held[0] != NULL) + (s_held[1] != NULL);
}

static int s_fail_update; /* the library fails at the n-th update from now on; 0: never */

int __real_mbedtls_sha256_starts(mbedtls_sha256_context *ctx, int is224);
int __wrap_mbedtls_sha256_starts(mbedtls_sha256_context *ctx, int is224);
int __real_mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *data, size_t n);
int __wrap_mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *data, size_t n);
void __real_mbedtls_sha256_free(mbedtls_sha256_context *ctx);
void __wrap_mbedtls_sha256_free(mbedtls_sha256_context *ctx);
esp_err_t __real_esp_ota_set_boot_partition(const esp_partition_t *partition);
esp_err_t __wrap_esp_ota_set_boot_partition(const esp_partition_t *partition);

int __wrap_mbedtls_sha256_starts(mbedtls_sha256_context *ctx, int is224)
{
    assert_true(ctx != s_held[0] && ctx != s_held[1]);
    assert_true(held() < COUNT_OF(s_held));
    s_held[s_held[0] != NULL] = ctx;
    return __real_mbedtls_sha256_starts(ctx, is224);
}

int __wrap_mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *data, size_t n)
{
    assert_true(ctx == s_held[0] || ctx == s_held[1]);
    if (s_fail_update > 0 && --s_fail_update == 0)
        return -1;
    return __real_mbedtls_sha256_update(ctx, data, n);
}

void __wrap_mbedtls_sha256_free(mbedtls_sha256_context *ctx)
{
    for (size_t i = 0; i < COUNT_OF(s_held); i++) {
        if (s_held[i] == ctx)
            s_held[i] = NULL;
    }
    __real_mbedtls_sha256_free(ctx);
}

/* ESP-IDF verifies the image in here, and is to have the engine for it. */
esp_err_t __wrap_esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    assert_int_equal(held(), 0);
    return __real_esp_ota_set_boot_partition(partition);
}

static void make(uint32_t size)
{
    uint8_t *image = test_image(CHIP_ESP32, size - BEHIND, true);

    free(s_image);
    s_image = calloc(1, size);
    assert_non_null(s_image);
    memcpy(s_image, image, size - BEHIND);
    free(image);
    SHA256(s_image, size, s_sha256);
}

static int setup(void **state)
{
    (void)state;
    board_make(CHIP_ESP32, board_two_slots);
    make(SIZE);
    the_chip.flash.spent = count;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(s_image);
    s_image = NULL;
    return 0;
}

static void begin(void)
{
    CHECK_CODE(ota_device_begin(&s_unknown), OTA_DEVICE_DONE);
    s_hashed = 0;
}

static void send(uint32_t from, uint32_t to)
{
    const uint32_t run_end = to;

    for (uint32_t n; from < to; from += n) {
        n = to - from < 4001 ? to - from : 4001;
        CHECK_CODE(ota_device_write(from, run_end, s_image + from, n), OTA_DEVICE_DONE);
    }
}

static enum ota_device_code end_with(uint32_t size)
{
    return ota_device_end(&(struct ota_device_end){.size = size, .sha256 = s_sha256});
}

/* The update ends well, and `end` hashes `missing` bytes and what ESP-IDF verifies. */
static void check_end(uint32_t size, uint32_t missing)
{
    s_hashed = 0;
    CHECK_CODE(end_with(size), OTA_DEVICE_DONE);
    assert_int_equal(s_hashed, missing + size - BEHIND - 32); /* its own digest is in its end */
    assert_int_equal(held(), 0);
    assert_memory_equal(board_partition("ota_1"), s_image, size);
    assert_int_equal(board_slot_state("ota_1"), OTADATA_NEW);
    assert_int_equal(the_chip.flash.misuses, 0);
}

static void what_is_programmed_is_hashed(void **state)
{
    (void)state;
    begin();
    assert_int_equal(held(), 0); /* the host's digests have the engine */
    send(0, SIZE);
    assert_int_equal(s_hashed, SIZE - SIZE % 16);
    assert_int_equal(held(), 1);
    check_end(SIZE, SIZE % 16);
}

static void repeats_are_not_hashed(void **state)
{
    static const uint8_t other[8000] = {1};

    (void)state;
    begin();
    send(0, 8000);
    CHECK_CODE(ota_device_write(0, SIZE, other, 8000), OTA_DEVICE_DONE);
    send(8000, 100000);
    CHECK_CODE(ota_device_write(4000, SIZE, other, 4000), OTA_DEVICE_DONE);
    send(100000, SIZE);
    CHECK_CODE(ota_device_write(SIZE - 1, SIZE, other, 1), OTA_DEVICE_DONE);
    check_end(SIZE, SIZE % 16);
}

/* The slot has that image already, but for the sectors that are sent. */
static void keep(uint32_t size)
{
    memset(board_partition("ota_1"), 0xff, board_partition_size("ota_1"));
    memcpy(board_partition("ota_1"), s_image, size);
}

static void what_is_skipped_is_hashed_in_order(void **state)
{
    (void)state;
    keep(SIZE);
    memset(board_partition("ota_1") + 3 * SECTOR, 0x5a, 2 * SECTOR);
    memset(board_partition("ota_1") + 9 * SECTOR, 0x5a, SECTOR);
    begin();
    send(3 * SECTOR, 5 * SECTOR);
    assert_int_equal(s_hashed, 5 * SECTOR);
    send(9 * SECTOR, 10 * SECTOR);
    assert_int_equal(s_hashed, 10 * SECTOR);
    check_end(SIZE, SIZE - 10 * SECTOR);
}

static void what_is_skipped_counts(void **state)
{
    (void)state;
    keep(SIZE);
    board_partition("ota_1")[SECTOR + 7] ^= 1;
    begin();
    send(3 * SECTOR, 5 * SECTOR);
    CHECK_CODE(end_with(SIZE), OTA_DEVICE_WRONG_DIGEST);
    assert_int_equal(held(), 0);
    assert_string_equal(board_boot(), "ota_0");
}

/* No write takes longer than a host waits. */
static void a_long_gap_is_left_to_the_end(void **state)
{
    (void)state;
    make(LARGE);
    keep(LARGE);
    begin();
    send(0, SECTOR);
    send(MIB + 2 * SECTOR, MIB + 4 * SECTOR);
    assert_int_equal(s_hashed, SECTOR);
    check_end(LARGE, LARGE - SECTOR);
}

static void a_shorter_end_reads_it_all(void **state)
{
    uint8_t behind[2 * SECTOR - BEHIND]; /* its end fills a unit */

    (void)state;
    memset(behind, 0x5a, sizeof(behind));
    begin();
    send(0, SIZE);
    CHECK_CODE(ota_device_write(SIZE, 0, behind, sizeof(behind)), OTA_DEVICE_DONE);
    check_end(SIZE, SIZE);
}

static void an_end_that_came_too_early_stops_nothing(void **state)
{
    (void)state;
    begin();
    send(0, 100000);
    CHECK_CODE(end_with(SIZE), OTA_DEVICE_TOO_SHORT);
    send(100000, SIZE);
    check_end(SIZE, SIZE % 16);
}

static void a_skipped_sector_that_cannot_be_read(void **state)
{
    const uint32_t at = board_address("ota_1");

    (void)state;
    begin();
    send(0, SECTOR);
    board_break(FLASH_READ_FAILS, at + 3 * SECTOR + 5);
    CHECK_CODE(ota_device_write(8 * SECTOR, 0, s_image, SECTOR), OTA_DEVICE_READ_FAILED);
    assert_int_equal(ota_device_last_fault()->address, at + 3 * SECTOR);
    assert_false(ota_device_is_open());
    assert_int_equal(held(), 0);
    assert_string_equal(board_boot(), "ota_0");
}

static void digests_meanwhile_disturb_nothing(void **state)
{
    uint8_t digests[2 * 32], expected[32];
    size_t n = 0;

    (void)state;
    begin();
    send(0, 100000);
    CHECK_CODE(ota_device_digests(SECTOR, SECTOR, 2, 0, digests, &n), OTA_DEVICE_DONE);
    assert_int_equal(n, 2);
    SHA256(s_image + 2 * SECTOR, SECTOR, expected);
    assert_memory_equal(digests + 32, expected, 32);
    assert_int_equal(held(), 1);
    send(100000, SIZE);
    check_end(SIZE, SIZE % 16);
}

static void ask(uint32_t sectors)
{
    uint8_t digests[64 * 32];
    size_t n = 0;

    assert_true(sectors <= 64);
    CHECK_CODE(ota_device_digests(0, SECTOR, sectors, SIZE, digests, &n), OTA_DEVICE_DONE);
    assert_int_equal(n, sectors < SIZE / SECTOR + 1 ? sectors : SIZE / SECTOR + 1);
}

/* On an ESP32 the hash that runs along has the SHA engine: a few digests are made by the CPU. */
static void a_few_digests_wait_for_the_cpu(void **state)
{
    (void)state;
    begin();
    send(0, 100000);
    s_hashed_by_cpu = 0;
    ask(16);
    assert_int_equal(s_hashed_by_cpu, 16 * SECTOR);
    assert_int_equal(held(), 1);
    send(100000, SIZE);
    check_end(SIZE, SIZE % 16);
}

/* Many have it, whenever they are asked for, and then `end` has it to read all. */
static void many_digests_have_the_engine(void **state)
{
    (void)state;
    s_hashed_by_cpu = 0;
    begin();
    ask(17); /* nothing runs yet */
    send(0, 100000);
    assert_int_equal(held(), 1);
    ask(17);
    assert_int_equal(held(), 0);
    send(100000, SIZE);
    ask(64);
    check_end(SIZE, SIZE);
    assert_int_equal(s_hashed_by_cpu, 0);
}

static void a_library_that_fails_costs_time_only(void **state)
{
    (void)state;
    begin();
    send(0, 100000);
    s_fail_update = 3;
    send(100000, SIZE);
    assert_int_equal(s_fail_update, 0);
    assert_int_equal(held(), 0);
    check_end(SIZE, SIZE);
}

static void a_library_that_fails_at_a_gap(void **state)
{
    (void)state;
    keep(SIZE);
    begin();
    s_fail_update = 2;
    send(3 * SECTOR, 5 * SECTOR);
    assert_int_equal(held(), 0);
    check_end(SIZE, SIZE);
}

static void a_library_that_fails_at_the_end(void **state)
{
    (void)state;
    keep(SIZE);
    begin();
    send(0, SECTOR);
    s_fail_update = 2;
    CHECK_CODE(end_with(SIZE), OTA_DEVICE_DONE); /* read once more */
    assert_int_equal(held(), 0);
}

/* However an update is left, the engine is free. */
static void who_leaves_lets_go(void **state)
{
    (void)state;
    begin();
    send(0, SECTOR);
    assert_int_equal(held(), 1);
    ota_device_abort();
    assert_int_equal(held(), 0);

    begin();
    send(0, SECTOR);
    begin();
    assert_int_equal(held(), 0);

    send(0, SECTOR);
    world_advance(60000000);
    ota_device_tick();
    assert_int_equal(held(), 0);

    begin();
    send(0, SECTOR);
    CHECK_CODE(ota_device_write(0xfffff000, 0, s_image, SECTOR), OTA_DEVICE_TOO_LARGE);
    assert_int_equal(held(), 0);
}

/* Nobody gives a digest: what was hashed is dropped before ESP-IDF verifies. */
static void an_end_without_a_digest(void **state)
{
    (void)state;
    begin();
    send(0, SIZE);
    CHECK_CODE(ota_device_end(&(struct ota_device_end){.size = SIZE}), OTA_DEVICE_DONE);
    assert_int_equal(held(), 0);
    assert_string_equal(board_boot(), "ota_1");
}

static void nothing_is_hashed_for_a_stock_host(void **state)
{
    (void)state;
    CHECK_CODE(ota_device_begin(NULL), OTA_DEVICE_DONE);
    s_hashed = 0;
    CHECK_CODE(ota_device_append(s_image, SIZE), OTA_DEVICE_DONE);
    assert_int_equal(s_hashed, 0);
    CHECK_CODE(ota_device_end(NULL), OTA_DEVICE_DONE);
}

#define ON_A_BOARD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_BOARD(what_is_programmed_is_hashed),
        ON_A_BOARD(repeats_are_not_hashed),
        ON_A_BOARD(what_is_skipped_is_hashed_in_order),
        ON_A_BOARD(what_is_skipped_counts),
        ON_A_BOARD(a_long_gap_is_left_to_the_end),
        ON_A_BOARD(a_shorter_end_reads_it_all),
        ON_A_BOARD(an_end_that_came_too_early_stops_nothing),
        ON_A_BOARD(a_skipped_sector_that_cannot_be_read),
        ON_A_BOARD(digests_meanwhile_disturb_nothing),
        ON_A_BOARD(a_few_digests_wait_for_the_cpu),
        ON_A_BOARD(many_digests_have_the_engine),
        ON_A_BOARD(a_library_that_fails_costs_time_only),
        ON_A_BOARD(a_library_that_fails_at_a_gap),
        ON_A_BOARD(a_library_that_fails_at_the_end),
        ON_A_BOARD(who_leaves_lets_go),
        ON_A_BOARD(an_end_without_a_digest),
        ON_A_BOARD(nothing_is_hashed_for_a_stock_host),
    };

    return LIVES_RUN(tests);
}
