/* SPDX-License-Identifier: Apache-2.0 */
#include "image_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "text.h"

#define DIGEST_BYTES FW_IMAGE_DIGEST_BYTES

struct signed_part {
    const struct image_signature_key *key; /* borrowed */
    uint8_t digest[DIGEST_BYTES];          /* of the bytes before the sector */
    size_t held;                           /* of the sector */
    uint8_t sector[IMAGE_SIGNATURE_SECTOR_BYTES];
};

static void hash_more(void *ctx, const void *data, size_t len)
{
    struct image_check *check = ctx;

    EVP_DigestUpdate(check->hash, data, len);
    check->hashed_bytes += len;
}

/* The SHA-256 of what was hashed so far, which goes on. */
static void hash_here(void *ctx, uint8_t digest[DIGEST_BYTES])
{
    const struct image_check *check = ctx;
    EVP_MD_CTX *copy = EVP_MD_CTX_new();

    /* Where libcrypto fails, all zero is left, which no image carries. */
    memset(digest, 0, DIGEST_BYTES);
    if (copy != NULL && EVP_MD_CTX_copy_ex(copy, check->hash) == 1)
        EVP_DigestFinal_ex(copy, digest, NULL);
    EVP_MD_CTX_free(copy);
}

static int demand_signature(struct image_check *check, const struct image_signature_key *key,
                            struct hosted_fault *fault)
{
    check->signed_part = calloc(1, sizeof(*check->signed_part));
    if (check->signed_part == NULL)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, check->name);
    check->signed_part->key = key;
    return 0;
}

int image_check_init(struct image_check *check, const char *name, const uint8_t *sha256,
                     const struct image_signature_key *key, struct hosted_fault *fault)
{
    *check = (struct image_check){.name = name, .sha256 = sha256};
    check->hash = EVP_MD_CTX_new();
    if (check->hash == NULL || EVP_DigestInit_ex(check->hash, EVP_sha256(), NULL) != 1)
        return fault_set(fault, HOSTED_LOCAL, -ENOMEM, "%s: libcrypto gives no SHA-256", name);

    const struct fw_image_hash hash = {.ctx = check, .update = hash_more, .finish = hash_here};

    fw_image_reader_init(&check->reader, &hash);
    return key != NULL ? demand_signature(check, key, fault) : 0;
}

void image_check_free(struct image_check *check)
{
    free(check->signed_part);
    check->signed_part = NULL;
    EVP_MD_CTX_free(check->hash);
    check->hash = NULL;
}

static int refuse(const struct image_check *check, struct hosted_fault *fault)
{
    return fault_set(fault, HOSTED_IMAGE, -EBADMSG, "%s: %s", check->name,
                     fw_image_error_text(check->reader.error));
}

static uint64_t round_up(uint64_t bytes, uint64_t to)
{
    return (bytes + to - 1) / to * to;
}

static void keep_sector(struct signed_part *part, const uint8_t *data, size_t len)
{
    const size_t room = sizeof(part->sector) - part->held;

    if (len > room)
        len = room;
    memcpy(part->sector + part->held, data, len);
    part->held += len;
}

/* Bytes behind the image: those before the signature sector are signed, too. */
static void hash_behind_image(struct image_check *check, const uint8_t *data, size_t len)
{
    struct signed_part *part = check->signed_part;
    const uint64_t sector_at =
        round_up(check->reader.info.image_bytes, IMAGE_SIGNATURE_SECTOR_BYTES);

    if (check->hashed_bytes < sector_at) {
        const uint64_t left = sector_at - check->hashed_bytes;
        const size_t n = len < left ? len : (size_t)left;

        hash_more(check, data, n);
        data += n;
        len -= n;
    }
    if (check->hashed_bytes == sector_at)
        hash_here(check, part->digest);
    keep_sector(part, data, len);
    hash_more(check, data, len);
}

/* What the reader did not hash: the appended digest, and what follows the image. */
static void hash_rest(struct image_check *check, const uint8_t *data, size_t len)
{
    if (check->signed_part != NULL && check->reader.info.image_bytes > 0)
        hash_behind_image(check, data, len);
    else
        hash_more(check, data, len);
}

/* Across the border of what was fed before: the last bytes of that, and as many of the new ones. */
static bool is_marker_at_border(const struct image_check *check, const uint8_t *data, size_t len)
{
    uint8_t border[2 * (IMAGE_MARKER_BYTES - 1)];
    const size_t more = len < IMAGE_MARKER_BYTES - 1 ? len : IMAGE_MARKER_BYTES - 1;

    memcpy(border, check->tail, check->tail_len);
    memcpy(border + check->tail_len, data, more);
    return memmem(border, check->tail_len + more, IMAGE_MARKER, IMAGE_MARKER_BYTES) != NULL;
}

static void keep_tail(struct image_check *check, const uint8_t *data, size_t len)
{
    const size_t room = sizeof(check->tail);
    const size_t n = len < room ? len : room;
    const size_t kept = check->tail_len < room - n ? check->tail_len : room - n;

    memmove(check->tail, check->tail + check->tail_len - kept, kept);
    memcpy(check->tail + kept, data + len - n, n);
    check->tail_len = kept + n;
}

static void look_for_marker(struct image_check *check, const uint8_t *data, size_t len)
{
    if (check->extension)
        return;
    check->extension = is_marker_at_border(check, data, len) ||
                       memmem(data, len, IMAGE_MARKER, IMAGE_MARKER_BYTES) != NULL;
    keep_tail(check, data, len);
}

int image_check_feed(struct image_check *check, const void *data, size_t len,
                     struct hosted_fault *fault)
{
    check->fed_bytes += len;
    look_for_marker(check, data, len);
    if (fw_image_reader_feed(&check->reader, data, len) < 0)
        return refuse(check, fault);

    const size_t rest = (size_t)(check->fed_bytes - check->hashed_bytes);

    if (rest > 0)
        hash_rest(check, (const uint8_t *)data + len - rest, rest);
    return 0;
}

static int check_sha256(const struct image_check *check, struct hosted_fault *fault)
{
    char is[2 * DIGEST_BYTES + 1], demanded[2 * DIGEST_BYTES + 1];

    if (check->sha256 == NULL || memcmp(check->sha256, check->file_sha256, DIGEST_BYTES) == 0)
        return 0;
    return fault_set(fault, HOSTED_IMAGE, -EBADMSG, "%s: its SHA-256 is %s, not %s as demanded",
                     check->name, text_hex(is, check->file_sha256, DIGEST_BYTES),
                     text_hex(demanded, check->sha256, DIGEST_BYTES));
}

static int check_signature(struct image_check *check, struct hosted_fault *fault)
{
    const struct signed_part *part = check->signed_part;

    if (part == NULL)
        return 0;

    const int err = image_signature_verify(part->key, part->digest, part->sector, part->held,
                                           check->name, fault);

    check->signature_ok = err == 0;
    return err;
}

int image_check_finish(struct image_check *check, struct hosted_fault *fault)
{
    if (fw_image_reader_finish(&check->reader) < 0)
        return refuse(check, fault);
    hash_here(check, check->file_sha256);

    const int err = check_sha256(check, fault);

    return err < 0 ? err : check_signature(check, fault);
}

void image_check_describe(const struct image_check *check, struct hosted_image *ret)
{
    const struct fw_image_info *info = &check->reader.info;

    ret->chip_id = info->chip_id;
    text_printable(ret->project, sizeof(ret->project), info->project, strlen(info->project));
    text_printable(ret->version, sizeof(ret->version), info->version, strlen(info->version));
    ret->image_bytes = info->image_bytes;
    ret->digest_appended = info->digest_appended;
    memcpy(ret->sha256, check->file_sha256, sizeof(ret->sha256));
    ret->signature_ok = check->signature_ok;
    ret->extension = check->extension;
}

static const char *chip_words(uint16_t chip_id)
{
    const char *name = fw_chip_name(chip_id);

    return name != NULL ? name : "an unknown chip";
}

int image_fits(const struct hosted_image *image, const char *name, int chip, uint32_t slot_bytes,
               struct hosted_fault *fault)
{
    const uint64_t bytes =
        image->file_bytes != HOSTED_SIZE_UNKNOWN ? image->file_bytes : image->image_bytes;
    char number[TEXT_NUMBER_BYTES], slot_number[TEXT_NUMBER_BYTES];

    if (chip >= 0 && image->chip_id != chip)
        return fault_set(fault, HOSTED_IMAGE, -EXDEV, "%s: the image is for %s, not for %s", name,
                         chip_words(image->chip_id), chip_words((uint16_t)chip));
    if (slot_bytes > 0 && bytes > slot_bytes)
        return fault_set(fault, HOSTED_IMAGE, -EFBIG,
                         "%s: %s bytes are too large for the slot of %s bytes", name,
                         text_number(number, bytes), text_number(slot_number, slot_bytes));
    return 0;
}
