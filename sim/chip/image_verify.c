/* SPDX-License-Identifier: Apache-2.0 */
#include "image_verify.h"

#include <openssl/evp.h>
#include <string.h>

#include "little_endian.h"

enum {
    HEADER_BYTES = 24,
    SEGMENT_HEADER_BYTES = 8,
    DESCRIPTOR_BYTES = 256,
    DIGEST_BYTES = 32,
    MAX_SEGMENTS = 16,
    CHECKSUM_SEED = 0xef,
};

#define PARTITION_LIMIT  0x1000000u
#define NEVER_LOADED     0x10000000u /* below this a segment is padding */
#define DEFAULT_PAGE     0x10000u
#define DESCRIPTOR_MAGIC 0xabcd5432u
#define NO_LIMIT         65535

/* One pass over one image. */
struct pass {
    struct flash *flash;
    const struct chip_model *model;
    enum image_use use;
    uint32_t start; /* of the partition, in flash */
    uint32_t at;    /* next byte, from the image's start */
    uint32_t page;  /* bytes */
    uint8_t checksum;
    EVP_MD_CTX *sha;
    struct image_info info;
};

/* The next bytes go into the digest, wherever they lie: also in the next partition. */
static int take(struct pass *pass, void *buf, uint32_t len)
{
    if (flash_read(pass->flash, pass->start + pass->at, buf, len) < 0)
        return IMAGE_INVALID_ARG;
    EVP_DigestUpdate(pass->sha, buf, len);
    flash_spend(pass->flash, FLASH_HASH, len);
    pass->at += len;
    return IMAGE_OK;
}

static int check_chip(const struct pass *pass, const uint8_t *header)
{
    const uint16_t min = get_le16(header + 15);
    const uint16_t max = get_le16(header + 17);

    if (get_le16(header + 12) != pass->model->id)
        return IMAGE_FAIL;
    if (pass->model->revision < min)
        return IMAGE_FAIL;
    if (max != 0 && max != NO_LIMIT && pass->model->revision > max)
        return IMAGE_FAIL;
    return IMAGE_OK;
}

static int take_header(struct pass *pass)
{
    uint8_t header[HEADER_BYTES];
    int rc = take(pass, header, sizeof(header));

    if (rc != IMAGE_OK)
        return rc;
    if (header[0] != 0xe9)
        return IMAGE_INVALID;
    rc = check_chip(pass, header);
    if (rc != IMAGE_OK)
        return rc;
    if (header[1] > MAX_SEGMENTS)
        return IMAGE_INVALID;
    pass->info.segment_count = header[1];
    pass->info.digest_appended = header[23] != 0;
    return IMAGE_OK;
}

static bool is_in(const struct address_range *ranges, size_t count, uint32_t address, uint32_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (address >= ranges[i].from && address < ranges[i].to && len <= ranges[i].to - address)
            return true;
    }
    return false;
}

static bool is_mapped(const struct chip_model *model, uint32_t address)
{
    return is_in(model->mapped, sizeof(model->mapped) / sizeof(model->mapped[0]), address, 0);
}

static bool can_be_loaded(const struct chip_model *model, uint32_t address, uint32_t len)
{
    return is_in(model->loaded, sizeof(model->loaded) / sizeof(model->loaded[0]), address, len);
}

/* The descriptor is the first thing in segment 0; only some chips insist on it. */
static int look_at_descriptor(struct pass *pass)
{
    uint8_t *desc = pass->info.descriptor;

    pass->page = DEFAULT_PAGE;
    if (flash_read(pass->flash, pass->start + pass->at, desc, DESCRIPTOR_BYTES) < 0)
        return IMAGE_INVALID_ARG;
    pass->info.has_descriptor = get_le32(desc) == DESCRIPTOR_MAGIC;
    if (!pass->model->page_in_descriptor)
        return IMAGE_OK;
    if (!pass->info.has_descriptor)
        return IMAGE_FAIL;
    if (desc[180] >= 13 && desc[180] <= 18)
        pass->page = 1u << desc[180];
    return IMAGE_OK;
}

/* Limits of the eFuse block's revision: all chips but the first have them. A blank eFuse is 0. */
static int check_block_revision(const struct pass *pass)
{
    const uint16_t min = get_le16(pass->info.descriptor + 176);

    if (pass->model->id == 0 || !pass->info.has_descriptor)
        return IMAGE_OK;
    return min != 0 && min != NO_LIMIT ? IMAGE_FAIL : IMAGE_OK;
}

static int check_segment(struct pass *pass, bool first, uint32_t address, uint32_t len)
{
    const bool mapped = is_mapped(pass->model, address);
    int rc = IMAGE_OK;

    if (len % 4 != 0 || len >= pass->model->segment_limit)
        return IMAGE_INVALID;
    if (first)
        rc = look_at_descriptor(pass);
    if (rc != IMAGE_OK)
        return rc;
    if (mapped && (pass->start + pass->at) % pass->page != address % pass->page)
        return IMAGE_INVALID;
    if (pass->use == IMAGE_USE_BOOT && !mapped && address >= NEVER_LOADED &&
        !can_be_loaded(pass->model, address, len))
        return IMAGE_INVALID;
    return first ? check_block_revision(pass) : IMAGE_OK;
}

static int take_segment(struct pass *pass, bool first)
{
    uint8_t header[SEGMENT_HEADER_BYTES];
    uint8_t buf[4096];
    int rc = take(pass, header, sizeof(header));

    if (rc != IMAGE_OK)
        return rc;

    uint32_t left = get_le32(header + 4);

    rc = check_segment(pass, first, get_le32(header), left);
    while (rc == IMAGE_OK && left > 0) {
        const uint32_t n = left < sizeof(buf) ? left : (uint32_t)sizeof(buf);

        rc = take(pass, buf, n);
        for (uint32_t i = 0; rc == IMAGE_OK && i < n; i++)
            pass->checksum ^= buf[i];
        left -= n;
    }
    return rc;
}

static int take_checksum(struct pass *pass)
{
    uint8_t padding[16];
    const uint32_t len = 16 - pass->at % 16;
    const int rc = take(pass, padding, len);

    if (rc != IMAGE_OK)
        return rc;
    return padding[len - 1] == pass->checksum ? IMAGE_OK : IMAGE_INVALID;
}

static int check_digest(struct pass *pass)
{
    uint8_t appended[DIGEST_BYTES];

    EVP_DigestFinal_ex(pass->sha, pass->info.digest, NULL);
    if (!pass->info.digest_appended)
        return IMAGE_OK;
    if (flash_read(pass->flash, pass->start + pass->at, appended, sizeof(appended)) < 0)
        return IMAGE_INVALID_ARG;
    return memcmp(appended, pass->info.digest, sizeof(appended)) == 0 ? IMAGE_OK : IMAGE_INVALID;
}

static int run(struct pass *pass, uint32_t partition_size)
{
    int rc = take_header(pass);

    for (unsigned i = 0; rc == IMAGE_OK && i < pass->info.segment_count; i++)
        rc = take_segment(pass, i == 0);
    if (rc == IMAGE_OK)
        rc = take_checksum(pass);
    if (rc != IMAGE_OK)
        return rc;
    /* So late: segments that leave the partition were read from its neighbour. */
    pass->info.bytes = pass->at + (pass->info.digest_appended ? DIGEST_BYTES : 0);
    if (pass->info.bytes > partition_size)
        return IMAGE_INVALID;
    return check_digest(pass);
}

int image_verify(struct flash *flash, const struct chip_model *model, uint32_t offset,
                 uint32_t partition_size, enum image_use use, struct image_info *ret)
{
    struct pass pass = {
        .flash = flash,
        .model = model,
        .use = use,
        .start = offset,
        .checksum = CHECKSUM_SEED,
    };
    int rc = IMAGE_INVALID_ARG;

    memset(ret, 0, sizeof(*ret));
    if (model->segment_limit == PARTITION_LIMIT && partition_size > PARTITION_LIMIT)
        return rc;
    pass.sha = EVP_MD_CTX_new();
    if (pass.sha == NULL)
        return 0x101; /* ESP_ERR_NO_MEM */
    if (EVP_DigestInit_ex(pass.sha, EVP_sha256(), NULL) == 1)
        rc = run(&pass, partition_size);
    EVP_MD_CTX_free(pass.sha);
    if (rc == IMAGE_OK)
        *ret = pass.info;
    return rc;
}

static void take_string(char to[33], const uint8_t *from)
{
    memcpy(to, from, 32);
    to[32] = '\0';
}

void image_descriptor_version(const uint8_t descriptor[256], char ret[33])
{
    take_string(ret, descriptor + 16);
}

void image_descriptor_project(const uint8_t descriptor[256], char ret[33])
{
    take_string(ret, descriptor + 48);
}
