/* SPDX-License-Identifier: Apache-2.0 */
#include "fw_image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image_maker.h"
#include "noise.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct image s_image; /* larger than a stack likes */

/* Where things are in the golden image. */
enum {
    SEGMENT_0 = 0x18,
    SEGMENT_1 = 0x120,
    CHECKSUM = 0x12f,
    DIGEST = 0x130,
};

static void check_golden_info(const struct fw_image_info *info)
{
    assert_int_equal(info->chip_id, FW_CHIP_ESP32);
    assert_int_equal(info->segment_count, 2);
    assert_true(info->digest_appended);
    assert_int_equal(info->min_chip_rev, 0);
    assert_int_equal(info->max_chip_rev, 399);
    assert_int_equal(info->entry_address, 0x40080000);
    assert_int_equal(info->secure_version, 0);
    assert_string_equal(info->version, "0.0.1");
    assert_string_equal(info->project, "demo");
    assert_string_equal(info->idf_version, "v5.5.5");
    for (int i = 0; i < 32; i++)
        assert_int_equal(info->elf_sha256[i], i);
}

static void the_smallest_image_in_pieces_of_any_size(void **state)
{
    (void)state;

    for (size_t piece = 1; piece <= sizeof(image_golden); piece++) {
        const struct verdict verdict = image_read(image_golden, sizeof(image_golden), piece);

        assert_int_equal(verdict.error, FW_IMAGE_OK);
        assert_int_equal(verdict.info.image_bytes, 336);
        check_golden_info(&verdict.info);
    }
}

static void the_smallest_image_split_anywhere(void **state)
{
    (void)state;

    for (size_t split = 0; split <= sizeof(image_golden); split++) {
        const struct fw_image_hash hash = hash_begin();
        struct fw_image_reader reader;

        fw_image_reader_init(&reader, &hash);
        assert_int_equal(fw_image_reader_feed(&reader, image_golden, split), 0);
        assert_int_equal(reader.head_known, split >= FW_IMAGE_HEAD_BYTES);
        assert_int_equal(reader.info.image_bytes, split < sizeof(image_golden) ? 0 : 336);
        if (reader.head_known)
            check_golden_info(&reader.info);
        assert_int_equal(fw_image_reader_feed(&reader, NULL, 0), 0);
        assert_int_equal(
            fw_image_reader_feed(&reader, image_golden + split, sizeof(image_golden) - split), 0);
        assert_int_equal(fw_image_reader_finish(&reader), 0);
        assert_int_equal(reader.info.image_bytes, 336);
        hash_end(&hash);
    }
}

static void the_smallest_image_of_an_esp32c3(void **state)
{
    (void)state;
    static const uint8_t digest[] = {
        0xa3, 0x93, 0x98, 0x58, 0xaf, 0x1f, 0xbb, 0x65, 0xa2, 0xe9, 0xc3,
        0xed, 0xd0, 0x22, 0xc2, 0x5b, 0xfd, 0x43, 0x43, 0x85, 0x10, 0x9e,
        0x37, 0xcb, 0xd9, 0xd1, 0x84, 0x33, 0xad, 0x98, 0x3b, 0xb2,
    };
    uint8_t image[sizeof(image_golden)];

    memcpy(image, image_golden, sizeof(image));
    image[3] = 0x2f;
    put_le32(image + 4, 0x40380000);
    image[AT_CHIP_ID] = FW_CHIP_ESP32C3;
    put_le32(image + SEGMENT_0, 0x3c000020);
    put_le32(image + SEGMENT_1, 0x40380000);
    memcpy(image + DIGEST, digest, sizeof(digest));

    const struct verdict verdict = image_read(image, sizeof(image), sizeof(image));

    assert_int_equal(verdict.error, FW_IMAGE_OK);
    assert_int_equal(verdict.info.chip_id, FW_CHIP_ESP32C3);
    assert_int_equal(verdict.info.entry_address, 0x40380000);
    assert_int_equal(verdict.info.image_bytes, 336);
}

static void what_follows_the_image_is_nobodys_business(void **state)
{
    (void)state;
    uint8_t file[336 + 5000];
    static const size_t lengths[] = {337, 352, 4096, sizeof(file)};
    static const size_t pieces[] = {1, 335, 336, 337, sizeof(file)};

    memset(file, 0xe7, sizeof(file));
    memcpy(file, image_golden, sizeof(image_golden));
    for (size_t i = 0; i < COUNT(lengths); i++) {
        for (size_t j = 0; j < COUNT(pieces); j++) {
            const struct verdict verdict = image_read(file, lengths[i], pieces[j]);

            assert_int_equal(verdict.error, FW_IMAGE_OK);
            assert_int_equal(verdict.info.image_bytes, 336);
        }
    }
}

static void any_prefix_is_truncated(void **state)
{
    (void)state;

    assert_int_equal(image_read(image_golden, 0, 1).error, FW_IMAGE_EMPTY);
    for (size_t len = 1; len < sizeof(image_golden); len++) {
        const struct verdict verdict = image_read(image_golden, len, len);

        assert_int_equal(verdict.error, FW_IMAGE_TRUNCATED);
        assert_int_equal(verdict.info.image_bytes, 0);
    }
}

/* But one, and the chip is no wiser: whoever says that there is no digest has none looked at. */
static void no_bit_can_change_unnoticed(void **state)
{
    (void)state;
    const size_t digest_flag = (size_t)AT_HASH_FLAG * 8;
    uint8_t image[sizeof(image_golden)];

    memcpy(image, image_golden, sizeof(image));
    for (size_t bit = 0; bit < sizeof(image) * 8; bit++) {
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);

        const struct verdict verdict = image_read(image, sizeof(image), 100);

        assert_int_equal(verdict.error == FW_IMAGE_OK, bit == digest_flag);
        if (bit == digest_flag)
            assert_int_equal(verdict.info.image_bytes, DIGEST);
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* One field of the golden image changed, its digest made right again: what else is noticed? */
struct change {
    const char *name;
    size_t at;
    uint32_t value;
    size_t width; /* bytes of the value */
    enum fw_image_error error;
    size_t known_at; /* so many bytes suffice to refuse it */
};

static const struct change changes[] = {
    {"magic of an ESP8266", 0, 0xea, 1, FW_IMAGE_BAD_MAGIC, 1},
    {"magic 0", 0, 0, 1, FW_IMAGE_BAD_MAGIC, 1},
    {"chip 1", AT_CHIP_ID, 1, 2, FW_IMAGE_UNKNOWN_CHIP, 24},
    {"chip 0x100", AT_CHIP_ID, 0x100, 2, FW_IMAGE_UNKNOWN_CHIP, 24},
    {"chip 0xffff", AT_CHIP_ID, 0xffff, 2, FW_IMAGE_UNKNOWN_CHIP, 24},
    {"no segment", AT_SEGMENT_COUNT, 0, 1, FW_IMAGE_BAD_SEGMENT_COUNT, 24},
    {"17 segments", AT_SEGMENT_COUNT, 17, 1, FW_IMAGE_BAD_SEGMENT_COUNT, 24},
    {"255 segments", AT_SEGMENT_COUNT, 255, 1, FW_IMAGE_BAD_SEGMENT_COUNT, 24},
    {"hash flag 2", AT_HASH_FLAG, 2, 1, FW_IMAGE_BAD_HASH_FLAG, 24},
    {"hash flag 255", AT_HASH_FLAG, 255, 1, FW_IMAGE_BAD_HASH_FLAG, 24},
    {"length 257", SEGMENT_0 + 4, 257, 4, FW_IMAGE_BAD_SEGMENT_LENGTH, 32},
    {"length 258", SEGMENT_0 + 4, 258, 4, FW_IMAGE_BAD_SEGMENT_LENGTH, 32},
    {"length 16 MiB", SEGMENT_0 + 4, 0x1000000, 4, FW_IMAGE_BAD_SEGMENT_LENGTH, 32},
    {"length -1", SEGMENT_0 + 4, UINT32_MAX, 4, FW_IMAGE_BAD_SEGMENT_LENGTH, 32},
    {"length -4", SEGMENT_0 + 4, UINT32_MAX - 3, 4, FW_IMAGE_BAD_SEGMENT_LENGTH, 32},
    {"no room for a descriptor", SEGMENT_0 + 4, 252, 4, FW_IMAGE_NO_DESCRIPTOR, 32},
    {"an empty first segment", SEGMENT_0 + 4, 0, 4, FW_IMAGE_NO_DESCRIPTOR, 32},
    {"descriptor's magic", AT_DESCRIPTOR + 3, 0xac, 1, FW_IMAGE_NO_DESCRIPTOR, 288},
    {"a boot loader's descriptor", AT_DESCRIPTOR, 80, 4, FW_IMAGE_NO_DESCRIPTOR, 288},
    {"first address", SEGMENT_0, 0x3f400024, 4, FW_IMAGE_BAD_SEGMENT_ADDRESS, 288},
    {"second address", SEGMENT_1, 0x400d0020, 4, FW_IMAGE_BAD_SEGMENT_ADDRESS, 0x128},
    {"second length", SEGMENT_1 + 4, 3, 4, FW_IMAGE_BAD_SEGMENT_LENGTH, 0x128},
    {"second length 16 MiB", SEGMENT_1 + 4, 0x1000000, 4, FW_IMAGE_BAD_SEGMENT_LENGTH, 0x128},
    {"second length too long", SEGMENT_1 + 4, 0x1000, 4, FW_IMAGE_TRUNCATED, 0},
    {"data", SEGMENT_1 + 8, 0x37, 1, FW_IMAGE_BAD_CHECKSUM, DIGEST},
    {"checksum", CHECKSUM, 0xc8, 1, FW_IMAGE_BAD_CHECKSUM, DIGEST},
    {"padding", CHECKSUM - 1, 1, 1, FW_IMAGE_OK, 0}, /* the chip does not look at it either */
    {"second address, in RAM", SEGMENT_1, 0x3ffb0000, 4, FW_IMAGE_OK, 0},
    {"second address, mapped well", SEGMENT_1, 0x400d0128, 4, FW_IMAGE_OK, 0},
    {"entry", 4, 0, 4, FW_IMAGE_OK, 0},
};

static void check_change(const struct change *change)
{
    uint8_t image[sizeof(image_golden)];
    uint8_t value[4];

    memcpy(image, image_golden, sizeof(image));
    put_le32(value, change->value);
    memcpy(image + change->at, value, change->width);
    image_redo_digest(image, sizeof(image));

    for (size_t piece = 1; piece <= sizeof(image); piece += 67)
        assert_int_equal(image_read(image, sizeof(image), piece).error, change->error);
    if (change->known_at > 0) {
        assert_int_equal(image_read(image, change->known_at, 400).error, change->error);
        assert_int_equal(image_read(image, change->known_at - 1, 400).error,
                         change->known_at > 1 ? FW_IMAGE_TRUNCATED : FW_IMAGE_EMPTY);
    }
}

static void each_field_is_looked_at(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(changes); i++) {
        print_message("    %s\n", changes[i].name);
        check_change(&changes[i]);
    }
}

static void a_wrong_digest(void **state)
{
    (void)state;
    uint8_t image[sizeof(image_golden)];
    struct fw_image_reader reader;

    for (size_t i = 0; i < FW_IMAGE_DIGEST_BYTES; i++) {
        memcpy(image, image_golden, sizeof(image));
        image[DIGEST + i] ^= 0x80;
        assert_int_equal(image_read(image, sizeof(image), 7).error, FW_IMAGE_BAD_DIGEST);
        assert_int_equal(image_read(image, sizeof(image) - 1, 7).error, FW_IMAGE_TRUNCATED);
    }

    /* Nobody who could judge it: as long as it is there. */
    fw_image_reader_init(&reader, NULL);
    assert_int_equal(fw_image_reader_feed(&reader, image, sizeof(image) - 1), 0);
    assert_int_equal(reader.info.image_bytes, 0);
    assert_int_equal(fw_image_reader_feed(&reader, image + sizeof(image) - 1, 1), 0);
    assert_int_equal(fw_image_reader_finish(&reader), 0);
    assert_int_equal(reader.info.image_bytes, 336);
}

static void an_error_stays(void **state)
{
    (void)state;
    struct fw_image_reader reader;

    fw_image_reader_init(&reader, NULL);
    assert_int_equal(fw_image_reader_feed(&reader,
                                          "\x7f"
                                          "ELF",
                                          4),
                     -EBADMSG);
    assert_int_equal(reader.error, FW_IMAGE_BAD_MAGIC);
    assert_int_equal(fw_image_reader_feed(&reader, image_golden, sizeof(image_golden)), -EBADMSG);
    assert_int_equal(fw_image_reader_feed(&reader, NULL, 0), -EBADMSG);
    assert_int_equal(fw_image_reader_finish(&reader), -EBADMSG);
    assert_int_equal(reader.error, FW_IMAGE_BAD_MAGIC);

    fw_image_reader_init(&reader, NULL);
    assert_int_equal(fw_image_reader_feed(&reader, image_golden, 100), 0);
    assert_int_equal(fw_image_reader_finish(&reader), -EBADMSG);
    assert_int_equal(fw_image_reader_finish(&reader), -EBADMSG);
    assert_int_equal(reader.error, FW_IMAGE_TRUNCATED);
}

/* Segments are whole words, so the data ends 0, 4, 8 or 12 bytes into a line of 16. */
static void the_checksum_ends_its_line(void **state)
{
    (void)state;
    static const struct {
        size_t length, image;
    } cases[] = {
        {256 + 0, 304 + 32}, /* the data ends at 0x120: 15 bytes of padding */
        {256 + 4, 304 + 32},  {256 + 8, 304 + 32}, {256 + 12, 304 + 32}, /* 3 bytes */
        {256 + 16, 320 + 32},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int digest = 0; digest < 2; digest++) {
            image_start(&s_image, FW_CHIP_ESP32, digest == 1);
            image_add(&s_image, 0x3f400020, cases[i].length);
            image_seal(&s_image);
            assert_int_equal(s_image.len, cases[i].image - (digest ? 0 : 32));

            const struct verdict verdict = image_read(s_image.bytes, s_image.len, 5);

            assert_int_equal(verdict.error, FW_IMAGE_OK);
            assert_int_equal(verdict.info.image_bytes, s_image.len);
            assert_int_equal(verdict.info.digest_appended, digest);
            assert_int_equal(image_read(s_image.bytes, s_image.len - 1, 5).error,
                             FW_IMAGE_TRUNCATED);
        }
    }
}

static void never_finished(void *ctx, uint8_t digest[FW_IMAGE_DIGEST_BYTES])
{
    (void)ctx;
    (void)digest;
    fail_msg("there is no digest to compare with");
}

static void count_bytes(void *ctx, const void *data, size_t len)
{
    (void)data;
    *(size_t *)ctx += len;
}

static void an_image_without_digest(void **state)
{
    (void)state;
    size_t hashed = 0;
    const struct fw_image_hash hash = {&hashed, count_bytes, never_finished};
    struct fw_image_reader reader;

    image_start(&s_image, FW_CHIP_ESP32, false);
    image_add(&s_image, 0x3f400020, 1000);
    image_seal(&s_image);
    fw_image_reader_init(&reader, &hash);
    assert_int_equal(fw_image_reader_feed(&reader, s_image.bytes, s_image.len), 0);
    assert_int_equal(fw_image_reader_feed(&reader, "more", 4), 0);
    assert_int_equal(fw_image_reader_finish(&reader), 0);
    assert_int_equal(reader.info.image_bytes, s_image.len);
    assert_int_equal(hashed, s_image.len); /* what follows the image is not hashed */

    s_image.bytes[200] ^= 1;
    assert_int_equal(image_read(s_image.bytes, s_image.len, 1).error, FW_IMAGE_BAD_CHECKSUM);
}

static void up_to_sixteen_segments_also_empty_ones(void **state)
{
    (void)state;

    for (int count = 1; count <= 17; count++) {
        image_start(&s_image, FW_CHIP_ESP32, true);
        image_add(&s_image, 0x3f400020, 256);
        for (int i = 1; i < count; i++)
            image_add(&s_image, 0x3ffb0000, i % 3 == 1 ? 0 : (size_t)i * 4); /* the 2nd, 5th… */
        image_seal(&s_image);
        for (size_t piece = 1; piece < 50; piece += 7) {
            const struct verdict verdict = image_read(s_image.bytes, s_image.len, piece);

            assert_int_equal(verdict.error, count <= 16 ? FW_IMAGE_OK : FW_IMAGE_BAD_SEGMENT_COUNT);
            assert_int_equal(verdict.info.image_bytes, count <= 16 ? s_image.len : 0);
        }
    }
}

/* esptool and ESP-IDF call this valid; it could not run. */
static void an_image_without_segments(void **state)
{
    (void)state;
    static const uint8_t image[64] = {
        0xe9, 0x00, 0x02, 0x20, 0x00, 0x00, 0x00, 0x00, 0xee, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x8f, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0xef, 0xa3, 0xc1, 0xbd, 0x4d, 0x3c, 0xeb, 0xda,
        0x00, 0x6a, 0x39, 0x59, 0x8b, 0xb1, 0x19, 0x7a, 0xed, 0xaf, 0x60, 0x8f, 0xc6,
        0x9f, 0x84, 0x3d, 0x23, 0x9a, 0x9f, 0x66, 0x0f, 0x87, 0x8a, 0x7b, 0xfc,
    };

    for (size_t piece = 1; piece <= sizeof(image); piece++)
        assert_int_equal(image_read(image, sizeof(image), piece).error, FW_IMAGE_BAD_SEGMENT_COUNT);
}

static void strings_that_fill_their_fields(void **state)
{
    (void)state;
    char expected[33] = {0};
    uint8_t image[sizeof(image_golden)];

    memcpy(image, image_golden, sizeof(image));
    memset(image + AT_DESCRIPTOR + 16, 'v', 32);
    memset(image + AT_DESCRIPTOR + 48, 'p', 32);
    memset(image + AT_DESCRIPTOR + 112, 'i', 32);
    put_le32(image + AT_DESCRIPTOR + 4, 0x01020304);
    put_le16(image + 15, 301);
    put_le16(image + 17, 65535);

    struct fw_image_reader reader;

    fw_image_reader_init(&reader, NULL);
    assert_int_equal(fw_image_reader_feed(&reader, image, FW_IMAGE_HEAD_BYTES), 0);
    assert_true(reader.head_known);
    memset(expected, 'v', 32);
    assert_string_equal(reader.info.version, expected);
    memset(expected, 'p', 32);
    assert_string_equal(reader.info.project, expected);
    memset(expected, 'i', 32);
    assert_string_equal(reader.info.idf_version, expected);
    assert_int_equal(reader.info.secure_version, 0x01020304);
    assert_int_equal(reader.info.min_chip_rev, 301);
    assert_int_equal(reader.info.max_chip_rev, 65535);
}

/* 64 KiB and more of data, read in pieces that end anywhere. */
static void a_long_image(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 3, 4000, 4096, 65536, IMAGE_MAX_BYTES};

    image_start(&s_image, FW_CHIP_ESP32, true);
    image_add(&s_image, 0x3f400020, 0xfff8); /* its end, at 0x10018, is the next one's header */
    image_add(&s_image, 0x400d0020, 0x10004);
    image_seal(&s_image);
    for (size_t i = 0; i < COUNT(pieces); i++) {
        const struct verdict verdict = image_read(s_image.bytes, s_image.len, pieces[i]);

        assert_int_equal(verdict.error, FW_IMAGE_OK);
        assert_int_equal(verdict.info.image_bytes, s_image.len);
    }
    for (size_t at = 288; at < s_image.len; at += 997) {
        s_image.bytes[at] ^= 0x10;
        assert_int_not_equal(image_read(s_image.bytes, s_image.len, 4096).error, FW_IMAGE_OK);
        s_image.bytes[at] ^= 0x10;
    }
}

/* Whatever the bytes are, the verdict does not depend on how they came. */
static void noise(void **state)
{
    (void)state;
    uint32_t random = 0x2545f491;
    uint8_t bytes[1000];
    size_t seen[FW_IMAGE_BAD_DIGEST + 1] = {0};

    for (int round = 0; round < 20000; round++) {
        const size_t len = noise_below(&random, sizeof(bytes) + 1);

        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)noise_next(&random);
        /* As much of a valid image as leads the reader to where it has not been. */
        memcpy(bytes, image_golden, noise_below(&random, sizeof(image_golden) + 1));
        if (round % 2 == 0) {
            memcpy(bytes, image_golden, sizeof(image_golden));
            bytes[noise_below(&random, 300)] = (uint8_t)noise_next(&random);
        }

        const struct verdict whole = image_read(bytes, len, sizeof(bytes));
        const struct verdict pieces = image_read(bytes, len, 1 + noise_below(&random, 64));

        assert_int_equal(whole.error, pieces.error);
        assert_memory_equal(&whole.info, &pieces.info, sizeof(whole.info));
        assert_true(whole.info.image_bytes <= len);
        seen[whole.error]++;
    }
    for (size_t error = 0; error < COUNT(seen); error++) {
        print_message("    %5zu %s\n", seen[error],
                      fw_image_error_text((enum fw_image_error)error));
        if (error != FW_IMAGE_OK)
            assert_true(seen[error] > 0);
    }
}

static void errors_have_words(void **state)
{
    (void)state;

    for (int i = FW_IMAGE_OK; i <= FW_IMAGE_BAD_DIGEST; i++) {
        assert_true(strlen(fw_image_error_text((enum fw_image_error)i)) > 5);
        for (int j = FW_IMAGE_OK; j < i; j++)
            assert_string_not_equal(fw_image_error_text((enum fw_image_error)i),
                                    fw_image_error_text((enum fw_image_error)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_image_in_pieces_of_any_size),
        cmocka_unit_test(the_smallest_image_split_anywhere),
        cmocka_unit_test(the_smallest_image_of_an_esp32c3),
        cmocka_unit_test(what_follows_the_image_is_nobodys_business),
        cmocka_unit_test(any_prefix_is_truncated),
        cmocka_unit_test(no_bit_can_change_unnoticed),
        cmocka_unit_test(each_field_is_looked_at),
        cmocka_unit_test(a_wrong_digest),
        cmocka_unit_test(an_error_stays),
        cmocka_unit_test(the_checksum_ends_its_line),
        cmocka_unit_test(an_image_without_digest),
        cmocka_unit_test(up_to_sixteen_segments_also_empty_ones),
        cmocka_unit_test(an_image_without_segments),
        cmocka_unit_test(strings_that_fill_their_fields),
        cmocka_unit_test(a_long_image),
        cmocka_unit_test(noise),
        cmocka_unit_test(errors_have_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
