/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_SHA256_H
#define OTA_SHA256_H
/* SHA-256, by what ESP-IDF has for it: mbedTLS up to v5.5, PSA from v6.0 on. One at a time. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All return false when the library fails, which it does for want of memory only. */
bool ota_sha256_init(void);
bool ota_sha256_update(const void *data, size_t len);
bool ota_sha256_finish(uint8_t ret[32]);

/* Instead of finish: gives the chip's SHA engine free, which a hash in progress may hold. */
void ota_sha256_abort(void);

#endif
