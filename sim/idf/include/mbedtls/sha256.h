/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MBEDTLS_SHA256_H
#define MBEDTLS_SHA256_H
/*
 * SHA-256 and SHA-224 as mbedTLS 3 has them: ESP-IDF v5.0 to v5.5. From v6.0 on ESP-IDF has
 * psa/crypto.h in its place. All return 0, or a negative number.
 */
#include <stddef.h>
#include <stdint.h>

#include "esp_idf_version.h"

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)
#error "ESP-IDF v6.0 has no mbedtls/sha256.h"
#endif

/* A plain value, as there: it may be copied, and needs no memory but its own. */
typedef struct mbedtls_sha256_context {
    uint64_t state[14];
    unsigned mode; /* who makes it */
} mbedtls_sha256_context;

void mbedtls_sha256_init(mbedtls_sha256_context *ctx);
void mbedtls_sha256_free(mbedtls_sha256_context *ctx);
void mbedtls_sha256_clone(mbedtls_sha256_context *dst, const mbedtls_sha256_context *src);

int mbedtls_sha256_starts(mbedtls_sha256_context *ctx, int is224);
int mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *input, size_t ilen);
int mbedtls_sha256_finish(mbedtls_sha256_context *ctx, unsigned char *output);

int mbedtls_sha256(const unsigned char *input, size_t ilen, unsigned char *output, int is224);

#endif
