/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lives at random of a chip whose host does anything, whose power goes, and which is reset:
 * something boots always, the running slot is never written, and nothing runs but what an end has
 * selected.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "board.h"
#include "chip_time.h"
#include "life.h"
#include "ota_device.h"
#include "test_image.h"

#define SIZE      20000u
#define NAME_AT   5000u /* in the image: which one it is */
#define SECOND_US 1000000
#define LIVES     400u
#define STEPS     30u
#define IMAGES    (LIVES * STEPS)

static const char s_three_slots[] = "nvs,      data, nvs,     0x9000,   16K\n"
                                    "otadata,  data, ota,     0xd000,   8K\n"
                                    "ota_0,    app,  ota_0,   0x10000,  256K\n"
                                    "ota_1,    app,  ota_1,   0x50000,  256K\n"
                                    "ota_2,    app,  ota_2,   0x90000,  256K\n";
static const char s_factory_and_one[] = "nvs,      data, nvs,     0x9000,   16K\n"
                                        "otadata,  data, ota,     0xd000,   8K\n"
                                        "factory,  app,  factory, 0x10000,  256K\n"
                                        "ota_0,    app,  ota_0,   0x50000,  256K\n";
static const char s_factory_and_two[] = "nvs,      data, nvs,     0x9000,   16K\n"
                                        "otadata,  data, ota,     0xd000,   8K\n"
                                        "factory,  app,  factory, 0x10000,  256K\n"
                                        "ota_0,    app,  ota_0,   0x50000,  256K\n"
                                        "ota_1,    app,  ota_1,   0x90000,  256K\n";

/* Shared by all lives. */
static struct {
    uint32_t random;
    uint32_t last; /* image that was made */
    bool selected[IMAGES + 1];
    char running[17];
} *s_fuzz;

static uint32_t pick(uint32_t below)
{
    s_fuzz->random = s_fuzz->random * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)s_fuzz->random * below) >> 32);
}

static uint8_t *new_image(void)
{
    uint8_t *image = test_image(CHIP_ESP32, SIZE, true);

    s_fuzz->last++;
    memcpy(image + NAME_AT, &s_fuzz->last, sizeof(s_fuzz->last));
    test_image_seal(image, SIZE);
    return image;
}

static uint32_t name_in(const char *slot)
{
    uint32_t name;

    memcpy(&name, board_partition(slot) + NAME_AT, sizeof(name));
    return name;
}

static void send_some(const uint8_t *image)
{
    const uint32_t until = pick(3) == 0 ? pick(SIZE) : SIZE;

    for (uint32_t at = 0; at < until;) {
        const uint32_t n = until - at < 4000 ? until - at : 4000;

        if (pick(2) == 0 ? ota_device_append(image + at, n) != OTA_DEVICE_DONE
                         : ota_device_write(at, pick(2) * SIZE, image + at, n) != OTA_DEVICE_DONE)
            return;
        at += n;
    }
}

/* Says that it is selected before it is: the power may go within. A refusal takes that back. */
static void finish(void)
{
    const struct ota_device_end end = {
        .size = pick(2) * SIZE, .trial_seconds = pick(3) * 60, .no_trial = pick(4) == 0};
    const uint32_t name = s_fuzz->last;
    const bool before = s_fuzz->selected[name];

    s_fuzz->selected[name] = true;
    if (ota_device_end(pick(2) == 0 ? &end : NULL) != OTA_DEVICE_DONE)
        s_fuzz->selected[name] = before;
}

static void step(void)
{
    static const struct ota_device_image s_any;
    uint8_t *image;

    switch (pick(9)) {
    case 0:
    case 1:
    case 2:
        ota_device_begin(pick(2) == 0 ? &s_any : NULL);
        image = new_image();
        send_some(image);
        free(image);
        break;
    case 3:
        finish();
        break;
    case 4:
        ota_device_abort();
        break;
    case 5:
        ota_device_confirm();
        break;
    case 6:
        ota_device_confirm_version("2.0.0");
        break;
    case 7:
        if (pick(3) == 0)
            ota_device_rollback();
        break;
    default:
        world_advance((int64_t)pick(8) * SECOND_US);
        ota_device_tick();
        break;
    }
}

static void live(void *arg)
{
    const uint32_t steps = pick(STEPS);

    (void)arg;
    if (pick(2) == 0) {
        the_chip.flash.cut_at = *the_chip.flash.operations + 1 + pick(120);
        the_chip.flash.cut = (enum flash_cut)pick(3);
    }
    ota_device_start();
    for (uint32_t i = 0; i < steps; i++)
        step();
}

static void check_lives(const char *table)
{
    static uint8_t s_before[1792 * 1024];

    board_make(CHIP_ESP32, table);
    s_fuzz = mmap(NULL, sizeof(*s_fuzz), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(s_fuzz, MAP_FAILED);
    s_fuzz->random = 1;

    unsigned changes = 0;

    for (unsigned i = 0; i < LIVES; i++) {
        the_chip.rollback = pick(2) == 0;

        const char *slot = board_boot();
        const uint32_t size = board_partition_size(slot);
        const uint32_t name = name_in(slot);

        changes += i > 0 && strcmp(s_fuzz->running, slot) != 0;
        strcpy(s_fuzz->running, slot);
        if (name != 0xffffffff && name <= s_fuzz->last && !s_fuzz->selected[name])
            fail_msg("life %u runs image %u of %s, which nothing has selected", i, name, slot);
        memcpy(s_before, board_partition(slot), size);
        life_live(live, NULL);
        assert_memory_equal(s_before, board_partition(slot), size);
    }
    assert_true(changes > LIVES / 20); /* or nothing was tried */
}

static void two_slots(void **state)
{
    (void)state;
    check_lives(board_two_slots);
}

static void three_slots(void **state)
{
    (void)state;
    check_lives(s_three_slots);
}

static void a_factory_and_one_slot(void **state)
{
    (void)state;
    check_lives(s_factory_and_one);
}

static void a_factory_and_two_slots(void **state)
{
    (void)state;
    check_lives(s_factory_and_two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_slots),
        cmocka_unit_test(three_slots),
        cmocka_unit_test(a_factory_and_one_slot),
        cmocka_unit_test(a_factory_and_two_slots),
    };

    return LIVES_RUN(tests);
}
