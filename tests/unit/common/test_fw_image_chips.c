/* SPDX-License-Identifier: Apache-2.0 */
/* What differs from chip to chip: names, mapped addresses, MMU pages, the longest segment. */
#include "fw_image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "image_maker.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KIB          1024u

struct range {
    uint32_t from, to;
};

/* ESP-IDF's SOC_DROM_*, SOC_IROM_*, SOC_MMU_PAGE_SIZE_CONFIGURABLE and 32-bit cache map. */
static const struct chip {
    uint16_t id;
    const char *name;
    struct range mapped[2];
    bool own_pages;
    bool long_segments;
} chips[] = {
    {0x00, "ESP32", {{0x3f400000, 0x3f800000}, {0x400d0000, 0x40400000}}, false, false},
    {0x02, "ESP32-S2", {{0x3f000000, 0x3ff80000}, {0x40080000, 0x40800000}}, false, false},
    {0x05, "ESP32-C3", {{0x3c000000, 0x3c800000}, {0x42000000, 0x42800000}}, false, false},
    {0x09, "ESP32-S3", {{0x3c000000, 0x3e000000}, {0x42000000, 0x44000000}}, false, true},
    {0x0c, "ESP32-C2", {{0x3c000000, 0x3c400000}, {0x42000000, 0x42400000}}, true, false},
    {0x0d, "ESP32-C6", {{0x42000000, 0x43000000}}, true, false},
    {0x10, "ESP32-H2", {{0x42000000, 0x43000000}}, true, false},
    {0x12, "ESP32-P4", {{0x40000000, 0x44000000}, {0x48000000, 0x4c000000}}, false, true},
    {0x14, "ESP32-C61", {{0x42000000, 0x44000000}}, true, true},
    {0x17, "ESP32-C5", {{0x42000000, 0x44000000}}, false, true},
    {0x19, "ESP32-H21", {{0x42000000, 0x43000000}}, true, false},
    {0x1c, "ESP32-H4", {{0x42000000, 0x44000000}}, true, true},
    {0x20, "ESP32-S31", {{0x40000000, 0x44000000}, {0x50000000, 0x54000000}}, true, true},
};

static struct image s_image;

/* A head alone: the first segment's header and a descriptor with this page size. */
static enum fw_image_error head_error(const struct chip *chip, uint32_t address, uint32_t length,
                                      uint8_t page_log2)
{
    struct fw_image_reader reader;

    image_start(&s_image, chip->id, true);
    image_add(&s_image, address, 256);
    put_le32(s_image.bytes + 28, length);
    s_image.bytes[AT_DESCRIPTOR + 180] = page_log2;
    fw_image_reader_init(&reader, NULL);
    if (fw_image_reader_feed(&reader, s_image.bytes, FW_IMAGE_HEAD_BYTES) < 0)
        return reader.error;
    assert_true(reader.head_known);
    return FW_IMAGE_OK;
}

/* An image whose second segment is loaded at `address`; its data lies at 0x128. */
static enum fw_image_error second_error(const struct chip *chip, uint32_t address)
{
    image_start(&s_image, chip->id, true);
    image_add(&s_image, chip->mapped[0].from + 0x20, 256);
    image_add(&s_image, address, 16);
    image_seal(&s_image);
    return image_read(s_image.bytes, s_image.len, 4096).error;
}

static void mapped_segments_lie_as_in_flash(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(chips); i++) {
        for (size_t j = 0; j < COUNT(chips[i].mapped) && chips[i].mapped[j].to != 0; j++) {
            const struct range range = chips[i].mapped[j];

            print_message("    %s %08x\n", chips[i].name, range.from);
            assert_int_equal(head_error(&chips[i], range.from + 0x20, 256, 0), FW_IMAGE_OK);
            assert_int_equal(head_error(&chips[i], range.from, 256, 0),
                             FW_IMAGE_BAD_SEGMENT_ADDRESS);
            assert_int_equal(head_error(&chips[i], range.to - 4, 256, 0),
                             FW_IMAGE_BAD_SEGMENT_ADDRESS);

            assert_int_equal(second_error(&chips[i], range.from + 0x128), FW_IMAGE_OK);
            assert_int_equal(second_error(&chips[i], range.to - 64 * KIB + 0x128), FW_IMAGE_OK);
            assert_int_equal(second_error(&chips[i], range.from + 0x12c),
                             FW_IMAGE_BAD_SEGMENT_ADDRESS);
        }
    }
}

/* Is it in no mapped range of this chip? */
static bool is_unmapped(const struct chip *chip, uint32_t address)
{
    for (size_t i = 0; i < COUNT(chip->mapped); i++) {
        if (address >= chip->mapped[i].from && address < chip->mapped[i].to)
            return false;
    }
    return true;
}

static void other_segments_lie_anywhere(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(chips); i++) {
        assert_int_equal(second_error(&chips[i], 0), FW_IMAGE_OK); /* padding: never loaded */
        assert_int_equal(second_error(&chips[i], UINT32_MAX - 3), FW_IMAGE_OK);
        for (size_t j = 0; j < COUNT(chips[i].mapped) && chips[i].mapped[j].to != 0; j++) {
            const struct range range = chips[i].mapped[j];

            assert_true(is_unmapped(&chips[i], range.from - 4));
            assert_int_equal(second_error(&chips[i], range.from - 4), FW_IMAGE_OK);
            assert_true(is_unmapped(&chips[i], range.to));
            assert_int_equal(second_error(&chips[i], range.to), FW_IMAGE_OK);
        }
    }
}

static void pages_are_the_descriptors_where_the_chip_can(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(chips); i++) {
        const uint32_t base = chips[i].mapped[0].from + 0x20;

        for (uint8_t log2 = 0; log2 < 64; log2++) {
            /* The longest distance at which the segment cannot lie otherwise. */
            const bool own = chips[i].own_pages && log2 >= 13 && log2 <= 18;
            const uint32_t page = own ? 1u << log2 : 64 * KIB;

            assert_int_equal(head_error(&chips[i], base, 256, log2), FW_IMAGE_OK);
            assert_int_equal(head_error(&chips[i], base + page, 256, log2), FW_IMAGE_OK);
            assert_int_equal(head_error(&chips[i], base + page / 2, 256, log2),
                             FW_IMAGE_BAD_SEGMENT_ADDRESS);
        }
    }
}

static void the_page_size_holds_for_later_segments_too(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(chips); i++) {
        image_start(&s_image, chips[i].id, true);
        image_add(&s_image, chips[i].mapped[0].from + 0x20, 256);
        s_image.bytes[AT_DESCRIPTOR + 180] = 15; /* 32 KiB */
        image_add(&s_image, chips[i].mapped[0].from + 32 * KIB + 0x128, 16);
        image_seal(&s_image);
        assert_int_equal(image_read(s_image.bytes, s_image.len, 9).error,
                         chips[i].own_pages ? FW_IMAGE_OK : FW_IMAGE_BAD_SEGMENT_ADDRESS);
    }
}

static void the_longest_segment(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(chips); i++) {
        const uint32_t base = chips[i].mapped[0].from + 0x20;
        const enum fw_image_error above =
            chips[i].long_segments ? FW_IMAGE_OK : FW_IMAGE_BAD_SEGMENT_LENGTH;

        assert_int_equal(head_error(&chips[i], base, 0x1000000 - 4, 0), FW_IMAGE_OK);
        assert_int_equal(head_error(&chips[i], base, 0x1000000, 0), above);
        assert_int_equal(head_error(&chips[i], base, UINT32_MAX - 3, 0), above);
        assert_int_equal(head_error(&chips[i], base, UINT32_MAX, 0), FW_IMAGE_BAD_SEGMENT_LENGTH);
    }
}

/* Two segments of almost 4 GiB each, whose sum in 32 bits would be a small image. */
static void an_image_of_more_than_four_gib_is_none(void **state)
{
    (void)state;
    const struct chip *const esp32s3 = &chips[3];
    struct fw_image_reader reader;

    image_start(&s_image, esp32s3->id, false);
    image_add(&s_image, 0x3fc88000, 512);
    put_le32(s_image.bytes + 28, UINT32_MAX - 3);
    fw_image_reader_init(&reader, NULL);
    assert_int_equal(fw_image_reader_feed(&reader, s_image.bytes, s_image.len), 0);

    /* Reading 4 GiB takes a minute under a sanitizer: as if all but the last line had been read. */
    const uint32_t left = reader.state_left - 8;

    reader.offset += left;
    reader.state_left -= left;
    assert_int_equal(fw_image_reader_feed(&reader, "\0\0\0\0\0\0\0\0", 8), 0);
    assert_true(reader.offset > UINT32_MAX);
    for (int i = 0; i < 16 && reader.error == FW_IMAGE_OK; i++) {
        const uint8_t checksum = reader.checksum;

        fw_image_reader_feed(&reader, &checksum, 1);
    }
    assert_int_equal(reader.error, FW_IMAGE_BAD_SEGMENT_LENGTH);
}

static void chips_have_names(void **state)
{
    (void)state;
    static const char *const none[] = {"",       "-",       "esp",      "esp3",
                                       "esp32x", "esp8266", "esp32c33", "esp32c",
                                       "ESP 32", "esp32s",  "esp32_c3"};

    for (size_t i = 0; i < COUNT(chips); i++) {
        char token[16];
        size_t len = 0;

        for (const char *c = chips[i].name; *c != '\0'; c++) {
            if (*c != '-')
                token[len++] = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        }
        token[len] = '\0';
        assert_string_equal(fw_chip_name(chips[i].id), chips[i].name);
        assert_int_equal(fw_chip_by_name(chips[i].name), chips[i].id);
        assert_int_equal(fw_chip_by_name(token), chips[i].id);
    }
    for (size_t i = 0; i < COUNT(none); i++)
        assert_int_equal(fw_chip_by_name(none[i]), -EINVAL);
}

/* Ids of beta chips, of ones that never came, and all the rest. */
static void nothing_else_is_a_chip(void **state)
{
    (void)state;
    size_t known = 0;

    for (uint32_t id = 0; id <= UINT16_MAX; id++)
        known += fw_chip_name((uint16_t)id) != NULL;
    assert_int_equal(known, COUNT(chips));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mapped_segments_lie_as_in_flash),
        cmocka_unit_test(other_segments_lie_anywhere),
        cmocka_unit_test(pages_are_the_descriptors_where_the_chip_can),
        cmocka_unit_test(the_page_size_holds_for_later_segments_too),
        cmocka_unit_test(the_longest_segment),
        cmocka_unit_test(an_image_of_more_than_four_gib_is_none),
        cmocka_unit_test(chips_have_names),
        cmocka_unit_test(nothing_else_is_a_chip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
