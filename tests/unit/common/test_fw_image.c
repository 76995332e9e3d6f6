/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fw_image.h"

/* Header, a segment with nothing but a descriptor, checksum; no digest. */
#define IMAGE_BYTES 304

static void make_image(uint8_t image[IMAGE_BYTES])
{
    uint8_t checksum = 0xef;

    memset(image, 0, IMAGE_BYTES);
    memcpy(image, "\xe9\x01\x02\x20", 4);
    memcpy(image + 24, "\x20\x00\x40\x3f\x00\x01\x00\x00\x32\x54\xcd\xab", 12);
    memcpy(image + 48, "1.2.3", 5);
    for (size_t i = 32; i < 288; i++)
        checksum ^= image[i];
    image[IMAGE_BYTES - 1] = checksum;
}

static enum fw_image_error read_image(const uint8_t *image, size_t len, size_t split)
{
    struct fw_image_reader reader;

    fw_image_reader_init(&reader, NULL);
    if (fw_image_reader_feed(&reader, image, split) == 0)
        (void)fw_image_reader_feed(&reader, image + split, len - split);
    (void)fw_image_reader_finish(&reader);
    return reader.error;
}

static void every_split_reads_the_same(void **state)
{
    uint8_t image[IMAGE_BYTES];

    (void)state;
    make_image(image);
    for (size_t split = 0; split <= IMAGE_BYTES; split++)
        assert_int_equal(read_image(image, IMAGE_BYTES, split), FW_IMAGE_OK);
    for (size_t len = 1; len < IMAGE_BYTES; len++)
        assert_int_equal(read_image(image, len, len / 2), FW_IMAGE_TRUNCATED);
    assert_int_equal(read_image(image, 0, 0), FW_IMAGE_EMPTY);
}

static void each_damage_has_its_name(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
        enum fw_image_error error;
    } damages[] = {
        {0, 0xea, FW_IMAGE_BAD_MAGIC},
        {1, 0, FW_IMAGE_BAD_SEGMENT_COUNT},
        {1, 17, FW_IMAGE_BAD_SEGMENT_COUNT},
        {12, 0xee, FW_IMAGE_UNKNOWN_CHIP},
        {23, 2, FW_IMAGE_BAD_HASH_FLAG},
        {28, 1, FW_IMAGE_BAD_SEGMENT_LENGTH},
        {31, 1, FW_IMAGE_BAD_SEGMENT_LENGTH},
        {29, 0, FW_IMAGE_NO_DESCRIPTOR},
        {24, 0x24, FW_IMAGE_BAD_SEGMENT_ADDRESS},
        {32, 0, FW_IMAGE_NO_DESCRIPTOR},
        {200, 1, FW_IMAGE_BAD_CHECKSUM},
        {23, 1, FW_IMAGE_TRUNCATED}, /* a digest was promised */
    };
    uint8_t image[IMAGE_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        make_image(image);
        image[damages[i].at] = damages[i].value;
        assert_int_equal(read_image(image, IMAGE_BYTES, 100), damages[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_reads_the_same),
        cmocka_unit_test(each_damage_has_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
