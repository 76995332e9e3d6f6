/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_IMAGE_CHECK_H
#define HOST_IMAGE_CHECK_H
/*
 * Whether the bytes of a file are a valid firmware image, digest and signature included, and whom
 * it fits. Every byte is hashed once: the appended digest, what is signed, and the file's own
 * SHA-256 are all of bytes from the start on, so that one hash is copied where each of them ends.
 */
#include <openssl/evp.h>

#include "fw_image.h"
#include "hosted/update.h"
#include "image_signature.h"

/* Of the component ota_device: the image can be on trial, and is able to confirm itself. */
#define IMAGE_MARKER       "esp-hosted-ota-ext-1"
#define IMAGE_MARKER_BYTES (sizeof(IMAGE_MARKER) - 1)

struct signed_part; /* only where a signature is demanded */

struct image_check {
    struct fw_image_reader reader;
    EVP_MD_CTX *hash; /* of the first hashed_bytes of the file */
    uint64_t hashed_bytes;
    const char *name;                     /* of the source, for messages; borrowed */
    const uint8_t *sha256;                /* demanded of the file, or NULL; borrowed */
    uint64_t fed_bytes;                   /* of the file */
    uint8_t file_sha256[32];              /* once it has ended */
    bool extension;                       /* the marker of this project's component was seen */
    uint8_t tail[IMAGE_MARKER_BYTES - 1]; /* the last bytes: it may begin there */
    size_t tail_len;
    struct signed_part *signed_part;
    bool signature_ok;
};

/*
 * What is demanded of the file: `sha256`, 32 bytes, and a signature with `key`; either may be NULL,
 * both are borrowed. To be ended by image_check_free(), also after a failure, -ENOMEM.
 */
int image_check_init(struct image_check *check, const char *name, const uint8_t *sha256,
                     const struct image_signature_key *key, struct hosted_fault *fault);
void image_check_free(struct image_check *check);

/* Takes the next bytes of the file. 0, or -EBADMSG as soon as they cannot be a valid image's. */
int image_check_feed(struct image_check *check, const void *data, size_t len,
                     struct hosted_fault *fault);

/*
 * Says that the file has ended: 0 if the image is whole, valid and all that is demanded of it, else
 * -EBADMSG.
 */
int image_check_finish(struct image_check *check, struct hosted_fault *fault);

/* What is known of the image so far, once check->reader.head_known. */
void image_check_describe(const struct image_check *check, struct hosted_image *ret);

/*
 * Whether the image is for `chip` (-1: any) and its file fits into a slot of `slot_bytes` (0: of
 * any size), as far as is known. 0, -EXDEV or -EFBIG.
 */
int image_fits(const struct hosted_image *image, const char *name, int chip, uint32_t slot_bytes,
               struct hosted_fault *fault);

#endif
