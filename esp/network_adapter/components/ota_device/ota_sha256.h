/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_SHA256_H
#define OTA_SHA256_H
/*
 * SHA-256, by what ESP-IDF has for it: mbedTLS up to v5.5, PSA from v6.0 on.
 *
 * On an ESP32 the first hash in progress may hold the SHA engine until it is finished or aborted;
 * another one beside it is then made by the CPU, with the same result. On the later chips a hash
 * holds the engine while it is updated only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_idf_version.h"

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)
#include "psa/crypto.h"
#else
#include "mbedtls/sha256.h"
#endif

/* All zeros before the first init. */
struct ota_sha256 {
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)
    psa_hash_operation_t hash;
#else
    mbedtls_sha256_context hash;
#endif
};

/* All return false when the library fails, which it does for want of memory only. */
bool ota_sha256_init(struct ota_sha256 *sha256);
bool ota_sha256_update(struct ota_sha256 *sha256, const void *data, size_t len);
bool ota_sha256_finish(struct ota_sha256 *sha256, uint8_t ret[32]);

/* Instead of finish: gives the chip's SHA engine free. */
void ota_sha256_abort(struct ota_sha256 *sha256);

#endif
