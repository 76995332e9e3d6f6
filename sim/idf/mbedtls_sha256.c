/* SPDX-License-Identifier: Apache-2.0 */
/* The old interface of OpenSSL: the one that works in memory of the caller's. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "mbedtls/sha256.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>

#include "chip.h"

#define FAILED (-0x006E) /* MBEDTLS_ERR_ERROR_CORRUPTION_DETECTED */

_Static_assert(sizeof(((mbedtls_sha256_context *)0)->state) >= sizeof(SHA256_CTX),
               "it lies in there");

/*
 * On an ESP32 the hash that comes first holds the accelerator from its first block to its end, and
 * what is begun meanwhile is made by the CPU to its end (mbedtls/port/sha/parallel_engine). The
 * later chips lend it for an update at a time.
 */
enum { UNDECIDED, BY_ENGINE, BY_CPU };
#define BLOCK_BYTES 64

static bool s_engine_held;

static void let_go(mbedtls_sha256_context *ctx)
{
    if (ctx->mode == BY_ENGINE)
        s_engine_held = false;
    ctx->mode = UNDECIDED;
}

/* Who makes the hash, which is decided at its first block: all of ours come in pieces of more. */
static enum flash_work work_of(mbedtls_sha256_context *ctx, size_t bytes)
{
    if (the_chip.model == NULL || the_chip.model->hash_by_cpu_bytes_per_us == 0)
        return FLASH_HASH;
    if (ctx->mode == UNDECIDED && bytes >= BLOCK_BYTES) {
        ctx->mode = s_engine_held ? BY_CPU : BY_ENGINE;
        s_engine_held = true;
    }
    return ctx->mode == BY_CPU ? FLASH_HASH_BY_CPU : FLASH_HASH;
}

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
    if (ctx == NULL)
        return;
    let_go(ctx);
    OPENSSL_cleanse(ctx, sizeof(*ctx));
}

void mbedtls_sha256_clone(mbedtls_sha256_context *dst, const mbedtls_sha256_context *src)
{
    *dst = *src;
    if (dst->mode == BY_ENGINE)
        dst->mode = BY_CPU;
}

int mbedtls_sha256_starts(mbedtls_sha256_context *ctx, int is224)
{
    const int ok = is224 != 0 ? SHA224_Init(inner(ctx)) : SHA256_Init(inner(ctx));

    let_go(ctx);
    return ok == 1 ? 0 : FAILED;
}

int mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *input, size_t ilen)
{
    flash_spend(&the_chip.flash, work_of(ctx, ilen), ilen);
    return SHA256_Update(inner(ctx), input, ilen) == 1 ? 0 : FAILED;
}

int mbedtls_sha256_finish(mbedtls_sha256_context *ctx, unsigned char *output)
{
    let_go(ctx);
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
