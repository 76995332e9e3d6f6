/* SPDX-License-Identifier: Apache-2.0 */
#include "image_signature.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "fault.h"
#include "link.h"

/* A block; numbers in it are little endian. */
enum {
    BLOCKS = 3,
    BLOCK_BYTES = 1216,
    BLOCK_MAGIC = 0xe7,
    VERSION_RSA = 2,
    VERSION_ECDSA = 3,
    AT_VERSION = 1,
    AT_SHA = 2, /* ECDSA: which digest is signed */
    SHA_256 = 0,
    AT_DIGEST = 4,
    DIGEST_BYTES = 32,
    AT_KEY = 36, /* its bytes, and the signature right behind them */
    AT_CRC = 1196,
};

/* RSA: modulus, exponent, and two numbers that the chip's multiplier would else have to compute. */
enum {
    RSA_BITS = 3072,
    RSA_BYTES = RSA_BITS / 8,
    RSA_AT_EXPONENT = RSA_BYTES,
    RSA_AT_RINV = RSA_AT_EXPONENT + 4,
    RSA_AT_M = RSA_AT_RINV + RSA_BYTES,
    RSA_KEY_BYTES = RSA_AT_M + 4,
    RSA_SALT_BYTES = 32,
};

/* ECDSA: number of the curve and the point. */
enum {
    CURVE_P256 = 2,
    P256_BYTES = 32,
    P256_KEY_BYTES = 1 + 2 * P256_BYTES,
};

/* No PEM of a public key is longer, whatever words stand around it. */
#define PEM_BYTES ((size_t)16 * 1024)

/* A pipe whose writer says nothing must not hold up an update for ever. */
#define PEM_WAIT_MS 5000
#define PEM_POLL_MS 20

_Static_assert(RSA_KEY_BYTES == IMAGE_SIGNATURE_KEY_BYTES, "the longest key");
_Static_assert(AT_KEY + RSA_KEY_BYTES + RSA_BYTES == AT_CRC, "an RSA block is full");

static uint32_t get_le32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* The key */

static bool put_number(const EVP_PKEY *key, const char *name, uint8_t *to, int len)
{
    BIGNUM *number = NULL;
    const bool good =
        EVP_PKEY_get_bn_param(key, name, &number) == 1 && BN_bn2lebinpad(number, to, len) == len;

    BN_free(number);
    return good;
}

/* R^2 mod n, R = 2^3072: `modulus` and *to are little endian. */
static bool put_rinv(const uint8_t *modulus, uint8_t *to)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_lebin2bn(modulus, RSA_BYTES, NULL);
    BIGNUM *r = BN_new();
    const bool good = ctx != NULL && n != NULL && r != NULL && !BN_is_zero(n) &&
                      BN_set_bit(r, 2 * RSA_BITS) == 1 && BN_mod(r, r, n, ctx) == 1 &&
                      BN_bn2lebinpad(r, to, RSA_BYTES) == RSA_BYTES;

    BN_free(r);
    BN_free(n);
    BN_CTX_free(ctx);
    return good;
}

/* -1/n mod 2^32 of an odd n: each step of Newton's doubles the bits that are right, 3 at first. */
static uint32_t montgomery_m(uint32_t n)
{
    uint32_t inverse = n;

    for (int bits = 3; bits < 32; bits *= 2)
        inverse *= 2 - n * inverse;
    return 0u - inverse;
}

static bool take_rsa(struct image_signature_key *key)
{
    uint8_t *bytes = key->bytes;

    key->version = VERSION_RSA;
    key->len = RSA_KEY_BYTES;
    if (EVP_PKEY_get_bits(key->key) != RSA_BITS ||
        !put_number(key->key, OSSL_PKEY_PARAM_RSA_N, bytes, RSA_BYTES) ||
        !put_number(key->key, OSSL_PKEY_PARAM_RSA_E, bytes + RSA_AT_EXPONENT, 4) ||
        !put_rinv(bytes, bytes + RSA_AT_RINV))
        return false;
    put_le32(bytes + RSA_AT_M, montgomery_m(get_le32(bytes)));
    return true;
}

static bool take_p256(struct image_signature_key *key)
{
    char curve[32];

    key->version = VERSION_ECDSA;
    key->len = P256_KEY_BYTES;
    key->bytes[0] = CURVE_P256;
    return EVP_PKEY_get_group_name(key->key, curve, sizeof(curve), NULL) == 1 &&
           strcmp(curve, SN_X9_62_prime256v1) == 0 &&
           put_number(key->key, OSSL_PKEY_PARAM_EC_PUB_X, key->bytes + 1, P256_BYTES) &&
           put_number(key->key, OSSL_PKEY_PARAM_EC_PUB_Y, key->bytes + 1 + P256_BYTES, P256_BYTES);
}

static bool ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* The first block of the PEM that is a key decides: one with both keys is a secret all the same. */
static int read_key(struct image_signature_key *key, BIO *pem, bool *is_private)
{
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long len = 0;

    while (key->key == NULL && !*is_private && PEM_read_bio(pem, &name, &header, &data, &len)) {
        const unsigned char *at = data;

        *is_private = ends_with(name, "PRIVATE KEY");
        if (strcmp(name, PEM_STRING_PUBLIC) == 0)
            key->key = d2i_PUBKEY(NULL, &at, len);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)len);
    }
    ERR_clear_error(); /* the end of the PEM is one */
    return key->key != NULL ? 0 : -EINVAL;
}

int image_signature_key_parse(struct image_signature_key *key, const char *path, const void *pem,
                              size_t len, struct hosted_fault *fault)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    bool is_private = false;

    *key = (struct image_signature_key){.path = path};
    if (bio == NULL)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, path);

    const int err = read_key(key, bio, &is_private);

    BIO_free(bio);
    if (is_private)
        return fault_set(fault, HOSTED_USAGE, -EINVAL,
                         "%s: this is a private key, which does not belong here: give the public "
                         "one ('openssl pkey -pubout' makes it)",
                         path);
    if (err < 0)
        return fault_set(fault, HOSTED_USAGE, err,
                         "%s: there is no public key in it (PEM, BEGIN PUBLIC KEY)", path);

    const bool taken = EVP_PKEY_get_base_id(key->key) == EVP_PKEY_RSA  ? take_rsa(key)
                       : EVP_PKEY_get_base_id(key->key) == EVP_PKEY_EC ? take_p256(key)
                                                                       : false;

    ERR_clear_error();
    if (!taken)
        return fault_set(fault, HOSTED_USAGE, -ENOTSUP,
                         "%s: a key of this type is not supported: of those of Secure Boot v2, "
                         "RSA-3072 and ECDSA P-256 are",
                         path);
    return 0;
}

/* Bytes up to the end of the file, at most PEM_BYTES, or -errno. */
static ssize_t read_pem(int fd, char pem[PEM_BYTES], const struct hosted_cancel *cancel)
{
    const int64_t deadline_ms = clock_ms() + PEM_WAIT_MS;
    size_t len = 0;

    while (len < PEM_BYTES) {
        const ssize_t got = read(fd, pem + len, PEM_BYTES - len);

        if (got == 0)
            break;
        if (got > 0) {
            len += (size_t)got;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        if (clock_ms() >= deadline_ms)
            return -ETIMEDOUT;
        if (clock_wait(cancel, clock_ms() + PEM_POLL_MS) == -ECANCELED)
            return -ECANCELED;
    }
    return (ssize_t)len;
}

int image_signature_key_load(struct image_signature_key *key, const char *path,
                             const struct hosted_cancel *cancel, struct hosted_fault *fault)
{
    char pem[PEM_BYTES];
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int err;

    *key = (struct image_signature_key){.path = path};
    if (fd < 0)
        return fault_errno(fault, HOSTED_LOCAL, errno, path);

    const ssize_t len = read_pem(fd, pem, cancel);

    close(fd);
    if (len == -ECANCELED)
        err = fault_set(fault, HOSTED_LOCAL, -ECANCELED, "%s: interrupted", path);
    else if (len < 0)
        err = fault_errno(fault, HOSTED_LOCAL, (int)len, path);
    else
        err = image_signature_key_parse(key, path, pem, (size_t)len, fault);
    OPENSSL_cleanse(pem, sizeof(pem)); /* it may have been the wrong key */
    return err;
}

void image_signature_key_free(struct image_signature_key *key)
{
    EVP_PKEY_free(key->key);
    key->key = NULL;
}

/* The blocks */

/* As zlib's; of a few kilobytes, so that no table is needed. */
static uint32_t crc32_of(const uint8_t *data, size_t len)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

static bool is_block(const uint8_t *block)
{
    return block[0] == BLOCK_MAGIC &&
           (block[AT_VERSION] == VERSION_RSA || block[AT_VERSION] == VERSION_ECDSA) &&
           crc32_of(block, AT_CRC) == get_le32(block + AT_CRC);
}

static bool is_keys(const struct image_signature_key *key, const uint8_t *block)
{
    return block[AT_VERSION] == key->version &&
           (key->version != VERSION_ECDSA || block[AT_SHA] == SHA_256) &&
           memcmp(block + AT_KEY, key->bytes, key->len) == 0;
}

static bool set_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_SALT_BYTES) == 1;
}

/* `signature` as libcrypto reads it: big endian, or DER. */
static bool is_signed(const struct image_signature_key *key, const uint8_t digest[DIGEST_BYTES],
                      const uint8_t *signature, size_t len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->key, NULL);
    const bool good = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
                      (key->version != VERSION_RSA || set_pss(ctx)) &&
                      EVP_PKEY_verify(ctx, signature, len, digest, DIGEST_BYTES) == 1;

    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool rsa_verifies(const struct image_signature_key *key, const uint8_t digest[DIGEST_BYTES],
                         const uint8_t *raw)
{
    uint8_t signature[RSA_BYTES];

    for (size_t i = 0; i < RSA_BYTES; i++)
        signature[i] = raw[RSA_BYTES - 1 - i];
    return is_signed(key, digest, signature, sizeof(signature));
}

static bool p256_verifies(const struct image_signature_key *key, const uint8_t digest[DIGEST_BYTES],
                          const uint8_t *raw)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_lebin2bn(raw, P256_BYTES, NULL);
    BIGNUM *s = BN_lebin2bn(raw + P256_BYTES, P256_BYTES, NULL);
    unsigned char *der = NULL;
    bool good = false;

    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        const int len = i2d_ECDSA_SIG(pair, &der);

        good = len > 0 && is_signed(key, digest, der, (size_t)len);
    } else {
        BN_free(r);
        BN_free(s);
    }
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    return good;
}

static bool verifies(const struct image_signature_key *key, const uint8_t digest[DIGEST_BYTES],
                     const uint8_t *block)
{
    const uint8_t *signature = block + AT_KEY + key->len;
    const bool good = memcmp(block + AT_DIGEST, digest, DIGEST_BYTES) == 0 &&
                      (key->version == VERSION_RSA ? rsa_verifies(key, digest, signature)
                                                   : p256_verifies(key, digest, signature));

    ERR_clear_error();
    return good;
}

int image_signature_verify(const struct image_signature_key *key,
                           const uint8_t digest[DIGEST_BYTES], const uint8_t *sector, size_t len,
                           const char *name, struct hosted_fault *fault)
{
    bool any = false, ours = false;

    /* The chip reads a whole sector: one that is cut off is none. */
    for (int i = 0; i < BLOCKS && len == IMAGE_SIGNATURE_SECTOR_BYTES; i++) {
        const uint8_t *block = sector + (size_t)i * BLOCK_BYTES;

        if (!is_block(block))
            continue;
        any = true;
        if (!is_keys(key, block))
            continue;
        ours = true;
        if (verifies(key, digest, block))
            return 0;
    }
    if (ours)
        return fault_set(fault, HOSTED_IMAGE, -EBADMSG,
                         "%s: its signature is wrong: the file is damaged, or was changed after it "
                         "was signed",
                         name);
    if (any)
        return fault_set(fault, HOSTED_IMAGE, -EBADMSG, "%s: it is not signed with the key %s",
                         name, key->path);
    return fault_set(fault, HOSTED_IMAGE, -EBADMSG,
                     "%s: it is not signed (Secure Boot v2): there is no signature behind it",
                     name);
}
