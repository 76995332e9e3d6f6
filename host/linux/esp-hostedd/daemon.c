/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "kept_dialect.h"
#include "log.h"
#include "routes.h"
#include "tap.h"

/* A descriptor that epoll watches, and for what; -1 while there is none. */
struct watch {
    int fd;
    uint32_t events;
};

struct daemon {
    int epoll;
    struct watch signals;
    struct watch bus;
    struct watch pty;
    struct watch tap;
    struct routes routes;
};

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

static int watch_what_matters(struct daemon *d)
{
    const struct routes *routes = &d->routes;
    const bool busy = routes_bus_is_busy(routes);
    int rc = 0;

    if (routes->link.up)
        rc = watch_set(d, &d->bus, routes->link.bus->ops->fd(routes->link.bus),
                       EPOLLIN | (busy ? EPOLLOUT : 0));
    if (rc == 0 && routes->tap >= 0)
        rc = watch_set(d, &d->tap, routes->tap, busy ? 0 : EPOLLIN);
    /* Edges: a pty that nobody has open would report just that for ever. */
    if (rc == 0)
        rc = watch_set(d, &d->pty, routes->control.master,
                       EPOLLIN | EPOLLET | (routes->control.queued > 0 ? EPOLLOUT : 0));
    return rc;
}

/* 0; 1 when a signal asks for the end; -errno. */
static int on_event(struct daemon *d, const struct epoll_event *event)
{
    const struct watch *watch = event->data.ptr;

    if (watch == &d->signals)
        return 1;
    if (watch == &d->tap)
        return routes_on_tap(&d->routes);
    if (watch == &d->bus && (event->events & ~(uint32_t)EPOLLOUT) != 0)
        routes_on_bus(&d->routes);
    if (watch == &d->pty) {
        control_pty_flush(&d->routes.control);
        d->routes.pty_readable = true;
    }
    return 0;
}

static int serve(struct daemon *d)
{
    struct epoll_event events[4]; /* one of each watch */
    int rc = 0;

    while (rc == 0) {
        if (!d->routes.link.up)
            d->bus.fd = -1; /* closing it has removed it from epoll; its number may come again */
        routes_run(&d->routes);
        rc = watch_what_matters(d);
        if (rc < 0)
            break;

        const int n = epoll_wait(d->epoll, events, 4, routes_timeout(&d->routes));

        if (n < 0 && errno != EINTR)
            rc = -errno;
        for (int i = 0; i < n && rc == 0; i++)
            rc = on_event(d, &events[i]);
    }
    return rc < 0 ? rc : 0;
}

/* What the starter has set aside stays so: nohup, or a shell's background job. */
static void add_unless_ignored(sigset_t *set, int number)
{
    struct sigaction action;

    if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
        sigaddset(set, number);
}

static int open_signals(struct daemon *d)
{
    sigset_t set;

    sigemptyset(&set);
    add_unless_ignored(&set, SIGTERM);
    add_unless_ignored(&set, SIGINT);
    add_unless_ignored(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);

    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

    if (fd < 0)
        return -errno;
    return watch_set(d, &d->signals, fd, EPOLLIN);
}

static int open_tap(struct routes *routes)
{
    const char *name = routes->options->tap_name;
    const char *step = "";

    if (name == NULL)
        return 0;

    const int fd = tap_open(name, &step);

    if (fd < 0) {
        log_info("%s: %s: %s", name, step, strerror(-fd));
        return fd;
    }
    routes->tap = fd;
    return 0;
}

static int open_control(struct routes *routes)
{
    const char *path = routes->options->control_path;
    const int rc = control_pty_open(&routes->control, path, routes->options->control_group);

    if (rc < 0)
        log_info("cannot make the control device %s: %s%s", path, strerror(-rc),
                 rc == -EEXIST ? ", and no symbolic link" : "");
    return rc;
}

static void say_what_was_dropped(const struct routes *routes)
{
    log_detail("dropped: %llu frames nobody listened to, %llu nobody read, %llu messages to an "
               "ESP32 that was away, %llu broken frames",
               (unsigned long long)routes->control.unheard_frames,
               (unsigned long long)routes->control.overflow_frames,
               (unsigned long long)routes->link.lost_messages,
               (unsigned long long)routes->link.bad_frames);
}

static int open_and_serve(struct daemon *d)
{
    struct routes *routes = &d->routes;
    int rc = open_signals(d);

    if (rc == 0)
        rc = open_tap(routes);
    if (rc == 0)
        rc = open_control(routes);
    if (rc < 0)
        return rc;

    kept_dialect_forget(routes->control.slave); /* a predecessor's of the same number */
    rc = serve(d);
    if (rc < 0)
        log_info("cannot go on: %s", strerror(-rc));
    say_what_was_dropped(routes);
    kept_dialect_forget(routes->control.slave);
    control_pty_close(&routes->control);
    if (routes->link.up)
        routes->link.bus->ops->close(routes->link.bus);
    return rc;
}

int daemon_serve(const struct daemon_options *options)
{
    struct daemon d = {
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .signals.fd = -1,
        .bus.fd = -1,
        .pty.fd = -1,
        .tap.fd = -1,
        .routes = {.options = options, .tap = -1},
    };

    if (d.epoll < 0)
        return -errno;
    bus_link_init(&d.routes.link, options->bus);

    const int rc = open_and_serve(&d);

    if (d.routes.tap >= 0)
        close(d.routes.tap);
    if (d.signals.fd >= 0)
        close(d.signals.fd);
    close(d.epoll);
    return rc;
}
