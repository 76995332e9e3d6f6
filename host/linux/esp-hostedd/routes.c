/* SPDX-License-Identifier: Apache-2.0 */
#include "routes.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "init_event.h"
#include "kept_dialect.h"
#include "log.h"
#include "serial_tlv.h"
#include "tap.h"

enum {
    /* What one source may take before the others have their turn. */
    BUS_FRAMES_A_TURN = 64,
    TAP_FRAMES_A_TURN = 16,
    PTY_READS_A_TURN = 16,
};

#define SAFE_ENDPOINT "control"

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void set_carrier(struct routes *r, bool on)
{
    if (r->tap < 0 || r->carrier == on)
        return;
    r->carrier = on;

    const int rc = tap_set_carrier(r->tap, on);

    if (rc < 0)
        log_info("%s: cannot set the carrier: %s", r->options->tap_name, strerror(-rc));
    else
        log_info("%s: carrier %s", r->options->tap_name, on ? "on" : "off");
}

/* Other firmware may come up: what tools found this one to speak must not be believed any more. */
static void forget_dialect(struct routes *r)
{
    kept_dialect_forget(r->control.slave);
    r->mcu_said = false;
}

/* The bus */

static void on_link_lost(struct routes *r, int error)
{
    forget_dialect(r);
    log_info("%s: connection lost: %s; trying again", r->options->bus_name, strerror(-error));
    bus_link_drop(&r->link, now_ms());
    frame_queue_clear(&r->link.queue); /* it was meant for who was there */
    r->heard = false;
    observer_reset(&r->observer);
    set_carrier(r, false);
}

static void connect_bus(struct routes *r)
{
    if (r->link.up)
        return;
    if (bus_link_connect(&r->link, now_ms())) {
        log_info("%s: connected", r->options->bus_name);
        r->waiting_said = false;
    } else if (!r->waiting_said) {
        log_info("%s: waiting for the ESP32", r->options->bus_name);
        r->waiting_said = true;
    }
}

static void pump_bus(struct routes *r)
{
    const int rc = bus_link_pump(&r->link);

    if (rc < 0)
        on_link_lost(r, rc);
}

static void on_init(struct routes *r, const struct init_event *init)
{
    const char *chip = init_event_chip_name(init->chip);

    forget_dialect(r);
    log_info("%s: the ESP32 has booted: chip %s, firmware %s", r->options->bus_name,
             chip != NULL ? chip : "unknown",
             init->firmware[0] != '\0' ? init->firmware : "untold");
    log_detail("chip id %d, capabilities 0x%02x, SPI clock %d MHz, throughput test %d (-1: not "
               "told)",
               init->chip, (unsigned)init->capabilities, init->spi_mhz, init->raw_throughput);
    frame_queue_clear(&r->link.queue); /* it was meant for the firmware before */
    observer_reset(&r->observer);
    set_carrier(r, false);
}

/* Once: it would be said of every event. */
static void say_if_mcu(struct routes *r, const struct frame *frame)
{
    if (r->mcu_said || !observer_is_mcu(frame))
        return;
    log_info("%s: the ESP32 runs esp-hosted-mcu, whose hosts are microcontrollers: "
             "no update through this driver",
             r->options->bus_name);
    r->mcu_said = true;
}

static void on_serial(struct routes *r, const struct frame *frame)
{
    const uint64_t overflow = r->control.overflow_frames;
    const enum observer_event event = observer_take(&r->observer, frame);

    /* First: a tool that reads "connected" may look at the interface at once. */
    if (event != OBSERVER_NOTHING)
        set_carrier(r, event == OBSERVER_CONNECTED);
    control_pty_write(&r->control, frame->payload, frame->length);
    log_detail("from the ESP32: %u control bytes", frame->length);
    if (overflow == 0 && r->control.overflow_frames > 0)
        log_info("%s: nobody reads it; what the ESP32 sends is dropped", r->options->control_path);
}

static void on_frame(struct routes *r, const struct frame *frame)
{
    struct init_event init;

    r->heard = true;

    say_if_mcu(r, frame);
    if (frame->interface_type == FRAME_SERIAL)
        on_serial(r, frame);
    else if (frame->interface_type == FRAME_STATION && r->tap >= 0)
        (void)!write(r->tap, frame->payload, frame->length); /* down: nobody wants it */
    else if (init_event_parse(frame, &init))
        on_init(r, &init);
    else
        log_detail("from the ESP32: a frame for interface %u, not used", frame->interface_type);
}

void routes_on_bus(struct routes *r)
{
    for (int i = 0; i < BUS_FRAMES_A_TURN; i++) {
        struct frame frame;
        const int rc = bus_link_receive(&r->link, &frame);

        if (rc < 0)
            on_link_lost(r, rc);
        if (rc <= 0)
            return;
        on_frame(r, &frame);
    }
}

/* The control device */

/* Whoever comes may be asked this: firmware of another dialect could die of any other endpoint. */
static bool is_safe_for_all(const uint8_t *message, size_t len)
{
    struct serial_tlv tlv;

    return serial_tlv_parse(message, len, &tlv) > 0 && tlv.endpoint_len == strlen(SAFE_ENDPOINT) &&
           memcmp(tlv.endpoint, SAFE_ENDPOINT, tlv.endpoint_len) == 0;
}

static void forward_messages(struct routes *r, bool quiet)
{
    const uint8_t *message;
    size_t len;

    /* While the bus is busy tools wait; while it is away the queue takes what it can. */
    while ((!r->link.up || bus_link_has_room(&r->link)) &&
           (len = serial_cutter_next(&r->cutter, quiet, &message)) > 0) {
        if (!r->heard && !is_safe_for_all(message, len)) {
            log_detail("dropped: the ESP32 is away or starts, and may have other firmware");
            continue;
        }
        log_detail("to the ESP32: %zu control bytes", len);
        if (bus_link_queue_message(&r->link, message, len) < 0)
            log_detail("dropped: the ESP32 is away, and enough waits for it already");
        pump_bus(r);
    }
}

/* The last tool has gone: nobody will complete what it began, nor wait for an answer. */
static void on_closed(struct routes *r)
{
    forward_messages(r, true);
    if (!r->link.up && r->link.queue.count > 0) {
        log_detail("dropped: what nobody waits for any more");
        frame_queue_clear(&r->link.queue);
    }
    control_pty_reset(&r->control);
}

static bool is_quiet(const struct routes *r)
{
    return serial_cutter_pending(&r->cutter) > 0 && now_ms() >= r->quiet_at_ms;
}

static void serve_control(struct routes *r)
{
    if (is_quiet(r))
        r->pty_readable = true; /* if this process was held up, more may have come by now */

    for (int i = 0; i < PTY_READS_A_TURN && r->pty_readable; i++) {
        bool closed = false;
        size_t room;

        forward_messages(r, false);
        uint8_t *at = serial_cutter_room(&r->cutter, &room);
        if (room == 0)
            return; /* until the bus has taken something */

        const size_t n = control_pty_read(&r->control, at, room, &closed);
        if (n > 0) {
            serial_cutter_added(&r->cutter, n);
            r->quiet_at_ms = now_ms() + SERIAL_CUTTER_QUIET_MS;
        } else {
            r->pty_readable = false;
        }
        if (closed)
            on_closed(r);
    }
    forward_messages(r, is_quiet(r));
}

/* The network interface */

int routes_on_tap(struct routes *r)
{
    uint8_t packet[TAP_MAX_BYTES + 1]; /* one more, to tell what is too long */

    for (int i = 0; i < TAP_FRAMES_A_TURN && !routes_bus_is_busy(r); i++) {
        const ssize_t n = read(r->tap, packet, sizeof(packet));

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n < 0) {
            log_info("%s: the interface has been removed", r->options->tap_name);
            return -ENODEV;
        }
        if (!r->link.up || n < TAP_MIN_BYTES || n > TAP_MAX_BYTES)
            continue;
        bus_link_queue_ethernet(&r->link, packet, (size_t)n);
        pump_bus(r);
    }
    return 0;
}

/* Time */

bool routes_bus_is_busy(const struct routes *r)
{
    return r->link.up && r->link.queue.count > 0;
}

void routes_run(struct routes *r)
{
    connect_bus(r);
    pump_bus(r);
    serve_control(r);
}

int routes_timeout(const struct routes *r)
{
    const bool room = !r->link.up || bus_link_has_room(&r->link);
    uint64_t due = UINT64_MAX;

    if (r->pty_readable && room)
        return 0;
    if (!r->link.up)
        due = r->link.retry_at_ms;
    if (serial_cutter_pending(&r->cutter) > 0 && room && r->quiet_at_ms < due)
        due = r->quiet_at_ms;
    if (due == UINT64_MAX)
        return -1;

    const uint64_t now = now_ms();

    return due > now ? (int)(due - now) : 0;
}
