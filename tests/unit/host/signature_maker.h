/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIGNATURE_MAKER_H
#define SIGNATURE_MAKER_H
/*
 * Secure Boot v2 signature blocks made by the book (espsecure's), with libcrypto's numbers: nothing
 * of image_signature.c is used to make one.
 */
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#define SECTOR_BYTES 4096
#define BLOCK_BYTES  1216
#define AT_CRC       1196

/* Writes the block of `key`, RSA-3072 or P-256, with its signature of `digest`. */
void signature_block(uint8_t block[BLOCK_BYTES], EVP_PKEY *key, const uint8_t digest[32]);

/* Makes the checksum right again. */
void signature_seal(uint8_t block[BLOCK_BYTES]);

/* The PEM of the public key, to be freed. */
char *signature_public_pem(EVP_PKEY *key);

#endif
