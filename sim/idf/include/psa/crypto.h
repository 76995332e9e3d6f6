/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSA_CRYPTO_H
#define PSA_CRYPTO_H
/*
 * Hashes of the PSA Crypto API as TF-PSA-Crypto 1.0 has them, which ESP-IDF's mbedtls component is
 * from v6.0 on: SHA-256 alone. An operation that failed is aborted.
 */
#include <stddef.h>
#include <stdint.h>

typedef int32_t psa_status_t;
typedef uint32_t psa_algorithm_t;

#define PSA_SUCCESS                   ((psa_status_t)0)
#define PSA_ERROR_NOT_SUPPORTED       ((psa_status_t) - 134)
#define PSA_ERROR_BAD_STATE           ((psa_status_t) - 137)
#define PSA_ERROR_BUFFER_TOO_SMALL    ((psa_status_t) - 138)
#define PSA_ERROR_CORRUPTION_DETECTED ((psa_status_t) - 151)

#define PSA_ALG_SHA_256 ((psa_algorithm_t)0x02000009)

typedef struct psa_hash_operation_s {
    unsigned id; /* 0: not active */
    uint64_t state[15];
} psa_hash_operation_t;

#define PSA_HASH_OPERATION_INIT {0, {0}}

static inline psa_hash_operation_t psa_hash_operation_init(void)
{
    const psa_hash_operation_t operation = PSA_HASH_OPERATION_INIT;

    return operation;
}

/* As often as one likes; before it nothing can be set up. */
psa_status_t psa_crypto_init(void);

psa_status_t psa_hash_setup(psa_hash_operation_t *operation, psa_algorithm_t alg);
psa_status_t psa_hash_update(psa_hash_operation_t *operation, const uint8_t *input,
                             size_t input_length);
psa_status_t psa_hash_finish(psa_hash_operation_t *operation, uint8_t *hash, size_t hash_size,
                             size_t *hash_length);
psa_status_t psa_hash_abort(psa_hash_operation_t *operation);

#endif
