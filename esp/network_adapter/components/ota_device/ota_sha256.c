/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_sha256.h"

#include "esp_idf_version.h"

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)

#include "psa/crypto.h"

static psa_hash_operation_t s_hash;

bool ota_sha256_init(void)
{
    /* ESP-IDF's startup has called psa_crypto_init(); a second time does nothing. */
    if (psa_crypto_init() != PSA_SUCCESS || psa_hash_abort(&s_hash) != PSA_SUCCESS)
        return false;
    s_hash = psa_hash_operation_init();
    return psa_hash_setup(&s_hash, PSA_ALG_SHA_256) == PSA_SUCCESS;
}

bool ota_sha256_update(const void *data, size_t len)
{
    return psa_hash_update(&s_hash, data, len) == PSA_SUCCESS;
}

bool ota_sha256_finish(uint8_t ret[32])
{
    size_t len = 0;

    return psa_hash_finish(&s_hash, ret, 32, &len) == PSA_SUCCESS && len == 32;
}

void ota_sha256_abort(void)
{
    psa_hash_abort(&s_hash);
}

#else

#include "mbedtls/sha256.h"

static mbedtls_sha256_context s_hash;

bool ota_sha256_init(void)
{
    mbedtls_sha256_init(&s_hash);
    return mbedtls_sha256_starts(&s_hash, 0) == 0;
}

bool ota_sha256_update(const void *data, size_t len)
{
    return mbedtls_sha256_update(&s_hash, data, len) == 0;
}

bool ota_sha256_finish(uint8_t ret[32])
{
    const bool ok = mbedtls_sha256_finish(&s_hash, ret) == 0;

    mbedtls_sha256_free(&s_hash);
    return ok;
}

void ota_sha256_abort(void)
{
    mbedtls_sha256_free(&s_hash);
}

#endif
