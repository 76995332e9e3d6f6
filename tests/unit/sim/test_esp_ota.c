/* SPDX-License-Identifier: Apache-2.0 */
/* ESP-IDF's update calls on a modelled chip: their errors in order, their releases, power cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "boot.h"
#include "chip.h"
#include "chip_time.h"
#include "esp_efuse.h"
#include "esp_ota_ops.h"
#include "flash_file.h"
#include "otadata.h"

#define FLASH_BYTES (4u << 20)
#define OTADATA_AT  0xd000u

static uint64_t s_operations;
static jmp_buf s_power_cut;

static _Noreturn void cut(void *ctx, uint64_t operation)
{
    (void)ctx;
    (void)operation;
    longjmp(s_power_cut, 1);
}

static const esp_partition_t *find(esp_partition_subtype_t subtype)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP, subtype, NULL);
}

static const esp_partition_t *factory(void)
{
    return find(ESP_PARTITION_SUBTYPE_APP_FACTORY);
}

static const esp_partition_t *ota_0(void)
{
    return find(ESP_PARTITION_SUBTYPE_APP_OTA_0);
}

static const esp_partition_t *ota_1(void)
{
    return find(ESP_PARTITION_SUBTYPE_APP_OTA_1);
}

/* Both entries; a sequence number of 0 stands for none. */
static void set_otadata(uint32_t seq_0, uint32_t state_0, uint32_t seq_1, uint32_t state_1)
{
    const struct otadata_entry entries[] = {otadata_entry(seq_0, state_0),
                                            otadata_entry(seq_1, state_1)};

    memset(the_chip.flash.bytes + OTADATA_AT, 0xff, OTADATA_BYTES);
    for (int i = 0; i < 2; i++) {
        if (entries[i].seq != 0)
            assert_int_equal(otadata_write(&the_chip.flash, OTADATA_AT, i, &entries[i]), 0);
    }
}

static struct otadata_entry entry(int index)
{
    struct otadata_entry entries[2];

    assert_int_equal(otadata_read(&the_chip.flash, OTADATA_AT, entries), 0);
    return entries[index];
}

static void check_entry(int index, uint32_t seq, uint32_t state)
{
    assert_int_equal(entry(index).seq, seq);
    assert_int_equal(entry(index).state, state);
    assert_true(otadata_crc_ok(&(struct otadata_entry){.seq = seq, .crc = entry(index).crc}));
}

/* The running partition is found out once in a life: all tests are the factory image's. */
static int setup(void **state)
{
    const struct factory_image image = {.project = "test", .version = "1"};
    static const uint32_t places[] = {0x10000, 0x110000, 0x210000};
    struct boot_result result;

    (void)state;
    world_begin();
    the_chip.model = chip_model_find(0);
    the_chip.rollback = the_chip.application_rollback = true;
    the_chip.idf = CHIP_IDF(5, 5);
    the_chip.flash.cut_at = 0;
    memset(the_chip.flash.bytes, 0xff, FLASH_BYTES);
    partition_table_render(&partition_table_default, the_chip.flash.bytes + PARTITION_TABLE_OFFSET);
    for (int i = 0; i < 3; i++)
        factory_image_build(the_chip.model, &image, the_chip.flash.bytes + places[i]);
    boot_run(&the_chip, &result);
    assert_string_equal(result.partition->label, "factory");
    return 0;
}

static int attach(void **state)
{
    const int fd = memfd_create("flash", MFD_CLOEXEC);

    (void)state;
    if (ftruncate(fd, FLASH_BYTES) < 0 ||
        flash_attach(&the_chip.flash, fd, FLASH_BYTES, &s_operations) < 0)
        return -1;
    close(fd);
    the_chip.flash.power_cut = cut;
    return 0;
}

static const char *boot(void)
{
    struct boot_result result;

    boot_run(&the_chip, &result);
    return result.partition != NULL ? result.partition->label : "";
}

static void begin_refuses_in_order(void **state)
{
    esp_partition_t stranger = *ota_0();
    esp_ota_handle_t handle;

    (void)state;
    stranger.address += 0x1000;
    assert_int_equal(esp_ota_begin(NULL, 0, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_begin(ota_0(), 0, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_begin(&stranger, 0, &handle), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_begin(factory(), 0, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_begin(ota_0(), 0x100001, &handle), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_ota_abort(handle), ESP_OK); /* v5.5: it was open all the same */
    assert_int_equal(esp_ota_abort(handle), ESP_ERR_NOT_FOUND);
}

static void write_and_end_refuse_in_order(void **state)
{
    esp_ota_handle_t handle;

    (void)state;
    assert_int_equal(esp_ota_begin(ota_0(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, NULL, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_write(handle + 1, "\xe9", 0), ESP_OK);
    assert_int_equal(esp_ota_write(handle + 1, "\xe9", 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(the_chip.flash.bytes[ota_0()->address], 0xe9);
    assert_int_equal(esp_ota_write(handle, "\x7f", 1), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(the_chip.flash.bytes[ota_0()->address], 0xff); /* erased before */
    assert_int_equal(esp_ota_end(handle), ESP_ERR_INVALID_ARG);     /* nothing written */
    assert_int_equal(esp_ota_end(handle), ESP_ERR_NOT_FOUND);       /* and it is closed */
    assert_int_equal(esp_ota_begin(ota_0(), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, "\xe9", 1), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_ERR_OTA_VALIDATE_FAILED);
}

/* Up to v6.0 the second update erases under the first. */
static void a_slot_twice(void **state)
{
    esp_ota_handle_t first, second = 0;

    (void)state;
    for (int minor = 0; minor < 2; minor++) {
        the_chip.idf = CHIP_IDF(6, minor);
        assert_int_equal(esp_ota_begin(ota_0(), 4096, &first), ESP_OK);
        assert_int_equal(esp_ota_begin(ota_1(), 4096, &second), ESP_OK);
        assert_int_equal(esp_ota_abort(second), ESP_OK);
        assert_int_equal(esp_ota_begin(ota_0(), 4096, &second),
                         minor == 0 ? ESP_OK : ESP_ERR_OTA_ALREADY_IN_PROGRESS);
        assert_int_equal(esp_ota_abort(first), ESP_OK);
        if (minor == 0)
            assert_int_equal(esp_ota_abort(second), ESP_OK);
        assert_int_equal(esp_ota_begin(ota_0(), 4096, &first), ESP_OK);
        assert_int_equal(esp_ota_abort(first), ESP_OK);
    }
}

static void set_boot_refuses(void **state)
{
    (void)state;
    assert_int_equal(esp_ota_set_boot_partition(NULL), ESP_ERR_INVALID_ARG);
    the_chip.flash.bytes[ota_0()->address] = 0;
    assert_int_equal(esp_ota_set_boot_partition(ota_0()), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(entry(0).seq, OTADATA_SEQ_EMPTY);
}

static void set_boot_numbers_the_entries(void **state)
{
    (void)state;
    assert_int_equal(esp_ota_set_boot_partition(ota_1()), ESP_OK);
    check_entry(0, 2, OTADATA_NEW);
    assert_int_equal(esp_ota_set_boot_partition(ota_0()), ESP_OK);
    check_entry(1, 3, OTADATA_NEW);
    the_chip.application_rollback = false;
    assert_int_equal(esp_ota_set_boot_partition(ota_1()), ESP_OK);
    check_entry(0, 4, OTADATA_UNDEFINED);
    assert_int_equal(esp_ota_set_boot_partition(factory()), ESP_OK);
    assert_int_equal(entry(0).seq, OTADATA_SEQ_EMPTY);
    assert_int_equal(entry(1).seq, OTADATA_SEQ_EMPTY);
}

/* Up to v5.5 into the other sector with the same number, where entry 0 then counts; from v6.0 on in
 * place. */
static void the_selected_slot_again(void **state)
{
    (void)state;
    set_otadata(1, OTADATA_VALID, 0, 0);
    assert_int_equal(esp_ota_set_boot_partition(ota_0()), ESP_OK);
    check_entry(0, 1, OTADATA_VALID);
    check_entry(1, 1, OTADATA_NEW);
    the_chip.idf = CHIP_IDF(6, 0);
    set_otadata(1, OTADATA_VALID, 0, 0);
    assert_int_equal(esp_ota_set_boot_partition(ota_0()), ESP_OK);
    check_entry(0, 1, OTADATA_NEW);
    assert_int_equal(entry(1).seq, OTADATA_SEQ_EMPTY);
    assert_int_equal(esp_ota_set_boot_partition(ota_1()), ESP_OK);
    check_entry(1, 2, OTADATA_NEW);
}

/* It acts on what is selected, which need not be what runs. */
static void confirming_acts_on_the_active_entry(void **state)
{
    esp_ota_img_states_t told;

    (void)state;
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_FAIL);
    assert_int_equal(esp_ota_set_boot_partition(ota_1()), ESP_OK);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    check_entry(0, 2, OTADATA_VALID);
    assert_int_equal(esp_ota_get_state_partition(ota_1(), &told), ESP_OK);
    assert_int_equal(told, ESP_OTA_IMG_VALID);
    assert_int_equal(esp_ota_get_state_partition(ota_0(), &told), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_get_state_partition(factory(), &told), ESP_ERR_NOT_SUPPORTED);

    const uint64_t before = s_operations;

    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(s_operations, before); /* valid already: the flash is not touched */
}

static void going_back_needs_somewhere_to_go(void **state)
{
    (void)state;
    assert_false(esp_ota_check_rollback_is_possible()); /* nothing is selected */
    set_otadata(1, OTADATA_PENDING_VERIFY, 0, 0);
    assert_true(esp_ota_check_rollback_is_possible()); /* the factory image */
    the_chip.flash.bytes[factory()->address] = 0;
    assert_false(esp_ota_check_rollback_is_possible());
    assert_int_equal(esp_ota_mark_app_invalid_rollback(), ESP_ERR_OTA_ROLLBACK_FAILED);
    set_otadata(1, OTADATA_VALID, 2, OTADATA_PENDING_VERIFY);
    assert_int_equal(esp_ota_mark_app_invalid_rollback(), ESP_OK);
    check_entry(1, 2, OTADATA_INVALID);
    assert_ptr_equal(esp_ota_get_last_invalid_partition(), ota_1());
}

/* A call at each of its flash operations, cut in each way. */
struct rewrite {
    esp_err_t (*call)(void);
    bool active_is_rewritten;             /* else the entry that does not count */
    const char *old, *after_erase, *done; /* what boots */
    bool rollback;
};

static esp_err_t select_ota_1(void)
{
    return esp_ota_set_boot_partition(ota_1());
}

static void check_cut(const struct rewrite *rewrite, uint32_t state_1, uint64_t operation,
                      enum flash_cut how, const char *expected)
{
    if (rewrite->active_is_rewritten)
        set_otadata(1, OTADATA_VALID, 2, state_1);
    else
        set_otadata(1, OTADATA_VALID, 0, 0);
    the_chip.rollback = rewrite->rollback;
    the_chip.flash.cut = how;
    the_chip.flash.cut_at = s_operations + operation;
    if (setjmp(s_power_cut) == 0) {
        rewrite->call();
        fail_msg("the power stayed");
    }
    the_chip.flash.cut_at = 0;
    assert_string_equal(boot(), expected);
}

/* Every rewrite is an erase and then a program; half an erase takes the entry, half a program
 * leaves one whose CRC is missing. */
static void power_cuts_of_a_rewrite(void **state)
{
    const struct rewrite rewrites[] = {
        {select_ota_1, false, "ota_0", "ota_0", "ota_1", true},
        {select_ota_1, false, "ota_0", "ota_0", "ota_1", false},
        {esp_ota_mark_app_valid_cancel_rollback, true, "ota_0", "ota_0", "ota_1", true},
        {esp_ota_mark_app_valid_cancel_rollback, true, "ota_1", "ota_0", "ota_1", false},
        {esp_ota_mark_app_invalid_rollback, true, "ota_1", "ota_0", "ota_0", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rewrites) / sizeof(rewrites[0]); i++) {
        const struct rewrite *const at = &rewrites[i];
        const uint32_t state_1 = OTADATA_PENDING_VERIFY;

        check_cut(at, state_1, 1, FLASH_CUT_BEFORE, at->old);
        check_cut(at, state_1, 1, FLASH_CUT_TORN, at->after_erase);
        check_cut(at, state_1, 1, FLASH_CUT_DONE, at->after_erase);
        check_cut(at, state_1, 2, FLASH_CUT_BEFORE, at->after_erase);
        check_cut(at, state_1, 2, FLASH_CUT_TORN, at->after_erase);
        check_cut(at, state_1, 2, FLASH_CUT_DONE, at->done);
    }
}

/* Its first boot is a rewrite of the active entry, too: the update is forgotten. */
static void power_cut_of_the_first_boot(void **state)
{
    (void)state;
    set_otadata(1, OTADATA_VALID, 2, OTADATA_NEW);
    the_chip.flash.cut = FLASH_CUT_DONE;
    the_chip.flash.cut_at = s_operations + 1;
    if (setjmp(s_power_cut) == 0) {
        boot();
        fail_msg("the power stayed");
    }
    the_chip.flash.cut_at = 0;
    assert_string_equal(boot(), "ota_0");
    assert_null(esp_ota_get_last_invalid_partition());
}

/* A flash that stays busy is the driver's error, and nothing is selected. */
static void a_broken_otadata_sector(void **state)
{
    static const struct flash_fault faults[] = {{FLASH_ERASE_FAILS, OTADATA_AT}};

    (void)state;
    flash_set_faults(&the_chip.flash, faults, 1);
    assert_int_equal(esp_ota_set_boot_partition(ota_1()), ESP_ERR_TIMEOUT);
    flash_set_faults(&the_chip.flash, NULL, 0);
    assert_string_equal(boot(), "factory");
}

static void put_image(const esp_partition_t *partition, uint32_t secure_version)
{
    const struct factory_image image = {
        .project = "test", .version = "1", .secure_version = secure_version};

    factory_image_build(the_chip.model, &image, the_chip.flash.bytes + partition->address);
}

/* The firmware that runs is the factory's; its number is burnt whatever is marked. */
static void anti_rollback(void **state)
{
    uint32_t efuse = 1;

    (void)state;
    the_chip.application_anti_rollback = true;
    the_chip.secure_version = &efuse;
    put_image(factory(), 3);
    put_image(ota_1(), 2);
    assert_int_equal(esp_ota_set_boot_partition(ota_0()), ESP_ERR_OTA_SMALL_SEC_VER);
    for (uint32_t i = 0; i < ota_0()->size; i++)
        assert_int_equal(the_chip.flash.bytes[ota_0()->address + i], 0xff);
    put_image(ota_0(), 1);
    assert_int_equal(esp_ota_set_boot_partition(ota_0()), ESP_OK);
    assert_false(esp_ota_check_rollback_is_possible()); /* to a factory image, never */
    assert_int_equal(esp_ota_set_boot_partition(ota_1()), ESP_OK);
    assert_true(esp_ota_check_rollback_is_possible());
    assert_int_equal(efuse, 1);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(efuse, 3);
    check_entry(1, 2, OTADATA_VALID);
    assert_false(esp_ota_check_rollback_is_possible());
    set_otadata(1, OTADATA_VALID, 2, OTADATA_NEW);
    put_image(factory(), 2);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_FAIL);
    check_entry(1, 2, OTADATA_VALID); /* all the same */
    the_chip.application_anti_rollback = false;
    the_chip.secure_version = NULL;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(begin_refuses_in_order),
        TEST(write_and_end_refuse_in_order),
        TEST(a_slot_twice),
        TEST(set_boot_refuses),
        TEST(set_boot_numbers_the_entries),
        TEST(the_selected_slot_again),
        TEST(confirming_acts_on_the_active_entry),
        TEST(going_back_needs_somewhere_to_go),
        TEST(power_cuts_of_a_rewrite),
        TEST(power_cut_of_the_first_boot),
        TEST(a_broken_otadata_sector),
        TEST(anti_rollback),
    };

    return cmocka_run_group_tests(tests, attach, NULL);
}
