/* SPDX-License-Identifier: Apache-2.0 */
#include "init_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool parse(const uint8_t *payload, size_t len, struct init_event *ret)
{
    const struct frame frame = {
        .interface_type = FRAME_PRIVATE,
        .length = (uint16_t)len,
        .payload = payload,
    };

    return init_event_parse(&frame, ret);
}

/* ESP-Hosted-FG of 2022 on an ESP32-C3: a whole frame, with its checksum. */
static void the_event_of_2022_is_read(void **state)
{
    static const uint8_t wire[] = {
        0x04, 0x00, 0x0B, 0x00, 0x0C, 0x00, 0xB5, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x09, 0x02, 0x01, 0x05, 0x01, 0x01, 0x1E, 0x00, 0x01, 0x68,
    };
    struct frame frame;
    struct init_event event;

    (void)state;
    assert_int_equal(frame_parse(wire, sizeof(wire), &frame), 0);
    assert_true(init_event_parse(&frame, &event));
    assert_int_equal(event.chip, 5);
    assert_int_equal(event.spi_mhz, 30);
    assert_int_equal(event.capabilities, 0x68);
    assert_int_equal(event.raw_throughput, -1);
    assert_string_equal(event.firmware, "");
    assert_string_equal(init_event_chip_name(event.chip), "ESP32-C3");
}

static void the_event_of_today_is_read(void **state)
{
    static const uint8_t payload[] = {
        0x00, 0x13, 0x02, 0x01, 0x0D, 0x00, 0x01, 0xE8, 0x03, 0x01, 0x03,
        0x04, 0x08, 'F',  'G',  0x00, 1,    0,    0,    2,    7,
    };
    struct init_event event;

    (void)state;
    assert_true(parse(payload, sizeof(payload), &event));
    assert_int_equal(event.chip, 0x0D);
    assert_int_equal(event.capabilities, 0xE8);
    assert_int_equal(event.spi_mhz, -1);
    assert_int_equal(event.raw_throughput, 3);
    assert_string_equal(event.firmware, "FG-1.0.0.2.7");
}

/* A booted ESP32 is a booted ESP32; every prefix lies in memory of its own, for ASan. */
static void every_prefix_of_the_values_is_an_event(void **state)
{
    static const uint8_t payload[] = {0x00, 0x09, 0x02, 0x01, 0x09, 0x07,
                                      0x02, 0xaa, 0xbb, 0x00, 0x01, 0x40};

    (void)state;
    for (size_t len = 2; len <= sizeof(payload); len++) {
        uint8_t *copy = malloc(len);
        struct init_event event;

        assert_non_null(copy);
        memcpy(copy, payload, len);
        assert_true(parse(copy, len, &event));
        assert_int_equal(event.chip, len >= 5 ? 9 : -1);
        assert_int_equal(event.capabilities, -1); /* lies behind the announced 9 bytes */
        free(copy);
    }
}

static void odd_values_count_as_not_told(void **state)
{
    static const uint8_t payload[] = {0x00, 0x20, 0x02, 0x02, 0x09, 0x00, 0x04,
                                      0x01, 0x01, 0x00, 0x00, 0x01, 0xff, 'x'};
    struct init_event event;

    (void)state;
    assert_true(parse(payload, sizeof(payload), &event));
    assert_int_equal(event.chip, -1);
    assert_int_equal(event.capabilities, -1);
    assert_string_equal(event.firmware, "");
    assert_null(init_event_chip_name(event.chip));
    assert_null(init_event_chip_name(0x77));
}

static void other_frames_are_none(void **state)
{
    static const uint8_t payload[] = {0x00, 0x00};
    static const uint8_t other_event[] = {0x01, 0x00};
    const struct frame frames[] = {
        {.interface_type = FRAME_STATION, .length = 2, .payload = payload},
        {.interface_type = FRAME_PRIVATE, .packet_type = 1, .length = 2, .payload = payload},
        {.interface_type = FRAME_PRIVATE, .length = 1, .payload = payload},
        {.interface_type = FRAME_PRIVATE, .length = 2, .payload = other_event},
    };
    struct init_event event = {.chip = 42};

    (void)state;
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
        assert_false(init_event_parse(&frames[i], &event));
    assert_int_equal(event.chip, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_event_of_2022_is_read),
        cmocka_unit_test(the_event_of_today_is_read),
        cmocka_unit_test(every_prefix_of_the_values_is_an_event),
        cmocka_unit_test(odd_values_count_as_not_told),
        cmocka_unit_test(other_frames_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
