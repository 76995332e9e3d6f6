/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of the chip, against published ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chip.h"
#include "esp_efuse.h"
#include "esp_idf_version.h"
#include "esp_rom_crc.h"
#include "mbedtls/sha256.h"
#include "psa/crypto.h"

/* FIPS 180-2, appendix B.1, and RFC 3874, section 3.1: both of "abc". */
static const uint8_t sha256_abc[32] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
static const uint8_t sha224_abc[28] = {0x23, 0x09, 0x7d, 0x22, 0x34, 0x05, 0xd8, 0x22, 0x86, 0x42,
                                       0xa4, 0x77, 0xbd, 0xa2, 0x55, 0xb3, 0x2a, 0xad, 0xbc, 0xe4,
                                       0xbd, 0xa0, 0xb3, 0xf7, 0xe3, 0x6c, 0x9d, 0xa7};

static void sha256_in_pieces_and_from_a_copy(void **state)
{
    mbedtls_sha256_context ctx, copy;
    uint8_t digest[32];

    (void)state;
    mbedtls_sha256_init(&ctx);
    mbedtls_sha256_init(&copy);
    assert_int_equal(mbedtls_sha256_starts(&ctx, 0), 0);
    assert_int_equal(mbedtls_sha256_update(&ctx, (const uint8_t *)"a", 1), 0);
    mbedtls_sha256_clone(&copy, &ctx);
    assert_int_equal(mbedtls_sha256_update(&ctx, (const uint8_t *)"x", 1), 0);
    assert_int_equal(mbedtls_sha256_update(&copy, (const uint8_t *)"bc", 2), 0);
    assert_int_equal(mbedtls_sha256_finish(&copy, digest), 0);
    assert_memory_equal(digest, sha256_abc, sizeof(sha256_abc));
    mbedtls_sha256_free(&ctx);
    mbedtls_sha256_free(&copy);
    mbedtls_sha256_free(NULL);
}

static void sha256_and_sha224_at_once(void **state)
{
    uint8_t digest[32];

    (void)state;
    assert_int_equal(mbedtls_sha256((const uint8_t *)"abc", 3, digest, 0), 0);
    assert_memory_equal(digest, sha256_abc, sizeof(sha256_abc));
    assert_int_equal(mbedtls_sha256((const uint8_t *)"abc", 3, digest, 1), 0);
    assert_memory_equal(digest, sha224_abc, sizeof(sha224_abc));
}

static size_t s_by_engine, s_by_cpu;

static void count(void *ctx, enum flash_work work, size_t bytes)
{
    (void)ctx;
    if (work == FLASH_HASH)
        s_by_engine += bytes;
    else if (work == FLASH_HASH_BY_CPU)
        s_by_cpu += bytes;
}

static void check_spent(size_t by_engine, size_t by_cpu)
{
    assert_int_equal(s_by_engine, by_engine);
    assert_int_equal(s_by_cpu, by_cpu);
    s_by_engine = s_by_cpu = 0;
}

static void update(mbedtls_sha256_context *ctx)
{
    static const uint8_t block[64];

    assert_int_equal(mbedtls_sha256_update(ctx, block, sizeof(block)), 0);
}

static void start(mbedtls_sha256_context *ctx)
{
    mbedtls_sha256_init(ctx);
    assert_int_equal(mbedtls_sha256_starts(ctx, 0), 0);
}

/* As ESP-IDF's mbedtls/port/sha has it for the ESP32, and for the others. */
static void the_first_hash_holds_the_engine_of_an_esp32(void **state)
{
    mbedtls_sha256_context first, second;
    uint8_t digest[32];

    (void)state;
    the_chip.model = chip_model_find(0);
    the_chip.flash.spent = count;
    start(&first);
    start(&second); /* this alone holds nothing */
    update(&second);
    update(&first);
    check_spent(64, 64);
    assert_int_equal(mbedtls_sha256_finish(&second, digest), 0);
    update(&first); /* it stays where it began */
    check_spent(0, 64);
    assert_int_equal(mbedtls_sha256_starts(&first, 0), 0);
    update(&first);
    mbedtls_sha256_clone(&second, &first);
    update(&second);
    check_spent(64, 64);
    mbedtls_sha256_free(&first);
    start(&second);
    update(&second);
    check_spent(64, 0);
    mbedtls_sha256_free(&second);

    the_chip.model = chip_model_find(5);
    start(&first);
    start(&second);
    update(&first);
    update(&second);
    check_spent(128, 0);
    mbedtls_sha256_free(&first);
    mbedtls_sha256_free(&second);
    the_chip.flash.spent = NULL;
}

static void psa_in_pieces_and_out_of_order(void **state)
{
    psa_hash_operation_t hash = psa_hash_operation_init();
    const uint8_t *const abc = (const uint8_t *)"abc";
    uint8_t digest[32];
    size_t len = 1;

    (void)state;
    assert_int_equal(psa_hash_setup(&hash, PSA_ALG_SHA_256), PSA_ERROR_BAD_STATE);
    assert_int_equal(psa_crypto_init(), PSA_SUCCESS);
    assert_int_equal(psa_hash_update(&hash, abc, 3), PSA_ERROR_BAD_STATE);
    assert_int_equal(psa_hash_finish(&hash, digest, 32, &len), PSA_ERROR_BAD_STATE);
    assert_int_equal(len, 0);
    assert_int_equal(psa_hash_setup(&hash, PSA_ALG_SHA_256 - 1), PSA_ERROR_NOT_SUPPORTED);
    assert_int_equal(psa_hash_setup(&hash, PSA_ALG_SHA_256), PSA_SUCCESS);
    assert_int_equal(psa_hash_setup(&hash, PSA_ALG_SHA_256), PSA_ERROR_BAD_STATE);
    assert_int_equal(psa_hash_update(&hash, abc, 3), PSA_ERROR_BAD_STATE); /* it was aborted */
    assert_int_equal(psa_hash_setup(&hash, PSA_ALG_SHA_256), PSA_SUCCESS);
    assert_int_equal(psa_hash_update(&hash, abc, 1), PSA_SUCCESS);
    assert_int_equal(psa_hash_update(&hash, abc + 1, 2), PSA_SUCCESS);
    assert_int_equal(psa_hash_finish(&hash, digest, 32, &len), PSA_SUCCESS);
    assert_int_equal(len, 32);
    assert_memory_equal(digest, sha256_abc, 32);
    assert_int_equal(psa_hash_setup(&hash, PSA_ALG_SHA_256), PSA_SUCCESS);
    assert_int_equal(psa_hash_finish(&hash, digest, 31, &len), PSA_ERROR_BUFFER_TOO_SMALL);
    assert_int_equal(psa_hash_abort(&hash), PSA_SUCCESS);
}

/* The check value of CRC-32/ISO-HDLC, also in two steps. */
static void crc32_as_the_rom(void **state)
{
    const uint8_t *const digits = (const uint8_t *)"123456789";

    (void)state;
    assert_int_equal(esp_rom_crc32_le(0, digits, 9), 0xcbf43926);
    assert_int_equal(esp_rom_crc32_le(esp_rom_crc32_le(0, digits, 4), digits + 4, 5), 0xcbf43926);
    assert_int_equal(esp_rom_crc32_le(4711, digits, 0), 4711);
}

static void the_secure_version_only_grows(void **state)
{
    uint32_t efuse = 0;

    (void)state;
    the_chip.secure_version = &efuse;
    assert_true(esp_efuse_check_secure_version(0));
    assert_int_equal(esp_efuse_update_secure_version(3), ESP_OK);
    assert_int_equal(esp_efuse_update_secure_version(3), ESP_OK);
    assert_int_equal(esp_efuse_update_secure_version(2), ESP_FAIL);
    assert_int_equal(esp_efuse_read_secure_version(), 3);
    assert_false(esp_efuse_check_secure_version(2));
    assert_true(esp_efuse_check_secure_version(3));
    assert_int_equal(esp_efuse_update_secure_version(17), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_efuse_read_secure_version(), 3);
    the_chip.secure_version = NULL;
}

static void versions_compare_as_numbers(void **state)
{
    (void)state;
    assert_true(ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 5, 0));
    assert_true(ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(6, 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_in_pieces_and_from_a_copy),
        cmocka_unit_test(sha256_and_sha224_at_once),
        cmocka_unit_test(crc32_as_the_rom),
        cmocka_unit_test(the_first_hash_holds_the_engine_of_an_esp32),
        cmocka_unit_test(psa_in_pieces_and_out_of_order),
        cmocka_unit_test(the_secure_version_only_grows),
        cmocka_unit_test(versions_compare_as_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
