/* SPDX-License-Identifier: Apache-2.0 */
/* The old interface of OpenSSL: the one that works in memory of the caller's. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "mbedtls/sha256.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#include "chip.h"

#define FAILED (-0x006E) /* MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED */

_Static_assert(sizeof(mbedtls_sha256_context) >= sizeof(SHA256_CTX), "it lies in there");

static SHA256_CTX *inner(mbedtls_sha256_context *ctx)
{
    return (SHA256_CTX *)(void *)ctx->state;
}

void mbedtls_sha256_init(mbedtls_sha256_context *ctx)
{
    memset(ctx, 0, sizeof(*ctx));
}

void mbedtls_sha256_free(mbedtls_sha256_context *ctx)
{
    if (ctx != NULL)
        OPENSSL_cleanse(ctx, sizeof(*ctx));
}

void mbedtls_sha256_clone(mbedtls_sha256_context *dst, const mbedtls_sha256_context *src)
{
    *dst = *src;
}

int mbedtls_sha256_starts(mbedtls_sha256_context *ctx, int is224)
{
    const int ok = is224 != 0 ? SHA224_Init(inner(ctx)) : SHA256_Init(inner(ctx));

    return ok == 1 ? 0 : FAILED;
}

int mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *input, size_t ilen)
{
    flash_spend(&the_chip.flash, FLASH_HASH, ilen);
    return SHA256_Update(inner(ctx), input, ilen) == 1 ? 0 : FAILED;
}

int mbedtls_sha256_finish(mbedtls_sha256_context *ctx, unsigned char *output)
{
    return SHA256_Final(output, inner(ctx)) == 1 ? 0 : FAILED;
}

int mbedtls_sha256(const unsigned char *input, size_t ilen, unsigned char *output, int is224)
{
    mbedtls_sha256_context ctx;
    int rc;

    mbedtls_sha256_init(&ctx);
    rc = mbedtls_sha256_starts(&ctx, is224);
    if (rc == 0)
        rc = mbedtls_sha256_update(&ctx, input, ilen);
    if (rc == 0)
        rc = mbedtls_sha256_finish(&ctx, output);
    mbedtls_sha256_free(&ctx);
    return rc;
}
