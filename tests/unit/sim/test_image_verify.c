/* SPDX-License-Identifier: Apache-2.0 */
/* ESP-IDF's verification of an image in flash: its checks, and where it is lenient. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "image_maker.h"
#include "image_verify.h"

#define FLASH_BYTES (4u << 20)
#define SLOT_AT     0x110000u
#define SLOT_BYTES  0x100000u

#define ESP32   0
#define ESP32C3 5
#define ESP32C6 13

#define ESP32_DROM 0x3f400020u
#define ESP32_IRAM 0x40080000u

static struct flash s_flash;
static struct image s_image;
static struct image_info s_info;

static int attach(void **state)
{
    static uint64_t s_operations;
    const int fd = memfd_create("flash", MFD_CLOEXEC);

    (void)state;
    if (ftruncate(fd, FLASH_BYTES) < 0 ||
        flash_attach(&s_flash, fd, FLASH_BYTES, &s_operations) < 0)
        return -1;
    close(fd);
    return 0;
}

static int verify_in(uint32_t slot_bytes, uint16_t chip_id, enum image_use use)
{
    memset(s_flash.bytes, 0xff, FLASH_BYTES);
    memcpy(s_flash.bytes + SLOT_AT, s_image.bytes, s_image.len);
    return image_verify(&s_flash, chip_model_find(chip_id), SLOT_AT, slot_bytes, use, &s_info);
}

static int verify(void)
{
    return verify_in(SLOT_BYTES, ESP32, IMAGE_USE_VERIFY);
}

/* A segment with a descriptor and one of `len` bytes. */
static void make(size_t len, bool digest)
{
    image_start(&s_image, ESP32, digest);
    image_add(&s_image, ESP32_DROM, 256);
    image_add(&s_image, ESP32_IRAM, len);
}

static void make_sealed(size_t len, bool digest)
{
    make(len, digest);
    image_seal(&s_image);
}

static void the_golden_image(void **state)
{
    char text[33];

    (void)state;
    s_image.len = sizeof(image_golden);
    memcpy(s_image.bytes, image_golden, sizeof(image_golden));
    assert_int_equal(verify(), IMAGE_OK);
    assert_int_equal(s_info.bytes, sizeof(image_golden));
    assert_int_equal(s_info.segment_count, 2);
    assert_true(s_info.has_descriptor);
    image_descriptor_version(s_info.descriptor, text);
    assert_string_equal(text, "0.0.1");
    image_descriptor_project(s_info.descriptor, text);
    assert_string_equal(text, "demo");
}

static void every_fill_of_the_last_line(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 16; len += 4) {
        for (int digest = 0; digest < 2; digest++) {
            make_sealed(len, digest != 0);
            assert_int_equal(verify(), IMAGE_OK);
            assert_int_equal(s_info.bytes, s_image.len);
        }
    }
}

/* None passes here, and would fail only when it is started. */
static void numbers_of_segments(void **state)
{
    (void)state;
    for (int count = 0; count <= 17; count++) {
        image_start(&s_image, ESP32, true);
        for (int i = 0; i < count; i++)
            image_add(&s_image, i == 0 ? ESP32_DROM : ESP32_IRAM, i == 0 ? 256 : 4);
        image_seal(&s_image);
        assert_int_equal(verify(), count <= 16 ? IMAGE_OK : IMAGE_INVALID);
    }
}

static void lengths_of_segments(void **state)
{
    static const uint32_t bad[] = {1, 2, 3, 5, 0x1000000, 0xfffffffc, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        make_sealed(64, true);
        put_le32(s_image.bytes + 24 + 4, bad[i]);
        assert_int_equal(verify(), IMAGE_INVALID);
        assert_int_equal(s_info.segment_count, 0); /* all of it is zeros on failure */
    }
}

/* Any number but 0 says that a digest follows. */
static void the_flag_of_the_digest(void **state)
{
    (void)state;
    make_sealed(64, true);
    s_image.bytes[AT_HASH_FLAG] = 2;
    image_redo_digest(s_image.bytes, s_image.len);
    assert_int_equal(verify(), IMAGE_OK);
    s_image.bytes[AT_HASH_FLAG] = 0;
    assert_int_equal(verify(), IMAGE_OK); /* what lies behind the image is nobody's */
    assert_int_equal(s_info.bytes, s_image.len - 32);
}

static void checksum_and_digest_each_alone(void **state)
{
    (void)state;
    make_sealed(64, true);
    s_image.bytes[s_image.len - 33] ^= 1;
    image_redo_digest(s_image.bytes, s_image.len);
    assert_int_equal(verify(), IMAGE_INVALID);
    make_sealed(64, true);
    s_image.bytes[s_image.len - 1] ^= 1;
    assert_int_equal(verify(), IMAGE_INVALID);
    make_sealed(64, true); /* two errors that cancel out in the checksum */
    s_image.bytes[40] ^= 1;
    s_image.bytes[41] ^= 1;
    assert_int_equal(verify(), IMAGE_INVALID);
    s_image.bytes[AT_HASH_FLAG] = 0;
    assert_int_equal(verify(), IMAGE_OK);
}

static void cut_short_anywhere(void **state)
{
    size_t len;

    (void)state;
    make_sealed(64, true);
    for (len = s_image.len; len-- > 0;) {
        s_image.len = len;
        assert_int_not_equal(verify(), IMAGE_OK);
    }
}

static void fits_exactly_and_a_byte_too_long(void **state)
{
    (void)state;
    make_sealed(64, true);
    assert_int_equal(verify_in((uint32_t)s_image.len, ESP32, IMAGE_USE_VERIFY), IMAGE_OK);
    assert_int_equal(verify_in((uint32_t)s_image.len - 1, ESP32, IMAGE_USE_VERIFY), IMAGE_INVALID);
    s_image.bytes[s_image.len] = 0x55;
    s_image.len++;
    assert_int_equal(verify(), IMAGE_OK); /* trailing bytes are ignored */
    assert_int_equal(verify_in(0x1000001, ESP32, IMAGE_USE_VERIFY), IMAGE_INVALID_ARG);
}

static void the_chip_and_its_revision(void **state)
{
    static const struct {
        uint16_t min, max;
        int result;
    } limits[] = {
        {0, 0, IMAGE_OK},     {0, 65535, IMAGE_OK},  {300, 300, IMAGE_OK},
        {301, 0, IMAGE_FAIL}, {9999, 0, IMAGE_FAIL}, {0, 299, IMAGE_FAIL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        make(64, true);
        put_le16(s_image.bytes + 15, limits[i].min);
        put_le16(s_image.bytes + 17, limits[i].max);
        image_seal(&s_image);
        assert_int_equal(verify(), limits[i].result);
    }
    make_sealed(64, true);
    assert_int_equal(verify_in(SLOT_BYTES, ESP32C3, IMAGE_USE_VERIFY), IMAGE_FAIL);
    s_image.bytes[0] = 0xea; /* the magic comes before the chip */
    assert_int_equal(verify_in(SLOT_BYTES, ESP32C3, IMAGE_USE_VERIFY), IMAGE_INVALID);
}

/* Mapped data must lie in flash as in memory; the page is 64 KiB, or what the descriptor says. */
static void places_of_mapped_segments(void **state)
{
    (void)state;
    image_start(&s_image, ESP32, true);
    image_add(&s_image, ESP32_DROM + 4, 256);
    image_seal(&s_image);
    assert_int_equal(verify(), IMAGE_INVALID);

    for (uint8_t page = 15; page <= 16; page++) { /* 32 KiB and 64 KiB */
        image_start(&s_image, ESP32C6, true);
        image_add(&s_image, 0x42000020 + 0x8000, 256);
        s_image.bytes[AT_DESCRIPTOR + 180] = page;
        image_seal(&s_image);
        assert_int_equal(verify_in(SLOT_BYTES, ESP32C6, IMAGE_USE_VERIFY),
                         page == 15 ? IMAGE_OK : IMAGE_INVALID);
    }
}

/* Only some chips look for it; nobody else misses it. */
static void a_missing_descriptor(void **state)
{
    (void)state;
    make(64, true);
    s_image.bytes[AT_DESCRIPTOR] ^= 1;
    image_seal(&s_image);
    assert_int_equal(verify(), IMAGE_OK);
    assert_false(s_info.has_descriptor);
    image_start(&s_image, ESP32C6, true);
    image_add(&s_image, 0x42000020, 256);
    s_image.bytes[AT_DESCRIPTOR] ^= 1;
    image_seal(&s_image);
    assert_int_equal(verify_in(SLOT_BYTES, ESP32C6, IMAGE_USE_VERIFY), IMAGE_FAIL);
}

/* Also where they fill their 32 bytes. */
static void strings_without_an_end(void **state)
{
    char text[33];

    (void)state;
    make(64, true);
    memset(s_image.bytes + AT_DESCRIPTOR + 16, 'v', 32);
    image_seal(&s_image);
    assert_int_equal(verify(), IMAGE_OK);
    image_descriptor_version(s_info.descriptor, text);
    assert_string_equal(text, "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv");
}

/* The boot loader also looks at where it shall put a segment. */
static void where_nothing_can_be_loaded(void **state)
{
    (void)state;
    image_start(&s_image, ESP32, true);
    image_add(&s_image, ESP32_DROM, 256);
    image_add(&s_image, 0x60000000, 16);
    image_seal(&s_image);
    assert_int_equal(verify(), IMAGE_OK);
    assert_int_equal(verify_in(SLOT_BYTES, ESP32, IMAGE_USE_BOOT), IMAGE_INVALID);
    image_start(&s_image, ESP32, true);
    image_add(&s_image, ESP32_DROM, 256);
    image_add(&s_image, 0, 16); /* padding goes nowhere */
    image_seal(&s_image);
    assert_int_equal(verify_in(SLOT_BYTES, ESP32, IMAGE_USE_BOOT), IMAGE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_golden_image),
        cmocka_unit_test(every_fill_of_the_last_line),
        cmocka_unit_test(numbers_of_segments),
        cmocka_unit_test(lengths_of_segments),
        cmocka_unit_test(the_flag_of_the_digest),
        cmocka_unit_test(checksum_and_digest_each_alone),
        cmocka_unit_test(cut_short_anywhere),
        cmocka_unit_test(fits_exactly_and_a_byte_too_long),
        cmocka_unit_test(the_chip_and_its_revision),
        cmocka_unit_test(places_of_mapped_segments),
        cmocka_unit_test(a_missing_descriptor),
        cmocka_unit_test(strings_without_an_end),
        cmocka_unit_test(where_nothing_can_be_loaded),
    };

    return cmocka_run_group_tests(tests, attach, NULL);
}
