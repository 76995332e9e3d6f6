/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host library's commands, whatever the ESP32 answers: detection of the dialect, connecting by
 * events, an update with the wait for the new firmware. Every call ends, and says in words why it
 * failed. A firmware that may be a classic one is asked nothing else.
 * Input: u8 dialect and switches, u8 largest read; then commands, each a byte and segments
 * (fuzz_link.h) as it needs them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device_internal.h"
#include "fuzz.h"
#include "fuzz_link.h"
#include "fw_image.h"
#include "host_check.h"
#include "hosted/update.h"
#include "memory_source.h"
#include "test_image.h"

#define IMAGE_BYTES   4016 /* two writes */
#define VERSION_AT    (24 + 8 + 16)
#define REBOOT_WAIT_S 20

enum {
    DIALECT_MASK = 0x03,
    KERNEL_DRIVER = 0x04,
    RELEASE_MAY_CHANGE = 0x08,
};

struct run {
    struct fuzz_input input;
    struct fuzz_link link;
    struct hosted_device *device;
    struct hosted_fault fault;
    bool release_may_change;
};

static int get_mode(struct run *run)
{
    struct hosted_identity identity;
    enum hosted_mode mode;
    const int err = hosted_get_mode(run->device, &mode, &identity, &run->fault);

    if (err == 0 && identity.known)
        host_check_identity(&identity);
    return err;
}

static int set_mode(struct run *run)
{
    return hosted_set_mode(run->device, HOSTED_MODE_STATION, &run->fault);
}

static int get_mac(struct run *run)
{
    char mac[HOSTED_MAC_CHARS + 1];
    const int err = hosted_get_mac(run->device, HOSTED_MODE_STATION, mac, &run->fault);

    REQUIRE(err < 0 || fuzz_is_printable(mac, sizeof(mac)));
    return err;
}

static int set_mac(struct run *run)
{
    return hosted_set_mac(run->device, HOSTED_MODE_STATION, "24:0a:c4:11:22:33", &run->fault);
}

static int connect_station(struct run *run)
{
    const struct hosted_network network = {.ssid = "MyWifi", .password = "MyWifiPass@123"};
    const int err = hosted_connect(run->device, &network, &run->fault);

    REQUIRE(err == 0 || strstr(run->fault.text, network.password) == NULL);
    return err;
}

static int disconnect_station(struct run *run)
{
    return hosted_disconnect(run->device, &run->fault);
}

static int get_ap(struct run *run)
{
    struct hosted_ap ap;
    const int err = hosted_get_ap(run->device, &ap, &run->fault);

    if (err == 0)
        host_check_ap(&ap);
    return err;
}

static int get_version(struct run *run)
{
    char version[HOSTED_TEXT_BYTES];
    const int err = hosted_get_version(run->device, version, &run->fault);

    REQUIRE(err < 0 || fuzz_is_printable(version, sizeof(version)));
    return err;
}

static int set_heartbeat(struct run *run)
{
    return hosted_set_heartbeat(run->device, 10, &run->fault);
}

static int set_feature(struct run *run)
{
    return hosted_set_feature(run->device, HOSTED_FEATURE_WIFI, true, &run->fault);
}

static int listen_for_events(struct run *run)
{
    return hosted_listen(run->device, 1000, &run->fault);
}

static int scan(struct run *run)
{
    struct hosted_ap *list = NULL;
    const int count = hosted_scan(run->device, &list, &run->fault);

    for (int i = 0; i < count; i++)
        host_check_ap(&list[i]);
    free(list);
    return count < 0 ? count : 0;
}

static const uint8_t *the_image(void)
{
    static uint8_t *s_image;

    if (s_image == NULL) {
        s_image = test_image(FW_CHIP_ESP32, IMAGE_BYTES, true);
        strcpy((char *)s_image + VERSION_AT, "FG-1.0.0.0.1");
        test_image_seal(s_image, IMAGE_BYTES);
    }
    return s_image;
}

static int update(struct run *run)
{
    struct memory_source source = memory_source(the_image(), IMAGE_BYTES);
    struct hosted_update_options options = hosted_update_defaults;
    struct hosted_update_result result;

    options.reboot_timeout_s = REBOOT_WAIT_S;
    options.allow_release_change = run->release_may_change;

    const int err = hosted_update(run->device, &source.source, &options, &result, &run->fault);

    REQUIRE(err < 0 || result.answered);
    REQUIRE(err < 0 || fuzz_is_printable(result.version, sizeof(result.version)));
    return err;
}

static int (*const commands[])(struct run *) = {
    get_mode,           set_mode, get_mac,     set_mac,       connect_station,
    disconnect_station, get_ap,   get_version, set_heartbeat, set_feature,
    listen_for_events,  scan,     update,
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void on_line(void *ctx, const char *line)
{
    (void)ctx;
    REQUIRE(fuzz_is_printable(line, 1024));
}

static void on_event(void *ctx, const struct hosted_event *event)
{
    (void)ctx;
    host_check_event(event);
}

static void begin(struct run *run)
{
    static const enum hosted_dialect dialects[] = {
        HOSTED_DIALECT_AUTO,
        HOSTED_DIALECT_CLASSIC,
        HOSTED_DIALECT_CTRL,
        HOSTED_DIALECT_AUTO,
    };
    const uint8_t head = fuzz_take_u8(&run->input);
    const struct hosted_options options = {
        .dialect = dialects[head & DIALECT_MASK], .log = on_line, .event = on_event};

    fuzz_clock_reset();
    fuzz_link_init(&run->link, &run->input, fuzz_take_u8(&run->input));
    run->link.link.kernel_driver = (head & KERNEL_DRIVER) != 0;
    run->link.careful = options.dialect == HOSTED_DIALECT_AUTO;
    run->release_may_change = (head & RELEASE_MAY_CHANGE) != 0;
    REQUIRE(device_new(&options, "/dev/null/fuzz", &run->link.link, &run->device, &run->fault) ==
            0);
}

static void check_fault(const struct run *run, int err)
{
    const struct hosted_fault *fault = &run->fault;

    REQUIRE(fault->error == err);
    REQUIRE(fault->status > HOSTED_DONE && fault->status <= HOSTED_NOTHING);
    REQUIRE(fault->text[0] != '\0' && fuzz_is_printable(fault->text, sizeof(fault->text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {.input = {data, size}};

    begin(&run);
    while (run.input.left > 0) {
        run.fault = (struct hosted_fault){0};

        const int err = commands[fuzz_take_u8(&run.input) % COMMANDS](&run);

        REQUIRE(err <= 0);
        if (err < 0)
            check_fault(&run, err);
    }
    hosted_close(run.device);
    return 0;
}
