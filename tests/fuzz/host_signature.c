/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A public key and the signature sector behind an image. What is accepted is not accepted for
 * another digest, nor when it is cut off.
 * Input: one byte, with bit 0 the checksum of each block is made right; 16 bits for the length of
 * the key's PEM, the PEM, 32 bytes of digest, the sector.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "image_signature.h"

enum { BLOCKS = 3, BLOCK_BYTES = 1216, AT_CRC = 1196 };

static void seal(uint8_t *block)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < AT_CRC; i++) {
        crc ^= block[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    crc = ~crc;
    for (int i = 0; i < 4; i++)
        block[AT_CRC + i] = (uint8_t)(crc >> 8 * i);
}

static void check_words(const struct hosted_fault *fault, int rc)
{
    REQUIRE(fault->error == rc);
    REQUIRE(fuzz_is_printable(fault->text, sizeof(fault->text)));
}

static int verify(const struct image_signature_key *key, const uint8_t digest[32],
                  const uint8_t *sector, size_t len)
{
    struct hosted_fault fault;
    const int rc = image_signature_verify(key, digest, sector, len, "image", &fault);

    REQUIRE(rc == 0 || rc == -EBADMSG);
    if (rc < 0) {
        check_words(&fault, rc);
        REQUIRE(fault.status == HOSTED_IMAGE);
    }
    return rc;
}

static void fuzz_sector(const struct image_signature_key *key, struct fuzz_input *input,
                        bool seal_blocks)
{
    uint8_t digest[32];
    size_t len = IMAGE_SIGNATURE_SECTOR_BYTES;

    for (size_t i = 0; i < sizeof(digest); i++)
        digest[i] = fuzz_take_u8(input);

    uint8_t *sector = fuzz_take_copy(input, &len);

    for (size_t i = 0; i < BLOCKS && seal_blocks && len == IMAGE_SIGNATURE_SECTOR_BYTES; i++)
        seal(sector + i * BLOCK_BYTES);
    if (verify(key, digest, sector, len) == 0) {
        REQUIRE(len == IMAGE_SIGNATURE_SECTOR_BYTES);
        REQUIRE(verify(key, digest, sector, len - 1) != 0);
        digest[len % 32] ^= 1;
        REQUIRE(verify(key, digest, sector, len) != 0);
    }
    free(sector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const bool seal_blocks = fuzz_take_u8(&input) & 1;
    size_t pem_len = fuzz_take_le16(&input);
    uint8_t *pem = fuzz_take_copy(&input, &pem_len);
    struct image_signature_key key;
    struct hosted_fault fault;
    const int rc = image_signature_key_parse(&key, "key", pem, pem_len, &fault);

    if (rc == 0)
        fuzz_sector(&key, &input, seal_blocks);
    else
        check_words(&fault, rc);
    REQUIRE(rc == 0 || rc == -EINVAL || rc == -ENOTSUP);
    image_signature_key_free(&key);
    free(pem);
    return 0;
}
