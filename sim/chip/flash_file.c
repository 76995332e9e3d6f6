/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "little_endian.h"

enum {
    HEADER_BYTES = 24,
    DESCRIPTOR_BYTES = 256,
    CHECKSUM_SEED = 0xef,
};

/* Header and data of a segment; returns the place behind it. */
static uint8_t *put_segment(uint8_t *at, uint32_t address, const uint8_t *data, size_t len)
{
    put_le32(at, address);
    put_le32(at + 4, (uint32_t)len);
    memcpy(at + 8, data, len);
    return at + 8 + len;
}

static void put_descriptor(uint8_t desc[DESCRIPTOR_BYTES], const struct factory_image *image)
{
    memset(desc, 0, DESCRIPTOR_BYTES);
    put_le32(desc, 0xabcd5432);
    put_le32(desc + 4, image->secure_version);
    strncpy((char *)desc + 16, image->version, 31);
    strncpy((char *)desc + 48, image->project, 31);
    strcpy((char *)desc + 112, "sim");
    desc[180] = 16; /* 64 KiB pages of the MMU */
}

size_t factory_image_build(const struct chip_model *model, const struct factory_image *image,
                           uint8_t buf[FACTORY_IMAGE_MAX])
{
    uint8_t desc[DESCRIPTOR_BYTES];
    uint8_t code[64] = {0};
    const size_t marker_len = image->marker != NULL ? strlen(image->marker) : 0;
    uint8_t checksum = CHECKSUM_SEED;
    const uint32_t ram = model->instruction_ram;

    put_descriptor(desc, image);
    memcpy(code, image->marker != NULL ? image->marker : "", marker_len);
    memset(buf, 0, FACTORY_IMAGE_MAX);
    buf[0] = 0xe9;
    buf[1] = 2;    /* segments */
    buf[2] = 2;    /* DIO */
    buf[3] = 0x20; /* 4 MB, as ESP-IDF writes by default */
    put_le32(buf + 4, ram);
    buf[8] = 0xee; /* no WP pin */
    buf[12] = (uint8_t)(model->id & 0xff);
    buf[13] = (uint8_t)(model->id >> 8);
    buf[23] = 1; /* a digest follows */

    /* Data of a mapped segment must lie at the same place of a page in flash and in memory. */
    uint8_t *end = put_segment(buf + HEADER_BYTES, model->mapped[0].from + HEADER_BYTES + 8, desc,
                               sizeof(desc));

    end = put_segment(end, ram, code, sizeof(code));
    for (size_t i = 0; i < sizeof(desc); i++)
        checksum ^= desc[i];
    for (size_t i = 0; i < sizeof(code); i++)
        checksum ^= code[i];

    const size_t len = ((size_t)(end - buf) + 16) / 16 * 16;

    buf[len - 1] = checksum;
    EVP_Digest(buf, len, buf + len, NULL, EVP_sha256(), NULL);
    return len + 32;
}

static const struct partition *first_application(const struct partition_table *table)
{
    const struct partition *factory =
        partition_table_find(table, PARTITION_APP, PARTITION_APP_FACTORY);

    return factory != NULL ? factory
                           : partition_table_find(table, PARTITION_APP, PARTITION_APP_OTA_0);
}

static bool fits(const struct partition_table *table, uint32_t size)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct partition *entry = &table->entries[i];

        if (entry->offset > size || entry->size > size - entry->offset)
            return false;
    }
    return true;
}

static void fill(uint8_t *bytes, const struct chip_model *model,
                 const struct partition_table *table, const struct factory_image *image)
{
    const struct partition *application = first_application(table);
    uint8_t buf[FACTORY_IMAGE_MAX];

    partition_table_render(table, bytes + PARTITION_TABLE_OFFSET);
    if (application != NULL)
        memcpy(bytes + application->offset, buf, factory_image_build(model, image, buf));
}

/* Under another name first: a file of that name is a whole one. */
static int make(const char *path, uint32_t size, const uint8_t *bytes)
{
    char temporary[4096];
    int rc = 0;

    if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;

    const int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0)
        return -errno;
    for (uint32_t at = 0; rc == 0 && at < size;) {
        const ssize_t n = write(fd, bytes + at, size - at);

        if (n < 0)
            rc = -errno;
        else
            at += (uint32_t)n;
    }
    if (rc == 0 && rename(temporary, path) < 0)
        rc = -errno;
    if (rc < 0) {
        unlink(temporary);
        close(fd);
        return rc;
    }
    return fd;
}

static int make_new(const char *path, uint32_t size, const struct chip_model *model,
                    const struct partition_table *table, const struct factory_image *image)
{
    uint8_t *bytes = malloc(size);
    int rc = -ENOMEM;

    if (bytes != NULL) {
        memset(bytes, 0xff, size);
        fill(bytes, model, table, image);
        rc = make(path, size, bytes);
    }
    free(bytes);
    return rc;
}

static int check_size(int fd, const char *path, uint32_t size, char *why, size_t why_size)
{
    struct stat status;

    if (fstat(fd, &status) == 0 && status.st_size == (off_t)size)
        return fd;
    snprintf(why, why_size, "%s: the file has not the %u bytes of the flash chip", path, size);
    close(fd);
    return -EINVAL;
}

int flash_file_open(const char *path, uint32_t size, const struct chip_model *model,
                    const struct partition_table *table, const struct factory_image *image,
                    char *why, size_t why_size)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd >= 0)
        return check_size(fd, path, size, why, why_size);
    if (errno == ENOENT && !fits(table, size)) {
        snprintf(why, why_size, "the partition table does not fit a flash of %u bytes", size);
        return -EINVAL;
    }
    fd = errno == ENOENT ? make_new(path, size, model, table, image) : -errno;
    if (fd < 0)
        snprintf(why, why_size, "%s: %s", path, strerror(-fd));
    return fd;
}
