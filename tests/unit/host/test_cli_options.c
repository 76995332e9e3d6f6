/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli.h"

static int ran;
static const char *argument;

static int run(struct cli_context *context)
{
    ran++;
    argument = context->argument;
    return 42;
}

static const struct cli_command commands[] = {
    {"ota", "IMAGE", CLI_DEVICE | CLI_SOURCE | CLI_IMAGE | CLI_UPDATE, "help", run, false},
    {"scan", NULL, CLI_DEVICE, "help", run, false},
    {"net join", "[SSID]", CLI_DEVICE | CLI_STATION, "help", run, false},
    {"net leave", NULL, CLI_DEVICE, "help", run, false},
    {NULL, NULL, 0, NULL, NULL, false},
};
static const struct cli_program program = {.name = "tool", .purpose = "p", .commands = commands};

/* Parses "tool WORDS..."; the words are separated by spaces. */
static int parse(const char *line, struct cli_options *ret, char *words[3])
{
    static char copy[512];
    struct cli_context context = {.program = &program,
                                  .options = {.update = hosted_update_defaults}};
    char *argv[16] = {(char *)"tool"};
    int argc = 1;

    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;

    const int count = cli_parse_options(&context, argc, argv, words, 3);

    *ret = context.options;
    return count;
}

static void options_may_stand_anywhere(void **state)
{
    (void)state;
    struct cli_options options;
    char *words[3];

    assert_int_equal(parse("--device /dev/x ota --timeout=7 image --quiet", &options, words), 2);
    assert_string_equal(words[0], "ota");
    assert_string_equal(words[1], "image");
    assert_string_equal(options.device.path, "/dev/x");
    assert_int_equal(options.device.timeout_s, 7);
    assert_true(options.quiet);
    assert_false(options.verbose);

    assert_int_equal(parse("ota -- --quiet", &options, words), 2);
    assert_string_equal(words[1], "--quiet");
    assert_false(options.quiet);
    assert_int_equal(parse("ota -", &options, words), 2);
    assert_int_equal(parse("ota -h", &options, words), 1);
    assert_true(options.help);
    assert_int_equal(parse("a b c d e", &options, words), 3);
}

static void sizes_are_written_as_in_a_partition_table(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t bytes; /* 0: refused */
    } cases[] = {
        {"1048576", 1048576},
        {"1M", 1048576},
        {"1792K", 1835008},
        {"0x100000", 1048576},
        {"0x10k", 16384},
        {"4095M", 4293918720u},
        {"4096M", 0},
        {"0", 0},
        {"-1", 0},
        {"1G", 0},
        {"1Mx", 0},
        {"K", 0},
        {"big", 0},
        {"99999999999999999999", 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cli_options options;
        char *words[3];
        char line[64];

        strcat(strcpy(line, "--slot-size "), cases[i].text);
        assert_int_equal(parse(line, &options, words) < 0, cases[i].bytes == 0);
        assert_int_equal(options.update.slot_bytes, cases[i].bytes);
    }
}

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {"--timeout",
                                        "--timeout soon",
                                        "--timeout -1",
                                        "--timeout 0",
                                        "--timeout 1x",
                                        "--timeout 86401",
                                        "--dialect latin",
                                        "--dialect Ctrl",
                                        "--reboot-timeout",
                                        "--reboot-timeout -1",
                                        "--reboot-timeout 86401",
                                        "--reconnect-hook=",
                                        "--chip esp8266",
                                        "--frobnicate",
                                        "-x",
                                        "--retries -1",
                                        "--retries many",
                                        "--retries 1001",
                                        "--stall-timeout 0",
                                        "--stall-timeout 86401",
                                        "--stall-timeout=",
                                        "--cacert=",
                                        "--cert=",
                                        "--key=",
                                        "--interface=",
                                        "--proxy",
                                        "--quiet=yes",
                                        "--slot-size big",
                                        "--device="};

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct cli_options options;
        char *words[3];

        assert_true(parse(lines[i], &options, words) < 0);
    }
}

static void chips_and_dialects(void **state)
{
    (void)state;
    struct cli_options options;
    char *words[3];

    assert_int_equal(parse("", &options, words), 0);
    assert_int_equal(options.update.chip, -1);
    assert_int_equal(options.device.dialect, HOSTED_DIALECT_AUTO);
    assert_int_equal(parse("--chip ESP32-C3 --dialect classic", &options, words), 0);
    assert_int_equal(options.update.chip, 5);
    assert_int_equal(options.device.dialect, HOSTED_DIALECT_CLASSIC);
    assert_int_equal(parse("--dialect classic --dialect auto", &options, words), 0);
    assert_int_equal(options.device.dialect, HOSTED_DIALECT_AUTO);
}

static void a_download_has_options(void **state)
{
    (void)state;
    struct cli_options options;
    char *words[3];

    assert_int_equal(parse("--stall-timeout 7 --retries 3 --cacert a --cert b --key c "
                           "--interface ethsta0 --proxy http://p:1",
                           &options, words),
                     0);
    assert_int_equal(options.source.stall_timeout_s, 7);
    assert_int_equal(options.source.retries, 3);
    assert_string_equal(options.source.ca_file, "a");
    assert_string_equal(options.source.cert_file, "b");
    assert_string_equal(options.source.key_file, "c");
    assert_string_equal(options.source.interface, "ethsta0");
    assert_string_equal(options.source.proxy, "http://p:1");
    assert_int_equal(parse("--retries 0 --proxy=", &options, words), 0);
    assert_int_equal(options.source.retries, -1); /* none, where 0 is the default */
    assert_string_equal(options.source.proxy, "");
    assert_int_equal(parse("", &options, words), 0);
    assert_int_equal(options.source.retries, 0);
    assert_null(options.source.proxy);
}

static void commands_are_found_and_counted(void **state)
{
    (void)state;
    static const struct {
        const char *argv[5];
        int status, runs;
    } cases[] = {
        {{"tool"}, HOSTED_USAGE, 0},
        {{"tool", "frobnicate"}, HOSTED_USAGE, 0},
        {{"tool", "ota"}, HOSTED_USAGE, 0},
        {{"tool", "ota", "image", "more"}, HOSTED_USAGE, 0},
        {{"tool", "scan", "more"}, HOSTED_USAGE, 0},
        {{"tool", "OTA", "image"}, 42, 1},
        {{"tool", "Scan"}, 42, 1},
        {{"tool", "ota", "scan"}, 42, 1}, /* once: the image's name is no command */
        {{"tool", "scan", "--help"}, HOSTED_DONE, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *argv[5];
        int argc = 0;

        while (argc < 5 && cases[i].argv[argc] != NULL) {
            argv[argc] = (char *)cases[i].argv[argc];
            argc++;
        }
        ran = 0;
        assert_int_equal(cli_main(&program, argc, argv), cases[i].status);
        assert_int_equal(ran, cases[i].runs);
    }
    assert_string_equal(argument, "scan");
}

static int run_line(const char *line)
{
    static char copy[512];
    char *argv[16] = {(char *)"tool"};
    int argc = 1;

    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    ran = 0;
    return cli_main(&program, argc, argv);
}

static void a_command_may_be_of_two_words(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int status;
        const char *argument;
    } cases[] = {
        {"net join", 42, NULL},
        {"net join Home", 42, "Home"},
        {"NET Join net", 42, "net"},
        {"net --timeout 7 join Home", 42, "Home"},
        {"net leave", 42, NULL},
        {"net", HOSTED_USAGE, NULL},
        {"net scan", HOSTED_USAGE, NULL},
        {"join", HOSTED_USAGE, NULL},
        {"net leave x", HOSTED_USAGE, NULL},
        {"net join a b", HOSTED_USAGE, NULL},
        {"net join a b c d e", HOSTED_USAGE, NULL},
        {"ne join", HOSTED_USAGE, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(run_line(cases[i].line), cases[i].status);
        assert_int_equal(ran, cases[i].status == 42);
        if (ran == 0)
            continue;
        if (cases[i].argument == NULL)
            assert_null(argument);
        else
            assert_string_equal(argument, cases[i].argument);
    }
}

static void a_command_takes_its_own_options_only(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int status;
    } cases[] = {
        {"ota x --chip esp32 --reboot-timeout 0 --device y --quiet", 42},
        {"scan --device x --dialect ctrl --verbose", 42},
        {"net join --ssid a --dhcp --listen_interval 3", 42},
        {"scan --chip esp32", HOSTED_USAGE},
        {"--reboot-timeout 0 net leave", HOSTED_USAGE},
        {"ota x --ssid a", HOSTED_USAGE},
        {"net leave --dhcp", HOSTED_USAGE},
        {"scan --json", HOSTED_USAGE},         /* no command of this tool knows it */
        {"scan --heartbeat 10", HOSTED_USAGE}, /* nor this */
        {"scan --chip esp32 --help", HOSTED_DONE},
        {"--version", HOSTED_DONE},
        {"ota --version", HOSTED_DONE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(run_line(cases[i].line), cases[i].status);
}

static void every_option_belongs_to_some_command(void **state)
{
    (void)state;

    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        assert_int_not_equal(option->groups, 0);
        assert_non_null(option->take);
        for (const struct cli_option *other = cli_option_table; other != option; other++)
            assert_string_not_equal(option->name, other->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_may_stand_anywhere),
        cmocka_unit_test(sizes_are_written_as_in_a_partition_table),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(chips_and_dialects),
        cmocka_unit_test(a_download_has_options),
        cmocka_unit_test(commands_are_found_and_counted),
        cmocka_unit_test(a_command_may_be_of_two_words),
        cmocka_unit_test(a_command_takes_its_own_options_only),
        cmocka_unit_test(every_option_belongs_to_some_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
