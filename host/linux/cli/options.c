/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fw_image.h"

static bool take_device(struct cli_options *options, char *value)
{
    options->device.path = value;
    return *value != '\0';
}

static bool take_timeout(struct cli_options *options, char *value)
{
    char *end;
    const unsigned long seconds = strtoul(value, &end, 10);

    options->device.timeout_s = (unsigned)seconds;
    return *value >= '0' && *value <= '9' && *end == '\0' && seconds > 0 && seconds <= 86400;
}

static bool take_dialect(struct cli_options *options, char *value)
{
    for (int id = HOSTED_DIALECT_AUTO; id <= HOSTED_DIALECT_MCU; id++) {
        if (strcmp(value, hosted_dialect_name((enum hosted_dialect)id)) == 0) {
            options->device.dialect = (enum hosted_dialect)id;
            return true;
        }
    }
    return false;
}

static bool take_chip(struct cli_options *options, char *value)
{
    options->update.chip = fw_chip_by_name(value);
    return options->update.chip >= 0;
}

/* 1048576, 0x100000, 1024K, 1M; as in a partition table. */
static bool take_slot_size(struct cli_options *options, char *value)
{
    char *end;

    errno = 0;

    const unsigned long long number = strtoull(value, &end, 0);
    const unsigned long long unit = *end == 'K' || *end == 'k'   ? 1024
                                    : *end == 'M' || *end == 'm' ? 1024 * 1024
                                                                 : 1;

    if (unit > 1)
        end++;
    if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || number == 0 ||
        number > UINT32_MAX / unit)
        return false;
    options->update.slot_bytes = (uint32_t)(number * unit);
    return true;
}

/* 0: do not wait. */
static bool take_reboot_timeout(struct cli_options *options, char *value)
{
    char *end;
    const unsigned long seconds = strtoul(value, &end, 10);

    options->update.reboot_timeout_s = (unsigned)seconds;
    return *value >= '0' && *value <= '9' && *end == '\0' && seconds <= 86400;
}

static bool take_reconnect_hook(struct cli_options *options, char *value)
{
    options->reconnect_hook = value;
    return *value != '\0';
}

static bool take_allow_release_change(struct cli_options *options, char *value)
{
    (void)value;
    options->update.allow_release_change = true;
    return true;
}

static bool take_force(struct cli_options *options, char *value)
{
    (void)value;
    options->update.allow_bluetooth = true;
    return true;
}

static bool take_json(struct cli_options *options, char *value)
{
    (void)value;
    options->json = true;
    return true;
}

static bool take_quiet(struct cli_options *options, char *value)
{
    (void)value;
    options->quiet = true;
    return true;
}

static bool take_verbose(struct cli_options *options, char *value)
{
    (void)value;
    options->verbose = true;
    return true;
}

static bool take_help(struct cli_options *options, char *value)
{
    (void)value;
    options->help = true;
    return true;
}

static const struct cli_option common_options[] = {
    {"device", "PATH", "control device (default: $ESP_HOSTED_DEVICE, else /dev/esps0)",
     take_device},
    {"timeout", "SECONDS", "longest wait for one reply (default: 30, more for begin)",
     take_timeout},
    {"dialect", "DIALECT", "what the firmware speaks: auto, classic, ctrl, mcu (default: auto)",
     take_dialect},
    {"chip", "CHIP", "update: only an image for this chip: esp32, esp32c3, ...", take_chip},
    {"slot-size", "SIZE", "update: only an image of at most this: 1792K, 1M, 0x100000",
     take_slot_size},
    {"reboot-timeout", "SECONDS", "update: longest wait for the new firmware (60; 0: do not wait)",
     take_reboot_timeout},
    {"reconnect-hook", "PROGRAM",
     "update: run it once the ESP32 has restarted, with the device's path", take_reconnect_hook},
    {"allow-release-change", NULL, "update: also to a release that the kernel driver may refuse",
     take_allow_release_change},
    {"force", NULL, "update: although Bluetooth over the same bus is up", take_force},
    {"quiet", NULL, "say nothing but errors", take_quiet},
    {"verbose", NULL, "say what happens on the wire", take_verbose},
    {"help", NULL, "show this", take_help},
    {NULL, NULL, NULL, NULL},
};

const struct cli_option cli_json_option[] = {
    {"json", NULL, "say the result as a JSON object", take_json},
    {NULL, NULL, NULL, NULL},
};

static const struct cli_option *find_in(const struct cli_option *table, const char *name,
                                        size_t len)
{
    for (; table != NULL && table->name != NULL; table++)
        if (strlen(table->name) == len && strncmp(table->name, name, len) == 0)
            return table;
    return NULL;
}

static const struct cli_option *find_option(const struct cli_program *program, const char *name,
                                            size_t len)
{
    const struct cli_option *found = find_in(common_options, name, len);

    return found != NULL ? found : find_in(program->own_options, name, len);
}

/* One option at argv[*at], which is left at its last word. */
static int take_option(struct cli_context *context, int argc, char **argv, int *at)
{
    char *name = argv[*at] + strlen("--");
    char *value = strchr(name, '=');
    const size_t len = value != NULL ? (size_t)(value - name) : strlen(name);
    const struct cli_option *option = find_option(context->program, name, len);

    if (option == NULL)
        return cli_usage(context, "unknown option --%.*s", (int)len, name);
    if (value != NULL)
        value++;
    if (option->argument == NULL && value != NULL)
        return cli_usage(context, "--%s takes no value", option->name);
    if (option->argument != NULL && option->argument[0] != '[' && value == NULL) {
        if (*at + 1 >= argc)
            return cli_usage(context, "--%s needs a value: %s", option->name, option->argument);
        value = argv[++*at];
    }
    /* The value is not repeated: it may be a password. */
    if (!option->take(&context->options, value))
        return cli_usage(context, "--%s: this is no %s", option->name, option->argument);
    return HOSTED_DONE;
}

int cli_parse_options(struct cli_context *context, int argc, char **argv, char **words, int max)
{
    bool only_words = false;
    int count = 0;

    for (int at = 1; at < argc; at++) {
        if (!only_words && strcmp(argv[at], "--") == 0) {
            only_words = true;
        } else if (!only_words && strcmp(argv[at], "-h") == 0) {
            context->options.help = true;
        } else if (!only_words && strncmp(argv[at], "--", 2) == 0) {
            if (take_option(context, argc, argv, &at) != HOSTED_DONE)
                return -EINVAL;
        } else if (!only_words && argv[at][0] == '-' && argv[at][1] != '\0') {
            cli_usage(context, "unknown option %s", argv[at]);
            return -EINVAL;
        } else if (count < max) {
            words[count++] = argv[at];
        }
    }
    return count;
}

static void print_table(const struct cli_option *table)
{
    for (; table != NULL && table->name != NULL; table++) {
        char left[40];

        if (table->help == NULL)
            continue;
        snprintf(left, sizeof(left), "--%s %s", table->name,
                 table->argument != NULL ? table->argument : "");
        printf("  %-22s  %s\n", left, table->help);
    }
}

void cli_print_options(const struct cli_program *program)
{
    printf("\nOptions:\n");
    print_table(common_options);
    print_table(program->own_options);
}
