/* SPDX-License-Identifier: Apache-2.0 */
#include "image_check.h"

#include <errno.h>
#include <string.h>

#include "fault.h"
#include "text.h"

static void digest_update(void *ctx, const void *data, size_t len)
{
    EVP_DigestUpdate(ctx, data, len);
}

static void digest_finish(void *ctx, uint8_t digest[FW_IMAGE_DIGEST_BYTES])
{
    /* Where libcrypto fails, all zero is left, which no image carries. */
    memset(digest, 0, FW_IMAGE_DIGEST_BYTES);
    EVP_DigestFinal_ex(ctx, digest, NULL);
}

int image_check_init(struct image_check *check, const char *name, struct hosted_fault *fault)
{
    check->name = name;
    check->fed_bytes = 0;
    check->digest = EVP_MD_CTX_new();
    if (check->digest == NULL || EVP_DigestInit_ex(check->digest, EVP_sha256(), NULL) != 1)
        return fault_set(fault, HOSTED_LOCAL, -ENOMEM, "%s: libcrypto gives no SHA-256", name);

    const struct fw_image_hash hash = {
        .ctx = check->digest,
        .update = digest_update,
        .finish = digest_finish,
    };

    fw_image_reader_init(&check->reader, &hash);
    return 0;
}

void image_check_free(struct image_check *check)
{
    EVP_MD_CTX_free(check->digest);
    check->digest = NULL;
}

static int refuse(const struct image_check *check, struct hosted_fault *fault)
{
    return fault_set(fault, HOSTED_IMAGE, -EBADMSG, "%s: %s", check->name,
                     fw_image_error_text(check->reader.error));
}

int image_check_feed(struct image_check *check, const void *data, size_t len,
                     struct hosted_fault *fault)
{
    check->fed_bytes += len;
    return fw_image_reader_feed(&check->reader, data, len) < 0 ? refuse(check, fault) : 0;
}

int image_check_finish(struct image_check *check, struct hosted_fault *fault)
{
    return fw_image_reader_finish(&check->reader) < 0 ? refuse(check, fault) : 0;
}

void image_check_describe(const struct image_check *check, struct hosted_image *ret)
{
    const struct fw_image_info *info = &check->reader.info;

    ret->chip_id = info->chip_id;
    text_printable(ret->project, sizeof(ret->project), info->project, strlen(info->project));
    text_printable(ret->version, sizeof(ret->version), info->version, strlen(info->version));
    ret->image_bytes = info->image_bytes;
    ret->digest_appended = info->digest_appended;
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
