/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_IMAGE_SIGNATURE_H
#define HOST_IMAGE_SIGNATURE_H
/*
 * The signature of an image for Secure Boot v2: a sector of 4096 bytes, at the first multiple of
 * 4096 behind the image, with up to three blocks of key and signature. What is signed is the
 * SHA-256 of every byte before that sector.
 *
 * Source of the format: the blocks that espsecure 5.6 writes; ESP-IDF v5.5 secure_boot.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "hosted/device.h"

#define IMAGE_SIGNATURE_SECTOR_BYTES 4096

/* What a block of an RSA key carries of it; of a P-256 key it is less. */
#define IMAGE_SIGNATURE_KEY_BYTES 776

struct image_signature_key {
    const char *path; /* of its file, for messages; borrowed */
    EVP_PKEY *key;
    uint8_t version;                          /* of a block with such a key */
    uint8_t bytes[IMAGE_SIGNATURE_KEY_BYTES]; /* as they stand in a block with this very key */
    size_t len;                               /* of them */
};

/*
 * Takes the public key of the PEM file `path`, RSA-3072 or ECDSA P-256; of a pipe what comes within
 * five seconds. `cancel`, which may be NULL, ends that wait. To be ended by
 * image_signature_key_free(), also after a failure: -errno of the file, -ETIMEDOUT or -ECANCELED,
 * HOSTED_LOCAL; -EINVAL, there is no public key in it; -ENOTSUP, one of another type, both
 * HOSTED_USAGE.
 */
int image_signature_key_load(struct image_signature_key *key, const char *path,
                             const struct hosted_cancel *cancel, struct hosted_fault *fault);
void image_signature_key_free(struct image_signature_key *key);

/* The same from the text of such a file. */
int image_signature_key_parse(struct image_signature_key *key, const char *path, const void *pem,
                              size_t len, struct hosted_fault *fault);

/*
 * Whether one of the blocks in the `len` bytes that were found of the sector is this key's, and its
 * signature that of `digest`. 0, or -EBADMSG, HOSTED_IMAGE; `name` of the image is for the message.
 */
int image_signature_verify(const struct image_signature_key *key, const uint8_t digest[32],
                           const uint8_t *sector, size_t len, const char *name,
                           struct hosted_fault *fault);

#endif
