/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "events.h"

static char s_path[64];

static int make_path(void **state)
{
    (void)state;
    strcpy(s_path, "/tmp/esp32-sim-events-XXXXXX");
    close(mkstemp(s_path));
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(s_path);
}

static void expect_file(const char *text)
{
    char buf[2048] = "";
    FILE *const file = fopen(s_path, "r");

    assert_non_null(file);
    if (file == NULL) /* unknown to the analyzer, cmocka has left by now */
        return;
    (void)!fread(buf, 1, sizeof(buf) - 1, file);
    fclose(file);
    assert_string_equal(buf, text);
}

static void every_event_is_a_line(void **state)
{
    const struct boot_report boot = {.slot = "ota_1",
                                     .offset = 0x210000,
                                     .version = "1.2.3",
                                     .project = "network_adapter",
                                     .state = "new"};
    struct events events;

    (void)state;
    assert_int_equal(events_open(&events, s_path), 0);
    events_boot(&events, 0, &boot);
    events_begin(&events, 1, "ota_0");
    events_write(&events, 2000000, 4000, 96);
    events_end(&events, 12345678, 0x1503);
    events_reset(&events, 12345679, "software");
    events_power_cut(&events, 99999999, 17);
    events_misuse(&events, 100000000, 0x10000);
    close(events.file);
    expect_file("{\"t\": 0.000000, \"event\": \"boot\", \"slot\": \"ota_1\", \"offset\": 2162688, "
                "\"version\": \"1.2.3\", \"project\": \"network_adapter\", \"state\": \"new\"}\n"
                "{\"t\": 0.000001, \"event\": \"begin\", \"slot\": \"ota_0\"}\n"
                "{\"t\": 2.000000, \"event\": \"write\", \"offset\": 4000, \"length\": 96}\n"
                "{\"t\": 12.345678, \"event\": \"end\", \"result\": 5379}\n"
                "{\"t\": 12.345679, \"event\": \"reset\", \"reason\": \"software\"}\n"
                "{\"t\": 99.999999, \"event\": \"power_cut\", \"operation\": 17}\n"
                "{\"t\": 100.000000, \"event\": \"misuse\", \"address\": 65536}\n");
}

static void a_file_is_appended_to(void **state)
{
    struct events events;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(events_open(&events, s_path), 0);
        events_end(&events, i, 0);
        close(events.file);
    }
    expect_file("{\"t\": 0.000000, \"event\": \"end\", \"result\": 0}\n"
                "{\"t\": 0.000001, \"event\": \"end\", \"result\": 0}\n");
}

/* What a descriptor holds is no promise: it stays JSON, and whole, at any 32 bytes. */
static void strange_strings_stay_json(void **state)
{
    struct boot_report boot = {.slot = "a\"b\\c", .state = "undefined"};
    struct events events;
    char line[1024];

    (void)state;
    memset(boot.version, 0xff, 32);
    memset(boot.project, '\n', 32);
    assert_int_equal(events_open(&events, s_path), 0);
    events_boot(&events, 0, &boot);
    close(events.file);

    FILE *const file = fopen(s_path, "r");

    assert_non_null(file);
    if (file == NULL) /* unknown to the analyzer, cmocka has left by now */
        return;
    assert_non_null(fgets(line, sizeof(line), file));
    fclose(file);
    assert_non_null(strstr(line, "\"a\\u0022b\\u005cc\""));
    assert_non_null(strstr(line, "\\u00ff\\u00ff"));
    assert_non_null(strstr(line, "\\u000a\", \"state\": \"undefined\"}\n"));
}

static void nothing_bootable_is_null(void **state)
{
    const struct boot_report nothing = {.slot = ""};
    char members[160];

    (void)state;
    boot_report_json(&nothing, members, sizeof(members));
    assert_string_equal(members, "\"slot\": null, \"offset\": null, \"version\": null, "
                                 "\"project\": null, \"state\": \"none\"");
}

static void without_a_file_nothing_happens(void **state)
{
    struct events events;

    (void)state;
    assert_int_equal(events_open(&events, NULL), 0);
    events_end(&events, 0, 0);
    assert_true(events_open(&events, "/nowhere/events") < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_event_is_a_line, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_file_is_appended_to, make_path, remove_path),
        cmocka_unit_test_setup_teardown(strange_strings_stay_json, make_path, remove_path),
        cmocka_unit_test(nothing_bootable_is_null),
        cmocka_unit_test(without_a_file_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
