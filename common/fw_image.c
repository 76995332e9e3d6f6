/* SPDX-License-Identifier: Apache-2.0 */
#include "fw_image.h"

#include <errno.h>
#include <string.h>

enum {
    HEADER_BYTES = 24,
    SEGMENT_HEADER_BYTES = 8,
    DESCRIPTOR_BYTES = 256,
    DESCRIPTOR_AT = HEADER_BYTES + SEGMENT_HEADER_BYTES,
    MAX_SEGMENTS = 16,
    CHECKSUM_SEED = 0xef,
    ALIGNMENT = 16,
};

/* Segments of older chips: ESP-IDF refuses 16 MiB and more. */
#define SEGMENT_LIMIT_16M  0x1000000u
#define SEGMENT_LIMIT_NONE UINT32_MAX

#define MMU_PAGE_BYTES   0x10000u /* unless the descriptor says otherwise */
#define DESCRIPTOR_MAGIC 0xabcd5432u

struct address_range {
    uint32_t from, to; /* `to` is behind the last address */
};

/* ESP-IDF, components/soc and bootloader_support of each chip. */
struct chip {
    uint16_t id;
    const char *name;  /* as people write it */
    const char *token; /* as tools write it */
    struct address_range mapped[2];
    uint32_t segment_limit;
    bool own_page_size; /* the descriptor may name another MMU page */
};

static const struct chip chips[] = {
    {FW_CHIP_ESP32,
     "ESP32",
     "esp32",
     {{0x3f400000, 0x3f800000}, {0x400d0000, 0x40400000}},
     SEGMENT_LIMIT_16M,
     false},
    {FW_CHIP_ESP32S2,
     "ESP32-S2",
     "esp32s2",
     {{0x3f000000, 0x3ff80000}, {0x40080000, 0x40800000}},
     SEGMENT_LIMIT_16M,
     false},
    {FW_CHIP_ESP32C3,
     "ESP32-C3",
     "esp32c3",
     {{0x3c000000, 0x3c800000}, {0x42000000, 0x42800000}},
     SEGMENT_LIMIT_16M,
     false},
    {FW_CHIP_ESP32S3,
     "ESP32-S3",
     "esp32s3",
     {{0x3c000000, 0x3e000000}, {0x42000000, 0x44000000}},
     SEGMENT_LIMIT_NONE,
     false},
    {FW_CHIP_ESP32C2,
     "ESP32-C2",
     "esp32c2",
     {{0x3c000000, 0x3c400000}, {0x42000000, 0x42400000}},
     SEGMENT_LIMIT_16M,
     true},
    {FW_CHIP_ESP32C6, "ESP32-C6", "esp32c6", {{0x42000000, 0x43000000}}, SEGMENT_LIMIT_16M, true},
    {FW_CHIP_ESP32H2, "ESP32-H2", "esp32h2", {{0x42000000, 0x43000000}}, SEGMENT_LIMIT_16M, true},
    {FW_CHIP_ESP32P4,
     "ESP32-P4",
     "esp32p4",
     {{0x40000000, 0x44000000}, {0x48000000, 0x4c000000}},
     SEGMENT_LIMIT_NONE,
     false},
    {FW_CHIP_ESP32C61,
     "ESP32-C61",
     "esp32c61",
     {{0x42000000, 0x44000000}},
     SEGMENT_LIMIT_NONE,
     true},
    {FW_CHIP_ESP32C5, "ESP32-C5", "esp32c5", {{0x42000000, 0x44000000}}, SEGMENT_LIMIT_NONE, false},
    {FW_CHIP_ESP32H21,
     "ESP32-H21",
     "esp32h21",
     {{0x42000000, 0x43000000}},
     SEGMENT_LIMIT_16M,
     true},
    {FW_CHIP_ESP32H4, "ESP32-H4", "esp32h4", {{0x42000000, 0x44000000}}, SEGMENT_LIMIT_NONE, true},
    {FW_CHIP_ESP32S31,
     "ESP32-S31",
     "esp32s31",
     {{0x40000000, 0x44000000}, {0x50000000, 0x54000000}},
     SEGMENT_LIMIT_NONE,
     true},
};

static const struct chip *chip_find(uint16_t id)
{
    for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]); i++) {
        if (chips[i].id == id)
            return &chips[i];
    }
    return NULL;
}

static uint16_t get_le16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t get_le32(const uint8_t *at)
{
    return (uint32_t)get_le16(at) | (uint32_t)get_le16(at + 2) << 16;
}

static int refuse(struct fw_image_reader *reader, enum fw_image_error error)
{
    reader->error = error;
    return -EBADMSG;
}

static void enter(struct fw_image_reader *reader, enum fw_image_state state, uint32_t bytes)
{
    reader->state = state;
    reader->state_left = bytes;
}

static int header_done(struct fw_image_reader *reader)
{
    const uint8_t *head = reader->head;
    struct fw_image_info *info = &reader->info;

    info->segment_count = head[1];
    info->entry_address = get_le32(head + 4);
    info->chip_id = get_le16(head + 12);
    info->min_chip_rev = get_le16(head + 15);
    info->max_chip_rev = get_le16(head + 17);
    info->digest_appended = head[23] == 1;

    if (chip_find(info->chip_id) == NULL)
        return refuse(reader, FW_IMAGE_UNKNOWN_CHIP);
    if (info->segment_count == 0 || info->segment_count > MAX_SEGMENTS)
        return refuse(reader, FW_IMAGE_BAD_SEGMENT_COUNT);
    if (head[23] > 1)
        return refuse(reader, FW_IMAGE_BAD_HASH_FLAG);
    reader->segments_left = info->segment_count;
    enter(reader, FW_IMAGE_IN_SEGMENT_HEADER, SEGMENT_HEADER_BYTES);
    return 0;
}

/* The flash address of a mapped segment and its load address must lie at one place of a page. */
static bool maps_onto_pages(const struct fw_image_reader *reader, uint32_t load_address)
{
    const struct chip *chip = chip_find(reader->info.chip_id);

    for (size_t i = 0; i < sizeof(chip->mapped) / sizeof(chip->mapped[0]); i++) {
        const struct address_range *range = &chip->mapped[i];

        if (load_address >= range->from && load_address < range->to)
            return reader->offset % reader->page_bytes == load_address % reader->page_bytes;
    }
    return true; /* RAM, or padding that is loaded nowhere */
}

static int segment_header_done(struct fw_image_reader *reader)
{
    const bool first = reader->segments_left == reader->info.segment_count;
    const uint32_t load_address = get_le32(reader->small);
    const uint32_t length = get_le32(reader->small + 4);

    if (length % 4 != 0 || length >= chip_find(reader->info.chip_id)->segment_limit)
        return refuse(reader, FW_IMAGE_BAD_SEGMENT_LENGTH);
    if (first && length < DESCRIPTOR_BYTES)
        return refuse(reader, FW_IMAGE_NO_DESCRIPTOR);
    /* The page size of the first segment is in the descriptor behind this header: checked there. */
    if (first)
        reader->first_address = load_address;
    else if (!maps_onto_pages(reader, load_address))
        return refuse(reader, FW_IMAGE_BAD_SEGMENT_ADDRESS);
    reader->segments_left--;
    enter(reader, FW_IMAGE_IN_SEGMENT, length);
    return 0;
}

static void take_string(char *to, const uint8_t *from)
{
    memcpy(to, from, 32);
    to[32] = '\0';
}

static int descriptor_done(struct fw_image_reader *reader)
{
    const uint8_t *desc = reader->head + DESCRIPTOR_AT;
    struct fw_image_info *info = &reader->info;
    const uint8_t page_log2 = desc[180];

    if (get_le32(desc) != DESCRIPTOR_MAGIC)
        return refuse(reader, FW_IMAGE_NO_DESCRIPTOR);
    info->secure_version = get_le32(desc + 4);
    take_string(info->version, desc + 16);
    take_string(info->project, desc + 48);
    take_string(info->idf_version, desc + 112);
    memcpy(info->elf_sha256, desc + 144, sizeof(info->elf_sha256));

    /* 8 to 256 KiB; anything else means the default, as in ESP-IDF. */
    if (chip_find(info->chip_id)->own_page_size && page_log2 >= 13 && page_log2 <= 18)
        reader->page_bytes = 1u << page_log2;

    /* As seen from the start of the segment's data, 256 bytes back. */
    const uint64_t offset = reader->offset;

    reader->offset = DESCRIPTOR_AT;
    const bool fits = maps_onto_pages(reader, reader->first_address);

    reader->offset = offset;
    if (!fits)
        return refuse(reader, FW_IMAGE_BAD_SEGMENT_ADDRESS);
    reader->head_known = true;
    return 0;
}

/* The checksum is the last byte of a 16-byte line, with up to 15 bytes of padding before it. */
static void enter_padding(struct fw_image_reader *reader)
{
    enter(reader, FW_IMAGE_IN_PADDING, (uint32_t)(ALIGNMENT - reader->offset % ALIGNMENT));
}

static int padding_done(struct fw_image_reader *reader, uint8_t last)
{
    if (last != reader->checksum)
        return refuse(reader, FW_IMAGE_BAD_CHECKSUM);
    if (reader->offset > UINT32_MAX - FW_IMAGE_DIGEST_BYTES)
        return refuse(reader, FW_IMAGE_BAD_SEGMENT_LENGTH);
    if (reader->info.digest_appended) {
        /* Here and not behind the digest: the caller may hash on, through all of the file. */
        if (reader->hash.finish != NULL)
            reader->hash.finish(reader->hash.ctx, reader->digest);
        enter(reader, FW_IMAGE_IN_DIGEST, FW_IMAGE_DIGEST_BYTES);
    } else {
        reader->info.image_bytes = (uint32_t)reader->offset;
        enter(reader, FW_IMAGE_BEHIND_END, 0);
    }
    return 0;
}

static int digest_done(struct fw_image_reader *reader)
{
    if (reader->hash.finish != NULL &&
        memcmp(reader->digest, reader->small, sizeof(reader->digest)) != 0)
        return refuse(reader, FW_IMAGE_BAD_DIGEST);
    reader->info.image_bytes = (uint32_t)reader->offset;
    enter(reader, FW_IMAGE_BEHIND_END, 0);
    return 0;
}

static void add_to_checksum(struct fw_image_reader *reader, const uint8_t *data, size_t len)
{
    uint64_t words = 0;
    uint8_t sum = reader->checksum;

    /* Eight bytes at a time: every byte of an image goes through here. */
    for (; len >= sizeof(words); data += sizeof(words), len -= sizeof(words)) {
        uint64_t word;

        memcpy(&word, data, sizeof(word));
        words ^= word;
    }
    for (; words != 0; words >>= 8)
        sum ^= (uint8_t)words;
    for (size_t i = 0; i < len; i++)
        sum ^= data[i];
    reader->checksum = sum;
}

/* Keeps what the reader must see again: the head of the image, a segment's header, the digest. */
static void keep(struct fw_image_reader *reader, const uint8_t *data, size_t len)
{
    if (reader->offset < FW_IMAGE_HEAD_BYTES) {
        const size_t room = FW_IMAGE_HEAD_BYTES - (size_t)reader->offset;

        memcpy(reader->head + reader->offset, data, len < room ? len : room);
    }
    if (reader->state == FW_IMAGE_IN_SEGMENT_HEADER)
        memcpy(reader->small + SEGMENT_HEADER_BYTES - reader->state_left, data, len);
    else if (reader->state == FW_IMAGE_IN_DIGEST)
        memcpy(reader->small + FW_IMAGE_DIGEST_BYTES - reader->state_left, data, len);
}

static int state_done(struct fw_image_reader *reader, uint8_t last)
{
    switch (reader->state) {
    case FW_IMAGE_IN_HEADER:
        return header_done(reader);
    case FW_IMAGE_IN_SEGMENT_HEADER:
        return segment_header_done(reader);
    case FW_IMAGE_IN_SEGMENT:
        if (reader->segments_left > 0)
            enter(reader, FW_IMAGE_IN_SEGMENT_HEADER, SEGMENT_HEADER_BYTES);
        else
            enter_padding(reader);
        return 0;
    case FW_IMAGE_IN_PADDING:
        return padding_done(reader, last);
    case FW_IMAGE_IN_DIGEST:
        return digest_done(reader);
    case FW_IMAGE_BEHIND_END:
        break;
    }
    return 0;
}

/* How much of `len` belongs to one state, and does not cross the end of the descriptor. */
static size_t piece(const struct fw_image_reader *reader, size_t len)
{
    size_t n = len < reader->state_left ? len : reader->state_left;

    if (reader->offset < FW_IMAGE_HEAD_BYTES && n > FW_IMAGE_HEAD_BYTES - reader->offset)
        n = (size_t)(FW_IMAGE_HEAD_BYTES - reader->offset);
    return n;
}

static int take(struct fw_image_reader *reader, const uint8_t *data, size_t len)
{
    keep(reader, data, len);
    if (reader->state == FW_IMAGE_IN_SEGMENT)
        add_to_checksum(reader, data, len);
    if (reader->state != FW_IMAGE_IN_DIGEST && reader->hash.update != NULL)
        reader->hash.update(reader->hash.ctx, data, len);
    reader->offset += len;
    reader->state_left -= (uint32_t)len;

    if (reader->offset == FW_IMAGE_HEAD_BYTES && !reader->head_known) {
        const int rc = descriptor_done(reader);

        if (rc < 0)
            return rc;
    }
    return reader->state_left == 0 ? state_done(reader, data[len - 1]) : 0;
}

void fw_image_reader_init(struct fw_image_reader *reader, const struct fw_image_hash *hash)
{
    memset(reader, 0, sizeof(*reader));
    if (hash != NULL)
        reader->hash = *hash;
    reader->checksum = CHECKSUM_SEED;
    reader->page_bytes = MMU_PAGE_BYTES;
    enter(reader, FW_IMAGE_IN_HEADER, HEADER_BYTES);
}

int fw_image_reader_feed(struct fw_image_reader *reader, const void *data, size_t len)
{
    const uint8_t *next = data;

    if (reader->error != FW_IMAGE_OK)
        return -EBADMSG;
    /* Told by the first byte: what is no image at all should not be waited for. */
    if (reader->offset == 0 && len > 0 && next[0] != 0xe9)
        return refuse(reader, FW_IMAGE_BAD_MAGIC);

    while (len > 0 && reader->state != FW_IMAGE_BEHIND_END) {
        const size_t n = piece(reader, len);
        const int rc = take(reader, next, n);

        if (rc < 0)
            return rc;
        next += n;
        len -= n;
        /* A segment without data ends where it begins. */
        while (reader->state == FW_IMAGE_IN_SEGMENT && reader->state_left == 0)
            state_done(reader, 0);
    }
    return 0;
}

int fw_image_reader_finish(struct fw_image_reader *reader)
{
    if (reader->error != FW_IMAGE_OK)
        return -EBADMSG;
    if (reader->offset == 0)
        return refuse(reader, FW_IMAGE_EMPTY);
    if (reader->state != FW_IMAGE_BEHIND_END)
        return refuse(reader, FW_IMAGE_TRUNCATED);
    return 0;
}

const char *fw_image_error_text(enum fw_image_error error)
{
    switch (error) {
    case FW_IMAGE_OK:
        return "it is valid";
    case FW_IMAGE_EMPTY:
        return "it is empty";
    case FW_IMAGE_BAD_MAGIC:
        return "it is no ESP application image: it does not begin with 0xE9";
    case FW_IMAGE_UNKNOWN_CHIP:
        return "it is for a chip that does not exist: the file is damaged or no image";
    case FW_IMAGE_BAD_SEGMENT_COUNT:
        return "its number of segments is not 1 to 16: the file is damaged";
    case FW_IMAGE_BAD_SEGMENT_LENGTH:
        return "the length of a segment is impossible: the file is damaged";
    case FW_IMAGE_BAD_SEGMENT_ADDRESS:
        return "a segment cannot be mapped to its address: the file is damaged";
    case FW_IMAGE_NO_DESCRIPTOR:
        return "it has no application descriptor: a boot loader or another file, not an "
               "application";
    case FW_IMAGE_BAD_HASH_FLAG:
        return "its header is damaged: the digest flag is neither 0 nor 1";
    case FW_IMAGE_TRUNCATED:
        return "it is cut off: the file ends before the image does";
    case FW_IMAGE_BAD_CHECKSUM:
        return "its checksum is wrong: the file is damaged";
    case FW_IMAGE_BAD_DIGEST:
        return "its SHA-256 digest is wrong: the file is damaged";
    }
    return "it is invalid";
}

const char *fw_chip_name(uint16_t chip_id)
{
    const struct chip *chip = chip_find(chip_id);

    return chip != NULL ? chip->name : NULL;
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Equal but for case and hyphens. */
static bool same_token(const char *token, const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name == '-')
            continue;
        if (*token == '\0' || to_lower(*name) != *token)
            return false;
        token++;
    }
    return *token == '\0';
}

int fw_chip_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]); i++) {
        if (same_token(chips[i].token, name))
            return chips[i].id;
    }
    return -EINVAL;
}
