/* SPDX-License-Identifier: Apache-2.0 */
#include "psa/crypto.h"

#include <stdbool.h>
#include <string.h>

#include "mbedtls/sha256.h"

#define ACTIVE       1u
#define SHA256_BYTES 32u

_Static_assert(sizeof(mbedtls_sha256_context) <= sizeof(((psa_hash_operation_t *)0)->state),
               "it lies in there");

static bool s_initialised;

static mbedtls_sha256_context *inner(psa_hash_operation_t *operation)
{
    return (mbedtls_sha256_context *)(void *)operation->state;
}

/* The status of an operation that is aborted unless it went well. */
static psa_status_t end_of(psa_hash_operation_t *operation, psa_status_t status)
{
    if (status != PSA_SUCCESS)
        psa_hash_abort(operation);
    return status;
}

psa_status_t psa_crypto_init(void)
{
    s_initialised = true;
    return PSA_SUCCESS;
}

psa_status_t psa_hash_setup(psa_hash_operation_t *operation, psa_algorithm_t alg)
{
    if (operation->id != 0 || !s_initialised)
        return end_of(operation, PSA_ERROR_BAD_STATE);
    if (alg != PSA_ALG_SHA_256)
        return end_of(operation, PSA_ERROR_NOT_SUPPORTED);
    mbedtls_sha256_init(inner(operation));
    if (mbedtls_sha256_starts(inner(operation), 0) != 0)
        return PSA_ERROR_CORRUPTION_DETECTED;
    operation->id = ACTIVE;
    return PSA_SUCCESS;
}

psa_status_t psa_hash_update(psa_hash_operation_t *operation, const uint8_t *input,
                             size_t input_length)
{
    if (operation->id == 0)
        return PSA_ERROR_BAD_STATE;
    return end_of(operation, mbedtls_sha256_update(inner(operation), input, input_length) == 0
                                 ? PSA_SUCCESS
                                 : PSA_ERROR_CORRUPTION_DETECTED);
}

psa_status_t psa_hash_finish(psa_hash_operation_t *operation, uint8_t *hash, size_t hash_size,
                             size_t *hash_length)
{
    psa_status_t status = PSA_SUCCESS;

    *hash_length = 0;
    if (operation->id == 0)
        return PSA_ERROR_BAD_STATE;
    if (hash_size < SHA256_BYTES)
        status = PSA_ERROR_BUFFER_TOO_SMALL;
    else if (mbedtls_sha256_finish(inner(operation), hash) != 0)
        status = PSA_ERROR_CORRUPTION_DETECTED;
    else
        *hash_length = SHA256_BYTES;
    psa_hash_abort(operation); /* whatever it was */
    return status;
}

psa_status_t psa_hash_abort(psa_hash_operation_t *operation)
{
    if (operation->id != 0)
        mbedtls_sha256_free(inner(operation));
    operation->id = 0;
    return PSA_SUCCESS;
}
