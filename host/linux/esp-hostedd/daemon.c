/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "bus_link.h"
#include "control_pty.h"
#include "init_event.h"
#include "log.h"
#include "observer.h"
#include "serial_cutter.h"
#include "tap.h"

enum {
    /* What one source may take before the others have their turn. */
    BUS_FRAMES_A_TURN = 64,
    TAP_FRAMES_A_TURN = 16,
    PTY_READS_A_TURN = 16,
};

/* A descriptor that epoll watches, and for what; -1 while there is none. */
struct watch {
    int fd;
    uint32_t events;
};

struct daemon {
    const struct daemon_options *options;
    int epoll;
    struct watch signals;
    struct watch bus;
    struct watch pty;
    struct watch tap;

    struct bus_link link;
    bool waiting_said;

    struct control_pty control;
    struct serial_cutter cutter;
    bool pty_readable;    /* its edge has come and was not read to the end */
    uint64_t quiet_at_ms; /* when bytes that are no whole message yet will be handed on */

    struct observer observer;
    bool carrier;
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Adds, changes or leaves alone what epoll watches of this descriptor. */
static int watch_set(struct daemon *d, struct watch *watch, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    const int operation = watch->fd == fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (watch->fd == fd && watch->events == events)
        return 0;
    if (epoll_ctl(d->epoll, operation, fd, &event) < 0)
        return -errno;
    watch->fd = fd;
    watch->events = events;
    return 0;
}

static void set_carrier(struct daemon *d, bool on)
{
    if (d->tap.fd < 0 || d->carrier == on)
        return;
    d->carrier = on;
    log_info("%s: carrier %s", d->options->tap_name, on ? "on" : "off");
    const int rc = tap_set_carrier(d->tap.fd, on);
    if (rc < 0)
        log_info("%s: cannot set the carrier: %s", d->options->tap_name, strerror(-rc));
}

/* The bus */

static void on_link_lost(struct daemon *d, int error)
{
    log_info("%s: connection lost: %s; trying again", d->options->bus_name, strerror(-error));
    bus_link_drop(&d->link, now_ms());
    d->bus.fd = -1; /* closing has removed it from epoll */
    observer_reset(&d->observer);
    set_carrier(d, false);
}

static int connect_bus(struct daemon *d)
{
    if (d->link.up)
        return 0;
    if (bus_link_connect(&d->link, now_ms())) {
        log_info("%s: connected", d->options->bus_name);
        d->waiting_said = false;
        return watch_set(d, &d->bus, d->link.bus->ops->fd(d->link.bus), EPOLLIN);
    }
    if (!d->waiting_said)
        log_info("%s: waiting for the ESP32", d->options->bus_name);
    d->waiting_said = true;
    return 0;
}

static void pump_bus(struct daemon *d)
{
    const int rc = bus_link_pump(&d->link);

    if (rc < 0)
        on_link_lost(d, rc);
}

static void on_init(struct daemon *d, const struct init_event *init)
{
    const char *chip = init_event_chip_name(init->chip);

    log_info("%s: the ESP32 has booted: chip %s, firmware %s", d->options->bus_name,
             chip != NULL ? chip : "unknown",
             init->firmware[0] != '\0' ? init->firmware : "untold");
    log_detail("chip id %d, capabilities 0x%02x, SPI clock %d MHz (-1: not told)", init->chip,
               (unsigned)init->capabilities, init->spi_mhz);
    frame_queue_drop_torn(&d->link.queue);
    observer_reset(&d->observer);
    set_carrier(d, false);
}

static void on_serial(struct daemon *d, const struct frame *frame)
{
    const uint64_t overflow = d->control.overflow_frames;
    const enum observer_event event = observer_take(&d->observer, frame);

    control_pty_write(&d->control, frame->payload, frame->length);
    log_detail("from the ESP32: %u control bytes", frame->length);
    if (overflow == 0 && d->control.overflow_frames > 0)
        log_info("%s: nobody reads it; what the ESP32 sends is dropped", d->options->control_path);
    if (event == OBSERVER_CONNECTED)
        set_carrier(d, true);
    else if (event == OBSERVER_DISCONNECTED)
        set_carrier(d, false);
}

static void on_frame(struct daemon *d, const struct frame *frame)
{
    struct init_event init;

    if (frame->interface_type == FRAME_SERIAL)
        on_serial(d, frame);
    else if (frame->interface_type == FRAME_STATION && d->tap.fd >= 0)
        (void)!write(d->tap.fd, frame->payload, frame->length); /* down: nobody wants it */
    else if (init_event_parse(frame, &init))
        on_init(d, &init);
    else
        log_detail("from the ESP32: a frame for interface %u, not used", frame->interface_type);
}

static void receive_frames(struct daemon *d)
{
    for (int i = 0; i < BUS_FRAMES_A_TURN; i++) {
        struct frame frame;
        const int rc = bus_link_receive(&d->link, &frame);

        if (rc < 0)
            on_link_lost(d, rc);
        if (rc <= 0)
            return;
        on_frame(d, &frame);
    }
}

/* The control device */

static void forward_messages(struct daemon *d, bool quiet)
{
    const uint8_t *message;
    size_t len;

    /* While the bus is busy tools wait; while it is away the queue takes what it can. */
    while ((!d->link.up || bus_link_has_room(&d->link)) &&
           (len = serial_cutter_next(&d->cutter, quiet, &message)) > 0) {
        log_detail("to the ESP32: %zu control bytes", len);
        if (bus_link_queue_message(&d->link, message, len) < 0)
            log_detail("dropped: the ESP32 is away, and enough waits for it already");
        pump_bus(d);
    }
}

/* The last tool has gone: nobody will complete what it began, nor wait for an answer. */
static void on_closed(struct daemon *d)
{
    forward_messages(d, true);
    if (!d->link.up && d->link.queue.count > 0) {
        log_detail("dropped: what nobody waits for any more");
        frame_queue_clear(&d->link.queue);
    }
    control_pty_reset(&d->control);
}

static bool is_quiet(const struct daemon *d)
{
    return serial_cutter_pending(&d->cutter) > 0 && now_ms() >= d->quiet_at_ms;
}

static void serve_control(struct daemon *d)
{
    if (is_quiet(d))
        d->pty_readable = true; /* if this process was held up, more may have come by now */

    for (int i = 0; i < PTY_READS_A_TURN && d->pty_readable; i++) {
        bool closed = false;
        size_t room;

        forward_messages(d, false);
        uint8_t *at = serial_cutter_room(&d->cutter, &room);
        if (room == 0)
            return; /* until the bus has taken something */

        const size_t n = control_pty_read(&d->control, at, room, &closed);
        if (n > 0) {
            serial_cutter_added(&d->cutter, n);
            d->quiet_at_ms = now_ms() + SERIAL_CUTTER_QUIET_MS;
        } else {
            d->pty_readable = false;
        }
        if (closed)
            on_closed(d);
    }
    forward_messages(d, is_quiet(d));
}

/* The network interface */

static int serve_tap(struct daemon *d)
{
    uint8_t packet[TAP_MAX_BYTES + 1]; /* one more, to tell what is too long */

    for (int i = 0; i < TAP_FRAMES_A_TURN && d->link.queue.count == 0; i++) {
        const ssize_t n = read(d->tap.fd, packet, sizeof(packet));

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n < 0) {
            const int err = errno;

            log_info("%s: the interface has been removed", d->options->tap_name);
            return -err;
        }
        if (!d->link.up || n < TAP_MIN_BYTES || n > TAP_MAX_BYTES)
            continue;
        bus_link_queue_ethernet(&d->link, packet, (size_t)n);
        pump_bus(d);
    }
    return 0;
}

/* The loop */

static int watch_what_matters(struct daemon *d)
{
    const bool waiting = d->link.queue.count > 0;
    int rc = 0;

    if (d->link.up)
        rc = watch_set(d, &d->bus, d->bus.fd, EPOLLIN | (waiting ? EPOLLOUT : 0));
    if (rc == 0 && d->tap.fd >= 0)
        rc = watch_set(d, &d->tap, d->tap.fd, waiting && d->link.up ? 0 : EPOLLIN);
    /* Edges: a pty that nobody has open would report just that for ever. */
    if (rc == 0)
        rc = watch_set(d, &d->pty, d->control.master,
                       EPOLLIN | EPOLLET | (d->control.queued > 0 ? EPOLLOUT : 0));
    return rc;
}

/* Milliseconds until something is due; -1: only an event can bring work. */
static int next_timeout(const struct daemon *d)
{
    const bool room = !d->link.up || bus_link_has_room(&d->link);
    uint64_t due = UINT64_MAX;

    if (d->pty_readable && room)
        return 0;
    if (!d->link.up)
        due = d->link.retry_at_ms;
    if (serial_cutter_pending(&d->cutter) > 0 && room && d->quiet_at_ms < due)
        due = d->quiet_at_ms;
    if (due == UINT64_MAX)
        return -1;

    const uint64_t now = now_ms();

    return due > now ? (int)(due - now) : 0;
}

/* 0; 1 when a signal asks for the end; -errno. */
static int on_event(struct daemon *d, const struct epoll_event *event)
{
    const struct watch *watch = event->data.ptr;

    if (watch == &d->signals)
        return 1;
    if (watch == &d->bus && d->link.up && (event->events & ~(uint32_t)EPOLLOUT) != 0)
        receive_frames(d);
    if (watch == &d->pty) {
        control_pty_flush(&d->control);
        d->pty_readable = true;
    }
    return watch == &d->tap ? serve_tap(d) : 0;
}

static int serve(struct daemon *d)
{
    struct epoll_event events[4]; /* one of each watch */
    int rc = 0;

    while (rc == 0) {
        rc = connect_bus(d);
        pump_bus(d);
        serve_control(d);
        if (rc == 0)
            rc = watch_what_matters(d);
        if (rc < 0)
            break;

        const int n = epoll_wait(d->epoll, events, 4, next_timeout(d));

        if (n < 0 && errno != EINTR)
            rc = -errno;
        for (int i = 0; i < n && rc == 0; i++)
            rc = on_event(d, &events[i]);
    }
    return rc < 0 ? rc : 0;
}

static int open_signals(struct daemon *d)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);

    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

    if (fd < 0)
        return -errno;
    return watch_set(d, &d->signals, fd, EPOLLIN);
}

static int open_tap(struct daemon *d)
{
    const char *name = d->options->tap_name;
    const char *step = "";

    if (name == NULL)
        return 0;

    const int fd = tap_open(name, &step);

    if (fd < 0) {
        log_info("%s: %s: %s", name, step, strerror(-fd));
        return fd;
    }
    return watch_set(d, &d->tap, fd, EPOLLIN);
}

static int open_control(struct daemon *d)
{
    const int rc = control_pty_open(&d->control, d->options->control_path);

    if (rc < 0)
        log_info("cannot make the control device %s: %s%s", d->options->control_path, strerror(-rc),
                 rc == -EEXIST ? ", and no symbolic link" : "");
    return rc;
}

int daemon_serve(const struct daemon_options *options)
{
    struct daemon d = {
        .options = options,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .signals.fd = -1,
        .bus.fd = -1,
        .pty.fd = -1,
        .tap.fd = -1,
        .control.master = -1,
    };
    int rc = d.epoll < 0 ? -errno : 0;

    bus_link_init(&d.link, options->bus);
    if (rc == 0)
        rc = open_signals(&d);
    if (rc == 0)
        rc = open_tap(&d);
    if (rc == 0)
        rc = open_control(&d);
    if (rc == 0) {
        rc = serve(&d);
        if (rc < 0)
            log_info("cannot go on: %s", strerror(-rc));
        control_pty_close(&d.control);
    }
    log_detail("dropped: %llu frames nobody listened to, %llu nobody read, %llu messages to an "
               "ESP32 that was away, %llu broken frames",
               (unsigned long long)d.control.unheard_frames,
               (unsigned long long)d.control.overflow_frames,
               (unsigned long long)d.link.lost_messages, (unsigned long long)d.link.bad_frames);
    if (d.link.up)
        options->bus->ops->close(options->bus);
    if (d.tap.fd >= 0)
        close(d.tap.fd);
    if (d.signals.fd >= 0)
        close(d.signals.fd);
    if (d.epoll >= 0)
        close(d.epoll);
    return rc;
}
