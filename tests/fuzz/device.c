/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "chip_time.h"
#include "frame.h"
#include "hosted_control.h"
#include "life.h"
#include "ota_device.h"
#include "peer.h"

/* Where an update goes, and what one input can have written there; erased by whole blocks. */
#define SPARE_SLOT  "ota_1"
#define SPARE_BYTES (256u << 10)

#define OTADATA_BYTES 8192

static uint64_t s_operations; /* of the flash, when it was last restored */
static uint8_t s_otadata[OTADATA_BYTES];

/* The linker's name for what the callers of ota_restart_after() get (--wrap). */
void __wrap_ota_restart_after(uint32_t ms, void (*action)(void));

/* An update that succeeds ends in a restart, and so would the process: what comes after is for the
 * tests. Everything up to it is done, and undone by restore_flash(). */
void __wrap_ota_restart_after(uint32_t ms, void (*action)(void))
{
    (void)ms;
    (void)action;
}

/* There is no other reason to restart. */
_Noreturn void __wrap_esp_restart(void);

_Noreturn void __wrap_esp_restart(void)
{
    fuzz_fail("no restart", __FILE__, __LINE__);
}

static void restore_flash(void)
{
    ota_device_abort();
    if (*the_chip.flash.operations == s_operations)
        return;
    REQUIRE(the_chip.flash.misuses == 0);
    memset(board_partition(SPARE_SLOT), 0xff, SPARE_BYTES);
    memcpy(board_partition("otadata"), s_otadata, OTADATA_BYTES);
    s_operations = *the_chip.flash.operations;
}

static void start(const struct device_dialect *dialect)
{
    setenv("CMOCKA_TEST_ABORT", "1", 1); /* peer.c and board.c have assertions, too */
    board_make(CHIP_ESP32, board_two_slots);
    peer_put_up("MyWifi", "MyWifiPass@123", -40);
    peer_put_up("Open", "", -70);
    dialect->start();
    memcpy(s_otadata, board_partition("otadata"), OTADATA_BYTES);
    s_operations = *the_chip.flash.operations;
}

/* Half a message that an input left is ended by a frame that is the last of any. */
static void end_message(void)
{
    const struct frame last = {
        .interface_type = FRAME_SERIAL, .length = 1, .payload = (const uint8_t *)"\0"};
    uint8_t bytes[FRAME_HEADER_BYTES + 1];

    REQUIRE(frame_build(&last, bytes, sizeof(bytes)) == sizeof(bytes));
    peer_send_frame(bytes, sizeof(bytes));
}

static void restore(const struct device_dialect *dialect)
{
    end_message();
    peer_settle();
    peer_event_count = 0;
    for (const char *const *request = dialect->restore; *request != NULL; request++) {
        REQUIRE(peer_ask_hex(*request) != NULL);
        peer_event_count = 0;
    }
    restore_flash();
}

static void pass_seconds(unsigned seconds)
{
    for (; seconds > 0; seconds--) {
        world_advance(1000000);
        hosted_control_on_tick();
    }
}

static int send_frame(void *ctx, const uint8_t *frame, size_t len)
{
    (void)ctx;
    peer_send_frame(frame, len);
    return 0;
}

static void send_request(const char *endpoint, const uint8_t *protobuf, size_t len)
{
    uint8_t message[2 * SERIAL_TLV_MAX_BYTES];
    const int head = serial_tlv_head(endpoint, len, message, sizeof(message));
    uint16_t sequence = 0;

    if (head < 0)
        return;
    memcpy(message + head, protobuf, len);
    frame_send_serial(message, (size_t)head + len, 0, &sequence, send_frame, NULL);
}

/* Returns how many requests there can have been. */
static unsigned play(const struct device_dialect *dialect, enum device_record kind,
                     const uint8_t *bytes, size_t len)
{
    uint16_t sequence = 0;
    struct frame frame;

    switch (kind) {
    case DEVICE_FRAME:
        peer_send_frame(bytes, len);
        return frame_parse(bytes, len, &frame) == 0;
    case DEVICE_MESSAGE:
        frame_send_serial(bytes, len, 0, &sequence, send_frame, NULL);
        return 1;
    case DEVICE_REQUEST:
        send_request(dialect->endpoint, bytes, len);
        return 1;
    case DEVICE_SETTLE:
        peer_settle();
        return 0;
    case DEVICE_TIME:
        pass_seconds(len > 0 ? bytes[0] : 1);
        return 0;
    case DEVICE_STATION:
        hosted_control_on_station_rx(bytes, len);
        return 0;
    case DEVICE_INIT:
    case DEVICE_RECORDS:
        hosted_control_send_init();
        return 0;
    }
    return 0;
}

void device_run(const struct device_dialect *dialect, const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    size_t requests = 0, answers = 0;
    static bool s_started;

    if (!s_started)
        start(dialect);
    s_started = true;
    while (input.left > 0) {
        const enum device_record kind = (enum device_record)(fuzz_take_u8(&input) % DEVICE_RECORDS);
        size_t len = fuzz_take_le16(&input);
        uint8_t *bytes = fuzz_take_copy(&input, &len);

        requests += play(dialect, kind, bytes, len);
        answers += peer_take_answers(NULL);
        peer_event_count = 0;
        REQUIRE(answers <= requests); /* nobody is answered who did not ask */
        free(bytes);
    }
    peer_settle();
    REQUIRE(answers + peer_take_answers(NULL) <= requests);
    restore(dialect);
}
