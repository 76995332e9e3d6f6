/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fw_image.h"
#include "world/mac.h"

#define STATUS_USAGE 2

#define FLASH_MIN_MB 1
#define FLASH_MAX_MB 128

static const char s_help[] =
    "Usage: esp32-sim --flash FILE --bus SOCKET [OPTION]...\n"
    "A virtual ESP32 with ESP-Hosted firmware: flash chip, boot loader, firmware, radio.\n"
    "\n"
    "  --flash FILE            dump of the flash chip; made if it is missing\n"
    "  --bus SOCKET            where the host connects (Unix, SOCK_SEQPACKET, a packet a frame)\n"
    "  --chip CHIP             esp32, esp32s2, esp32s3, esp32c3 or esp32c6 (esp32)\n"
    "  --flash-size SIZE       of a new flash file (4MB)\n"
    "  --flash-chip NAME[:max] whose times it has: w25q32jv or gd25q32c, typical or the\n"
    "                          datasheet's maximum (w25q32jv)\n"
    "  --partition-table FILE  of a new flash file: .csv or .bin\n"
    "  --mac ADDRESS           base address in eFuse (24:0a:c4:11:22:33)\n"
    "  --dialect DIALECT       of the control path: classic or ctrl (classic)\n"
    "  --stock                 behave as upstream's firmware, faults included\n"
    "  --bootloader KIND       plain or rollback (rollback; plain with --stock)\n"
    "  --idf RELEASE           whose update calls it has: 5.5, 6.0 or 6.1 (5.5)\n"
    "  --aps FILE              access points: a JSON list of ssid, bssid, channel, rssi,\n"
    "                          security (open, wpa2, wpa3), password, tap\n"
    "  --time MODE             real, virtual or none (real)\n"
    "  --bus-kind KIND         whose times the bus has: spi or sdio (spi)\n"
    "  --bus-mhz N             its clock (spi: as upstream runs the chip; sdio: 40)\n"
    "  --bus-gap-us N          between two transactions (spi: 150; sdio: 120, to the host 220)\n"
    "  --bus-armed N           transactions that need no CPU (spi: as the firmware has it, 6,\n"
    "                          or 1 with --stock; sdio: 20)\n"
    "  --host-us N             from an answer to the host's next request (200)\n"
    "  --host-window N         writes that the host has in flight (as many as the firmware\n"
    "                          grants: 3, or 1 with --stock)\n"
    "  --events FILE           append what happens, a JSON object a line\n"
    "  --ctl SOCKET            commands: status, advance SECONDS, reset, ap-off SSID, ap-on SSID\n"
    "  --power-cut N[:torn|:done]\n"
    "                          end with status 99 at the N-th flash operation: before it, in the\n"
    "                          middle of it, or just after\n"
    "  --bad-boot VERSION=crash[@start|@answer]|hang[@start|@answer]|mute[@answer]\n"
    "                          what firmware of that version does when it is booted: before it "
    "has\n"
    "                          run at all (mute: from the start), after its start-up, or after "
    "its\n"
    "                          first answer\n"
    "  --flash-fault KIND:ADDRESS\n"
    "                          a broken place: stuck0 or stuck1 (the lowest bit of that byte),\n"
    "                          erase-fail (its sector), program-fail (its page), read-fail (that\n"
    "                          byte); up to 8 times\n"
    "  --verbose               the chip's console on standard error\n"
    "  --help                  this text\n";

enum option_id {
    OPTION_FLASH = 256,
    OPTION_BUS,
    OPTION_CHIP,
    OPTION_FLASH_SIZE,
    OPTION_PARTITION_TABLE,
    OPTION_MAC,
    OPTION_DIALECT,
    OPTION_STOCK,
    OPTION_BOOTLOADER,
    OPTION_APS,
    OPTION_TIME,
    OPTION_FLASH_CHIP,
    OPTION_BUS_KIND,
    OPTION_BUS_MHZ,
    OPTION_BUS_GAP_US,
    OPTION_BUS_ARMED,
    OPTION_HOST_US,
    OPTION_HOST_WINDOW,
    OPTION_EVENTS,
    OPTION_CTL,
    OPTION_POWER_CUT,
    OPTION_BAD_BOOT,
    OPTION_FLASH_FAULT,
    OPTION_IDF,
    OPTION_VERBOSE,
    OPTION_HELP,
};

static const struct option s_options[] = {
    {"flash", required_argument, NULL, OPTION_FLASH},
    {"bus", required_argument, NULL, OPTION_BUS},
    {"chip", required_argument, NULL, OPTION_CHIP},
    {"flash-size", required_argument, NULL, OPTION_FLASH_SIZE},
    {"partition-table", required_argument, NULL, OPTION_PARTITION_TABLE},
    {"mac", required_argument, NULL, OPTION_MAC},
    {"dialect", required_argument, NULL, OPTION_DIALECT},
    {"stock", no_argument, NULL, OPTION_STOCK},
    {"bootloader", required_argument, NULL, OPTION_BOOTLOADER},
    {"aps", required_argument, NULL, OPTION_APS},
    {"time", required_argument, NULL, OPTION_TIME},
    {"flash-chip", required_argument, NULL, OPTION_FLASH_CHIP},
    {"bus-kind", required_argument, NULL, OPTION_BUS_KIND},
    {"bus-mhz", required_argument, NULL, OPTION_BUS_MHZ},
    {"bus-gap-us", required_argument, NULL, OPTION_BUS_GAP_US},
    {"bus-armed", required_argument, NULL, OPTION_BUS_ARMED},
    {"host-us", required_argument, NULL, OPTION_HOST_US},
    {"host-window", required_argument, NULL, OPTION_HOST_WINDOW},
    {"events", required_argument, NULL, OPTION_EVENTS},
    {"ctl", required_argument, NULL, OPTION_CTL},
    {"power-cut", required_argument, NULL, OPTION_POWER_CUT},
    {"bad-boot", required_argument, NULL, OPTION_BAD_BOOT},
    {"flash-fault", required_argument, NULL, OPTION_FLASH_FAULT},
    {"idf", required_argument, NULL, OPTION_IDF},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

__attribute__((format(printf, 1, 2))) static int refuse(const char *format, ...)
{
    va_list args;

    fputs("esp32-sim: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("; see --help\n", stderr);
    return -EINVAL;
}

/* Returns the index of `word` among `words`, or -EINVAL after telling. */
static int choose(const char *option, const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], word) == 0)
            return i;
    }
    return refuse("--%s: %s is none of its values", option, word);
}

static int take_chip(const char *name, struct options *options)
{
    static const struct {
        const char *name;
        uint16_t chip_id;
    } chips[] = {
        {"esp32", FW_CHIP_ESP32},     {"esp32s2", FW_CHIP_ESP32S2}, {"esp32s3", FW_CHIP_ESP32S3},
        {"esp32c3", FW_CHIP_ESP32C3}, {"esp32c6", FW_CHIP_ESP32C6},
    };

    for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]); i++) {
        if (strcmp(chips[i].name, name) == 0) {
            options->chip_id = chips[i].chip_id;
            return 0;
        }
    }
    return refuse("--chip: there is no %s here", name);
}

static int take_flash_size(const char *text, struct options *options)
{
    char *end;
    const unsigned long mb = strtoul(text, &end, 10);

    if (end == text || strcmp(end, "MB") != 0 || mb < FLASH_MIN_MB || mb > FLASH_MAX_MB ||
        (mb & (mb - 1)) != 0)
        return refuse("--flash-size: %s is not 1MB, 2MB, 4MB ... 128MB", text);
    options->flash_bytes = (uint32_t)mb << 20;
    return 0;
}

static int take_dialect(const char *text, struct options *options)
{
    static const char *const dialects[] = {[DIALECT_CLASSIC] = "classic", [DIALECT_CTRL] = "ctrl"};
    const int dialect = choose("dialect", text, dialects, 2);

    if (dialect < 0)
        return dialect;
    options->dialect = (enum dialect)dialect;
    return 0;
}

static int take_bootloader(const char *text, int *ret)
{
    static const char *const kinds[] = {"plain", "rollback"};
    const int kind = choose("bootloader", text, kinds, 2);

    if (kind >= 0)
        *ret = kind;
    return kind < 0 ? kind : 0;
}

static int take_time(const char *text, struct options *options)
{
    static const char *const modes[] = {
        [SIM_CLOCK_REAL] = "real", [SIM_CLOCK_VIRTUAL] = "virtual", [SIM_CLOCK_NONE] = "none"};
    const int mode = choose("time", text, modes, 3);

    if (mode < 0)
        return mode;
    options->time = (enum sim_clock_mode)mode;
    return 0;
}

static int take_power_cut(const char *text, struct options *options)
{
    static const char *const kinds[] = {
        [POWER_CUT_BEFORE] = "", [POWER_CUT_TORN] = ":torn", [POWER_CUT_DONE] = ":done"};
    char *end;
    const unsigned long long at = strtoull(text, &end, 10);

    if (end == text || text[0] == '-' || at == 0)
        return refuse("--power-cut: %s does not begin with a number from 1 on", text);

    const int kind = choose("power-cut", end, kinds, 3);

    if (kind < 0)
        return kind;
    options->power_cut_at = at;
    options->power_cut = (enum power_cut)kind;
    return 0;
}

static int take_bad_boot(const char *text, struct options *options)
{
    static const struct {
        const char *word;
        enum bad_boot kind;
        enum bad_stage stage;
    } kinds[] = {
        {"crash", BAD_BOOT_CRASH, BAD_STAGE_BOOT},
        {"crash@start", BAD_BOOT_CRASH, BAD_STAGE_START},
        {"crash@answer", BAD_BOOT_CRASH, BAD_STAGE_ANSWER},
        {"hang", BAD_BOOT_HANG, BAD_STAGE_BOOT},
        {"hang@start", BAD_BOOT_HANG, BAD_STAGE_START},
        {"hang@answer", BAD_BOOT_HANG, BAD_STAGE_ANSWER},
        {"mute", BAD_BOOT_MUTE, BAD_STAGE_START},
        {"mute@answer", BAD_BOOT_MUTE, BAD_STAGE_ANSWER},
    };
    const char *const split = strrchr(text, '=');

    if (split == NULL || split == text || (size_t)(split - text) >= sizeof(options->bad_version))
        return refuse("--bad-boot: %s is not VERSION=crash, VERSION=hang or VERSION=mute", text);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].word, split + 1) != 0)
            continue;
        snprintf(options->bad_version, sizeof(options->bad_version), "%.*s", (int)(split - text),
                 text);
        options->bad_boot = kinds[i].kind;
        options->bad_stage = kinds[i].stage;
        return 0;
    }
    return refuse("--bad-boot: %s is none of its values", split + 1);
}

static int take_flash_fault(const char *text, struct options *options)
{
    static const char *const kinds[] = {
        [FLASH_STUCK_AT_0] = "stuck0",      [FLASH_STUCK_AT_1] = "stuck1",
        [FLASH_ERASE_FAILS] = "erase-fail", [FLASH_PROGRAM_FAILS] = "program-fail",
        [FLASH_READ_FAILS] = "read-fail",
    };
    const char *const split = strchr(text, ':');
    char word[16], *end;

    if (split == NULL || (size_t)(split - text) >= sizeof(word) || split[1] < '0' || split[1] > '9')
        return refuse("--flash-fault: %s is not KIND:ADDRESS", text);
    snprintf(word, sizeof(word), "%.*s", (int)(split - text), text);

    const int kind = choose("flash-fault", word, kinds, 5);
    const unsigned long at = strtoul(split + 1, &end, 0);

    if (kind < 0)
        return kind;
    if (*end != '\0' || at >= (unsigned long)FLASH_MAX_MB << 20)
        return refuse("--flash-fault: %s is no address in a flash", split + 1);
    if (options->flash_fault_count == OPTIONS_MAX_FLASH_FAULTS)
        return refuse("--flash-fault: more than %d", OPTIONS_MAX_FLASH_FAULTS);
    options->flash_faults[options->flash_fault_count++] =
        (struct flash_fault){(enum flash_fault_kind)kind, (uint32_t)at};
    return 0;
}

static int take_number(const char *option, const char *text, long min, long max, long *ret)
{
    char *end;
    const long number = strtol(text, &end, 10);

    if (end == text || *end != '\0' || number < min || number > max)
        return refuse("--%s: %s is not a number from %ld to %ld", option, text, min, max);
    *ret = number;
    return 0;
}

static int take_flash_chip(const char *name, struct options *options)
{
    options->flash_timing = flash_timing_find(name);
    return options->flash_timing != NULL ? 0 : refuse("--flash-chip: there is no %s here", name);
}

static int take_bus_kind(const char *text, struct options *options)
{
    static const char *const kinds[] = {[BUS_SPI] = "spi", [BUS_SDIO] = "sdio"};
    const int kind = choose("bus-kind", text, kinds, 2);

    if (kind < 0)
        return kind;
    options->bus_time.kind = (enum bus_kind)kind;
    return 0;
}

/* Of the time model. */
static int take_timing(int option, const char *text, struct options *options)
{
    struct bus_settings *settings = &options->bus_time;
    long number = 0;
    int rc;

    switch (option) {
    case OPTION_FLASH_CHIP:
        return take_flash_chip(text, options);
    case OPTION_BUS_KIND:
        return take_bus_kind(text, options);
    case OPTION_BUS_MHZ:
        rc = take_number("bus-mhz", text, 1, 80, &number);
        settings->mhz = (unsigned)number;
        return rc;
    case OPTION_BUS_GAP_US:
        rc = take_number("bus-gap-us", text, 0, 100000, &number);
        settings->gap_us = (int)number;
        return rc;
    case OPTION_BUS_ARMED:
        rc = take_number("bus-armed", text, 1, BUS_MAX_ARMED, &number);
        settings->armed = (unsigned)number;
        return rc;
    case OPTION_HOST_US:
        rc = take_number("host-us", text, 0, 1000000, &number);
        settings->host_us = (int)number;
        return rc;
    case OPTION_HOST_WINDOW:
        rc = take_number("host-window", text, 1, BUS_MAX_WINDOW, &number);
        settings->window = (unsigned)number;
        return rc;
    default: /* getopt has told */
        return -EINVAL;
    }
}

static int take_idf(const char *text, struct options *options)
{
    static const char *const releases[] = {"5.5", "6.0", "6.1"};
    static const unsigned numbers[] = {CHIP_IDF(5, 5), CHIP_IDF(6, 0), CHIP_IDF(6, 1)};
    const int chosen = choose("idf", text, releases, 3);

    if (chosen < 0)
        return chosen;
    options->idf = numbers[chosen];
    return 0;
}

static int take(int option, const char *argument, struct options *options, int *bootloader)
{
    switch (option) {
    case OPTION_FLASH:
        options->flash = argument;
        return 0;
    case OPTION_BUS:
        options->bus = argument;
        return 0;
    case OPTION_CHIP:
        return take_chip(argument, options);
    case OPTION_FLASH_SIZE:
        return take_flash_size(argument, options);
    case OPTION_PARTITION_TABLE:
        options->partition_table = argument;
        return 0;
    case OPTION_MAC:
        if (mac_parse(argument, options->mac) < 0 || (options->mac[0] & 1) != 0)
            return refuse("--mac: %s is not a station's address", argument);
        return 0;
    case OPTION_DIALECT:
        return take_dialect(argument, options);
    case OPTION_STOCK:
        options->stock = true;
        return 0;
    case OPTION_BOOTLOADER:
        return take_bootloader(argument, bootloader);
    case OPTION_APS:
        options->aps = argument;
        return 0;
    case OPTION_TIME:
        return take_time(argument, options);
    case OPTION_EVENTS:
        options->events = argument;
        return 0;
    case OPTION_CTL:
        options->ctl = argument;
        return 0;
    case OPTION_POWER_CUT:
        return take_power_cut(argument, options);
    case OPTION_BAD_BOOT:
        return take_bad_boot(argument, options);
    case OPTION_FLASH_FAULT:
        return take_flash_fault(argument, options);
    case OPTION_IDF:
        return take_idf(argument, options);
    case OPTION_VERBOSE:
        options->verbose = true;
        return 0;
    default:
        return take_timing(option, argument, options);
    }
}

/* As upstream runs them: ESP32 to C3 as in its INIT event. */
static unsigned spi_mhz(uint16_t chip_id)
{
    switch (chip_id) {
    case FW_CHIP_ESP32:
        return 10;
    case FW_CHIP_ESP32S3:
        return 40;
    case FW_CHIP_ESP32C6:
        return 26;
    default:
        return 30;
    }
}

int options_parse(int argc, char *const *argv, struct options *ret, int *ret_status)
{
    struct options options = {
        .chip_id = FW_CHIP_ESP32,
        .flash_timing = flash_timing_find(NULL),
        .bus_time = {.gap_us = -1, .host_us = -1},
        .mac = {0x24, 0x0a, 0xc4, 0x11, 0x22, 0x33},
        .time = SIM_CLOCK_REAL,
        .idf = CHIP_IDF(5, 5),
    };
    int bootloader = -1, rc = 0, option;

    while (rc == 0 && (option = getopt_long(argc, argv, "", s_options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(s_help, stdout);
            *ret_status = 0;
            return 1;
        }
        rc = take(option, optarg, &options, &bootloader);
    }
    if (rc == 0 && optind < argc)
        rc = refuse("%s belongs to no option", argv[optind]);
    if (rc == 0 && (options.flash == NULL || options.bus == NULL))
        rc = refuse("--flash FILE and --bus SOCKET are needed");
    if (rc < 0) {
        *ret_status = STATUS_USAGE;
        return 1;
    }
    if (options.bus_time.mhz == 0 && options.bus_time.kind == BUS_SPI)
        options.bus_time.mhz = spi_mhz(options.chip_id);
    options.rollback = bootloader >= 0 ? bootloader == 1 : !options.stock;
    *ret = options;
    return 0;
}
