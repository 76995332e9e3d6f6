/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_sha256.h"

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)

bool ota_sha256_init(struct ota_sha256 *sha256)
{
    /* ESP-IDF's startup has called psa_crypto_init(); a second time does nothing. */
    if (psa_crypto_init() != PSA_SUCCESS || psa_hash_abort(&sha256->hash) != PSA_SUCCESS)
        return false;
    sha256->hash = psa_hash_operation_init();
    return psa_hash_setup(&sha256->hash, PSA_ALG_SHA_256) == PSA_SUCCESS;
}

bool ota_sha256_update(struct ota_sha256 *sha256, const void *data, size_t len)
{
    return psa_hash_update(&sha256->hash, data, len) == PSA_SUCCESS;
}

bool ota_sha256_finish(struct ota_sha256 *sha256, uint8_t ret[32])
{
    size_t len = 0;

    return psa_hash_finish(&sha256->hash, ret, 32, &len) == PSA_SUCCESS && len == 32;
}

void ota_sha256_abort(struct ota_sha256 *sha256)
{
    psa_hash_abort(&sha256->hash);
}

#else

bool ota_sha256_init(struct ota_sha256 *sha256)
{
    mbedtls_sha256_init(&sha256->hash);
    return mbedtls_sha256_starts(&sha256->hash, 0) == 0;
}

bool ota_sha256_update(struct ota_sha256 *sha256, const void *data, size_t len)
{
    return mbedtls_sha256_update(&sha256->hash, data, len) == 0;
}

bool ota_sha256_finish(struct ota_sha256 *sha256, uint8_t ret[32])
{
    const bool ok = mbedtls_sha256_finish(&sha256->hash, ret) == 0;

    mbedtls_sha256_free(&sha256->hash);
    return ok;
}

void ota_sha256_abort(struct ota_sha256 *sha256)
{
    mbedtls_sha256_free(&sha256->hash);
}

#endif
