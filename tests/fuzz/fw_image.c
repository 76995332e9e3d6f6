/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image reader. It says the same of an image however that comes in, and what it calls valid the
 * chip calls so.
 * Input: one byte for the digest, 8 for the sizes of the pieces, the image.
 */
#include "fw_image.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "image_verify.h"
#include "release.h"

enum digest {
    NO_DIGEST,
    SHA256,
    ZEROS, /* one that a fuzzer can guess, so that it comes past it */
    DIGESTS
};

#define PIECES 8

#define MIN_BLOCK_AT (32 + 176) /* esp_app_desc_t */

static uint64_t s_hashed;

static void count_bytes(void *ctx, const void *data, size_t len)
{
    (void)ctx;
    (void)data;
    s_hashed += len;
}

static void finish_zeros(void *ctx, uint8_t digest[FW_IMAGE_DIGEST_BYTES])
{
    (void)ctx;
    memset(digest, 0, FW_IMAGE_DIGEST_BYTES);
}

static void update_sha(void *ctx, const void *data, size_t len)
{
    REQUIRE(EVP_DigestUpdate(ctx, data, len) == 1);
}

static void finish_sha(void *ctx, uint8_t digest[FW_IMAGE_DIGEST_BYTES])
{
    REQUIRE(EVP_DigestFinal_ex(ctx, digest, NULL) == 1);
}

/* `sizes` NULL: all at once. */
static int read_image(enum digest digest, const uint8_t *sizes, const uint8_t *image, size_t len,
                      struct fw_image_reader *reader)
{
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    const struct fw_image_hash hashes[] = {
        [SHA256] = {sha, update_sha, finish_sha},
        [ZEROS] = {NULL, count_bytes, finish_zeros},
    };
    size_t at = 0;

    REQUIRE(EVP_DigestInit_ex(sha, EVP_sha256(), NULL) == 1);
    s_hashed = 0;
    memset(reader, 0xa5, sizeof(*reader)); /* what a caller's stack may hold */
    fw_image_reader_init(reader, digest == NO_DIGEST ? NULL : &hashes[digest]);
    for (size_t i = 0; at < len; i++) {
        /* Some of one byte, some of none, some of many. */
        size_t n =
            sizes == NULL ? len : (size_t)(sizes[i % PIECES] & 0x3f) << (sizes[i % PIECES] >> 6);

        if (i % PIECES == 0 && n == 0)
            n = 1; /* one in a round makes progress */
        if (n > len - at)
            n = len - at;

        uint8_t *piece = fuzz_copy(image + at, n);
        const int rc = fw_image_reader_feed(reader, piece, n);

        free(piece);
        REQUIRE(rc == (reader->error == FW_IMAGE_OK ? 0 : -EBADMSG));
        at += n;
    }

    const int rc = fw_image_reader_finish(reader);

    REQUIRE(rc == (reader->error == FW_IMAGE_OK ? 0 : -EBADMSG));
    EVP_MD_CTX_free(sha);
    return rc;
}

static void check_info(const struct fw_image_info *info, size_t len)
{
    struct release release;
    char text[RELEASE_TEXT_BYTES];

    REQUIRE(strnlen(info->version, sizeof(info->version)) < sizeof(info->version));
    REQUIRE(strnlen(info->project, sizeof(info->project)) < sizeof(info->project));
    REQUIRE(strnlen(info->idf_version, sizeof(info->idf_version)) < sizeof(info->idf_version));
    REQUIRE(info->image_bytes >= FW_IMAGE_HEAD_BYTES && info->image_bytes <= len);
    REQUIRE(info->image_bytes % 16 == 0 && fw_chip_name(info->chip_id) != NULL);
    if (release_parse(info->version, &release)) {
        struct release again;

        REQUIRE(release_parse(release_format(&release, text), &again));
        REQUIRE(release_equal(&release, &again));
    }
}

static bool same(const struct fw_image_info *a, const struct fw_image_info *b)
{
    return a->chip_id == b->chip_id && a->segment_count == b->segment_count &&
           a->digest_appended == b->digest_appended && a->min_chip_rev == b->min_chip_rev &&
           a->max_chip_rev == b->max_chip_rev && a->entry_address == b->entry_address &&
           a->secure_version == b->secure_version && strcmp(a->version, b->version) == 0 &&
           strcmp(a->project, b->project) == 0 && strcmp(a->idf_version, b->idf_version) == 0 &&
           memcmp(a->elf_sha256, b->elf_sha256, sizeof(a->elf_sha256)) == 0 &&
           a->image_bytes == b->image_bytes;
}

/* The revisions of chip and eFuse block: it is no fault of the image that it is for others. */
static bool is_for(const struct chip_model *model, const struct fw_image_info *info,
                   const uint8_t *image)
{
    const unsigned min_block = image[MIN_BLOCK_AT] | image[MIN_BLOCK_AT + 1] << 8;

    return info->min_chip_rev <= model->revision &&
           (info->max_chip_rev == 0 || info->max_chip_rev >= model->revision) &&
           (min_block == 0 || min_block == UINT16_MAX);
}

/* The simulator's verification, which is another program by another book, as if the image lay at
 * the start of a flash. */
static void check_with_the_chip(const struct fw_image_info *info, const uint8_t *image, size_t len)
{
    const struct chip_model *model = chip_model_find(info->chip_id);
    struct flash flash = {.size = (uint32_t)len};
    struct image_info verified;

    if (model == NULL || !is_for(model, info, image))
        return;
    flash.bytes = fuzz_copy(image, len);
    REQUIRE(image_verify(&flash, model, 0, (uint32_t)len, IMAGE_USE_VERIFY, &verified) == IMAGE_OK);
    REQUIRE(verified.bytes == info->image_bytes);
    free(flash.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const enum digest digest = (enum digest)(fuzz_take_u8(&input) % DIGESTS);
    struct fw_image_reader whole, pieces;
    uint8_t sizes[PIECES];

    for (size_t i = 0; i < PIECES; i++)
        sizes[i] = fuzz_take_u8(&input);

    const int rc = read_image(digest, NULL, input.next, input.left, &whole);

    if (rc == 0) {
        check_info(&whole.info, input.left);
        if (digest == ZEROS && whole.info.digest_appended)
            REQUIRE(s_hashed == whole.info.image_bytes - FW_IMAGE_DIGEST_BYTES);
        if (digest == SHA256)
            check_with_the_chip(&whole.info, input.next, input.left);
    }
    REQUIRE(read_image(digest, sizes, input.next, input.left, &pieces) == rc);
    REQUIRE(pieces.error == whole.error && pieces.head_known == whole.head_known);
    if (whole.head_known)
        REQUIRE(same(&pieces.info, &whole.info));
    return 0;
}
