/* SPDX-License-Identifier: Apache-2.0 */
/* The options of every tool: a row each, and what it does with its value. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "fw_image.h"
#include "password.h"

#define DAY_S         86400
#define HEX_DIGITS    "0123456789abcdefABCDEF"
#define FROM_1_TO_DAY "1 to 86400 seconds"

static bool read_number(const char *value, unsigned min, unsigned max, unsigned *ret)
{
    char *end;

    errno = 0;

    const unsigned long number = strtoul(value, &end, 10);

    if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || number < min || number > max)
        return false;
    *ret = (unsigned)number;
    return true;
}

/* One that is not there is said by the system, later. */
static const char *check_path(const char *value)
{
    return *value != '\0' ? NULL : "the path of a file";
}

static const char *take_device(struct cli_options *options, char *value)
{
    options->device.path = value;
    return check_path(value);
}

static const char *take_timeout(struct cli_options *options, char *value)
{
    return read_number(value, 1, DAY_S, &options->device.timeout_s) ? NULL : FROM_1_TO_DAY;
}

static const char *take_dialect(struct cli_options *options, char *value)
{
    for (int id = HOSTED_DIALECT_AUTO; id <= HOSTED_DIALECT_MCU; id++) {
        if (strcmp(value, hosted_dialect_name((enum hosted_dialect)id)) == 0) {
            options->device.dialect = (enum hosted_dialect)id;
            return NULL;
        }
    }
    return "auto, classic, ctrl or mcu";
}

static const char *take_chip(struct cli_options *options, char *value)
{
    options->update.chip = fw_chip_by_name(value);
    return options->update.chip >= 0 ? NULL : "the name of a chip: esp32, esp32c3, ...";
}

/* 1048576, 0x100000, 1024K, 1M; as in a partition table. */
static const char *take_slot_size(struct cli_options *options, char *value)
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
        return "a number of bytes: 1792K, 1M, 0x100000";
    options->update.slot_bytes = (uint32_t)(number * unit);
    return NULL;
}

/* 0: do not wait. */
static const char *take_reboot_timeout(struct cli_options *options, char *value)
{
    return read_number(value, 0, DAY_S, &options->update.reboot_timeout_s) ? NULL
                                                                           : "0 to 86400 seconds";
}

static const char *take_reconnect_hook(struct cli_options *options, char *value)
{
    options->reconnect_hook = value;
    return check_path(value);
}

static const char *take_allow_release_change(struct cli_options *options, char *value)
{
    (void)value;
    options->update.allow_release_change = true;
    return NULL;
}

/* Of either case. */
static const char *take_sha256(struct cli_options *options, char *value)
{
    const size_t bytes = sizeof(options->sha256);
    const bool right = strlen(value) == 2 * bytes && value[strspn(value, HEX_DIGITS)] == '\0';

    if (!right)
        return "64 hexadecimal digits";
    for (size_t i = 0; i < bytes; i++) {
        const char digits[] = {value[2 * i], value[2 * i + 1], '\0'};

        options->sha256[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    options->update.sha256 = options->sha256;
    return NULL;
}

static const char *take_check_sums(struct cli_options *options, char *value)
{
    (void)value;
    options->check_sums = true;
    return NULL;
}

static const char *take_public_key(struct cli_options *options, char *value)
{
    options->update.public_key = value;
    return check_path(value);
}

static const char *take_download_first(struct cli_options *options, char *value)
{
    (void)value;
    options->download_first = true;
    return NULL;
}

static const char *take_if_newer(struct cli_options *options, char *value)
{
    (void)value;
    options->update.version_policy = HOSTED_VERSION_NEWER;
    return NULL;
}

static const char *take_allow_downgrade(struct cli_options *options, char *value)
{
    (void)value;
    options->update.version_policy = HOSTED_VERSION_OTHER;
    return NULL;
}

static const char *take_dry_run(struct cli_options *options, char *value)
{
    (void)value;
    options->dry_run = true;
    return NULL;
}

/* Longer than a firmware takes to start. */
static const char *take_trial(struct cli_options *options, char *value)
{
    return read_number(value, 10, DAY_S, &options->update.trial_s) ? NULL : "10 to 86400 seconds";
}

static const char *take_no_trial(struct cli_options *options, char *value)
{
    (void)value;
    options->update.no_trial = true;
    return NULL;
}

static const char *take_clear_session(struct cli_options *options, char *value)
{
    (void)value;
    options->update.clear_session = true;
    return NULL;
}

static const char *take_force(struct cli_options *options, char *value)
{
    (void)value;
    options->update.allow_rolled_back = true;
    options->update.allow_bluetooth = true;
    return NULL;
}

static const char *take_stall_timeout(struct cli_options *options, char *value)
{
    return read_number(value, 1, DAY_S, &options->source.stall_timeout_s) ? NULL : FROM_1_TO_DAY;
}

static const char *take_retries(struct cli_options *options, char *value)
{
    unsigned retries;

    if (!read_number(value, 0, 1000, &retries))
        return "0 to 1000";
    options->source.retries = retries > 0 ? (int)retries : -1;
    return NULL;
}

static const char *take_cacert(struct cli_options *options, char *value)
{
    options->source.ca_file = value;
    return check_path(value);
}

static const char *take_cert(struct cli_options *options, char *value)
{
    options->source.cert_file = value;
    return check_path(value);
}

static const char *take_key(struct cli_options *options, char *value)
{
    options->source.key_file = value;
    return check_path(value);
}

static const char *take_interface(struct cli_options *options, char *value)
{
    options->source.interface = value;
    return *value != '\0' ? NULL : "the name of a network interface";
}

/* "": none. */
static const char *take_proxy(struct cli_options *options, char *value)
{
    options->source.proxy = value;
    return NULL;
}

static const char *take_ssid(struct cli_options *options, char *value)
{
    options->ssid = value;
    return NULL; /* its length is the library's business */
}

static const char *take_bssid(struct cli_options *options, char *value)
{
    options->bssid = value;
    return NULL;
}

static const char *take_password(struct cli_options *options, char *value)
{
    /* Out of argv, where every user of this host can read it. */
    options->password = password_keep(value);
    return options->password != NULL ? NULL : "short enough for this host's memory";
}

static const char *take_wpa3(struct cli_options *options, char *value)
{
    static const char *const yes[] = {"true", "1", "yes"}, *const no[] = {"false", "0", "no"};

    options->wpa3 = value == NULL;
    for (size_t i = 0; value != NULL && i < sizeof(yes) / sizeof(yes[0]); i++) {
        options->wpa3 = options->wpa3 || strcasecmp(value, yes[i]) == 0;
        if (strcasecmp(value, no[i]) == 0)
            return NULL;
    }
    return options->wpa3 ? NULL : "true or false";
}

static const char *take_listen_interval(struct cli_options *options, char *value)
{
    unsigned beacons = 0;
    const bool ok = read_number(value, 1, UINT16_MAX, &beacons);

    options->listen_interval = (int)beacons;
    return ok ? NULL : "1 to 65535 beacons";
}

static const char *take_dhcp(struct cli_options *options, char *value)
{
    (void)value;
    options->dhcp = true;
    return NULL;
}

/* What the ESP32 takes. */
static const char *take_heartbeat(struct cli_options *options, char *value)
{
    return read_number(value, 10, 3600, &options->heartbeat_s) ? NULL : "10 to 3600 seconds";
}

static const char *take_json(struct cli_options *options, char *value)
{
    (void)value;
    options->json = true;
    return NULL;
}

static const char *take_quiet(struct cli_options *options, char *value)
{
    (void)value;
    options->quiet = true;
    return NULL;
}

static const char *take_verbose(struct cli_options *options, char *value)
{
    (void)value;
    options->verbose = true;
    return NULL;
}

static const char *take_help(struct cli_options *options, char *value)
{
    (void)value;
    options->help = true;
    return NULL;
}

static const char *take_version(struct cli_options *options, char *value)
{
    (void)value;
    options->version = true;
    return NULL;
}

/* What completes an argument stands in completion.c, by its word. */
const struct cli_option cli_option_table[] = {
    {"chip", "CHIP", CLI_IMAGE, "only an image for this chip: esp32, esp32c3, ...", take_chip},
    {"slot-size", "SIZE", CLI_IMAGE, "only an image of at most this: 1792K, 1M, 0x100000",
     take_slot_size},
    {"sha256", "HEX", CLI_IMAGE, "only the file with this SHA-256", take_sha256},
    {"check-sums", NULL, CLI_IMAGE,
     "only with the digest of SOURCE.sha256, or SHA256SUMS beside it", take_check_sums},
    {"public-key", "PEM", CLI_IMAGE, "only one that is signed with this key, for Secure Boot v2",
     take_public_key},

    {"if-newer", NULL, CLI_UPDATE, "only to a newer version than the one that runs", take_if_newer},
    {"allow-downgrade", NULL, CLI_POLICY, "also to an older version", take_allow_downgrade},
    {"reboot-timeout", "SECONDS", CLI_UPDATE | CLI_RESTART,
     "longest wait for the new firmware (60; 0: do not wait)", take_reboot_timeout},
    {"reconnect-hook", "PROGRAM", CLI_UPDATE | CLI_RESTART,
     "run it once the ESP32 has restarted, with the device's path", take_reconnect_hook},
    {"allow-release-change", NULL, CLI_UPDATE,
     "also to a release that the kernel driver may refuse", take_allow_release_change},
    {"force", NULL, CLI_UPDATE,
     "whatever version runs or was rolled back, and although Bluetooth is up", take_force},
    {"trial", "SECONDS", CLI_UPDATE, "longest time to the confirmation of the new firmware (120)",
     take_trial},
    {"no-trial", NULL, CLI_UPDATE, "no way back: also an image that cannot confirm itself",
     take_no_trial},
    {"clear-session", NULL, CLI_UPDATE,
     "stock firmware: end an update that was cut off, which may select its image",
     take_clear_session},
    {"dry-run", NULL, CLI_POLICY, "say what would be done and all that is against it, do nothing",
     take_dry_run},

    {"download-first", NULL, CLI_SOURCE, "URL: store it, and check it wholly before anything else",
     take_download_first},
    {"stall-timeout", "SECONDS", CLI_SOURCE, "URL: longest silence of the server (default: 30)",
     take_stall_timeout},
    {"retries", "N", CLI_SOURCE, "URL: attempts in a row after one that failed (default: 5)",
     take_retries},
    {"cacert", "FILE", CLI_SOURCE, "URL: trust these authorities (PEM), not the system's",
     take_cacert},
    {"cert", "FILE", CLI_SOURCE, "URL: this client's certificate (PEM)", take_cert},
    {"key", "FILE", CLI_SOURCE, "URL: its key (PEM; default: it is in the file of --cert)",
     take_key},
    {"interface", "INTERFACE", CLI_SOURCE, "URL: use this network interface only: ethsta0",
     take_interface},
    {"proxy", "URL", CLI_SOURCE,
     "URL: use this proxy (default: $http_proxy and its like; '': none)", take_proxy},

    {"ssid", "NAME", CLI_STATION, "name of the network", take_ssid},
    {"password", "PASSWORD", CLI_STATION, "else from $ESP_HOSTED_PASSWORD, or asked for",
     take_password},
    {"bssid", "MAC", CLI_STATION, "this access point only", take_bssid},
    {"wpa3", NULL, CLI_STATION, "WPA3 may be used", take_wpa3},
    {"listen-interval", "BEACONS", CLI_STATION, "sleep this long (default: 3)",
     take_listen_interval},
    {"dhcp", NULL, CLI_STATION, "get an address for ethsta0", take_dhcp},
    /* As upstream's station_connect.py calls them. */
    {"is_wpa3_supported", "[BOOL]", CLI_STATION, NULL, take_wpa3},
    {"listen_interval", "BEACONS", CLI_STATION, NULL, take_listen_interval},

    {"heartbeat", "SECONDS", CLI_EVENTS, "have the ESP32 say that often that it lives: 10 to 3600",
     take_heartbeat},

    {"device", "PATH", CLI_DEVICE, "control device (default: $ESP_HOSTED_DEVICE, else /dev/esps0)",
     take_device},
    {"timeout", "SECONDS", CLI_DEVICE, "longest wait for one reply (default: 30, more for begin)",
     take_timeout},
    {"dialect", "DIALECT", CLI_DEVICE,
     "what the firmware speaks: auto, classic, ctrl, mcu (default: auto)", take_dialect},

    {"json", NULL, CLI_JSON, "say the result as JSON, an object a line", take_json},
    {"quiet", NULL, CLI_WORK, "say nothing but errors", take_quiet},
    {"verbose", NULL, CLI_WORK, "say what happens on the wire", take_verbose},
    {"version", NULL, CLI_ALL, "show the version", take_version},
    {"help", NULL, CLI_ALL, "show this, also for one command", take_help},
    {NULL, NULL, 0, NULL, NULL},
};

/* struct cli_context has a bit for each. */
_Static_assert(sizeof(cli_option_table) / sizeof(cli_option_table[0]) <= 64, "too many options");

bool cli_takes(const struct cli_program *program, const struct cli_command *command,
               const struct cli_option *option)
{
    if (option->groups & CLI_ALL)
        return true;
    if (command != NULL)
        return (option->groups & command->groups) != 0 ||
               ((option->groups & CLI_WORK) != 0 && command->groups != 0);
    for (command = program->commands; command->word != NULL; command++)
        if (cli_takes(program, command, option))
            return true;
    return false;
}
