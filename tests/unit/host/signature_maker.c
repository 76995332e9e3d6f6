/* SPDX-License-Identifier: Apache-2.0 */
#include "signature_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static BIGNUM *number_of(const EVP_PKEY *key, const char *name)
{
    BIGNUM *number = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    return number;
}

static void put_number(uint8_t *to, int len, const BIGNUM *number)
{
    assert_int_equal(BN_bn2lebinpad(number, to, len), len);
}

static size_t sign(EVP_PKEY *key, const uint8_t digest[32], uint8_t *to, size_t room)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32), 1);
    }
    assert_int_equal(EVP_PKEY_sign(ctx, to, &room, digest, 32), 1);
    EVP_PKEY_CTX_free(ctx);
    return room;
}

static void put_rsa(uint8_t *block, EVP_PKEY *key, const uint8_t digest[32])
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = number_of(key, OSSL_PKEY_PARAM_RSA_N), *e = number_of(key, OSSL_PKEY_PARAM_RSA_E);
    BIGNUM *power = BN_new(), *rest = BN_new(), *inverse = BN_new();
    uint8_t signature[384];

    put_number(block + 36, 384, n);
    put_number(block + 420, 4, e);
    BN_set_bit(power, 2 * 3072);
    BN_mod(rest, power, n, ctx);
    put_number(block + 424, 384, rest);
    BN_zero(power);
    BN_set_bit(power, 32);
    BN_mod_inverse(inverse, n, power, ctx);
    BN_sub(inverse, power, inverse);
    put_number(block + 808, 4, inverse);
    assert_int_equal(sign(key, digest, signature, sizeof(signature)), sizeof(signature));
    for (size_t i = 0; i < sizeof(signature); i++)
        block[812 + i] = signature[sizeof(signature) - 1 - i];
    BN_free(n);
    BN_free(e);
    BN_free(power);
    BN_free(rest);
    BN_free(inverse);
    BN_CTX_free(ctx);
}

static void put_p256(uint8_t *block, EVP_PKEY *key, const uint8_t digest[32])
{
    BIGNUM *x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X);
    BIGNUM *y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y);
    uint8_t der[80];
    const uint8_t *at = der;

    block[36] = 2; /* the curve */
    put_number(block + 37, 32, x);
    put_number(block + 69, 32, y);

    const size_t len = sign(key, digest, der, sizeof(der));
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);

    assert_non_null(pair);
    put_number(block + 101, 32, ECDSA_SIG_get0_r(pair));
    put_number(block + 133, 32, ECDSA_SIG_get0_s(pair));
    ECDSA_SIG_free(pair);
    BN_free(x);
    BN_free(y);
}

void signature_block(uint8_t block[BLOCK_BYTES], EVP_PKEY *key, const uint8_t digest[32])
{
    const bool is_rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;

    memset(block, 0, BLOCK_BYTES);
    block[0] = 0xe7;
    block[1] = is_rsa ? 2 : 3;
    memcpy(block + 4, digest, 32);
    if (is_rsa)
        put_rsa(block, key, digest);
    else
        put_p256(block, key, digest);
    signature_seal(block);
}

/* Bit by bit: the polynomial of the book, reflected. */
void signature_seal(uint8_t block[BLOCK_BYTES])
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < AT_CRC * (size_t)8; i++) {
        const uint32_t bit = (block[i / 8] >> i % 8 ^ crc) & 1;

        crc = crc >> 1 ^ (bit != 0 ? 0xedb88320 : 0);
    }
    crc = ~crc;
    for (int i = 0; i < 4; i++)
        block[AT_CRC + i] = (uint8_t)(crc >> 8 * i);
}

char *signature_public_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;

    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);

    const long len = BIO_get_mem_data(bio, &data);
    char *pem = strndup(data, (size_t)len);

    assert_non_null(pem);
    BIO_free(bio);
    return pem;
}
