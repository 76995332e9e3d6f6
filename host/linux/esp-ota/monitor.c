/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fault.h"
#include "json.h"
#include "names.h"
#include "text.h"

struct monitor {
    struct cli_context *context;
    struct hosted_device *device;
    bool heartbeats; /* the ESP32 was asked for them, and has not restarted since */
    int error;       /* of stdout, -errno: whoever read along has gone */
};

/* To the millisecond; in UTC as ISO 8601 has it, or as a clock on the wall shows it. */
static void format_time(char *text, size_t size, bool utc)
{
    char seconds[32];
    struct timespec now;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &now);
    if (utc)
        gmtime_r(&now.tv_sec, &tm);
    else
        localtime_r(&now.tv_sec, &tm);
    strftime(seconds, sizeof(seconds), utc ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(text, size, "%s.%03ld%s", seconds, now.tv_nsec / 1000000, utc ? "Z" : "");
}

/* Text */

static void print_network(const struct hosted_event *event)
{
    char ssid[4 * HOSTED_SSID_BYTES + 1], bssid[4 * HOSTED_MAC_CHARS + 1];

    printf("'%s' (%s)", text_printable(ssid, sizeof(ssid), event->ssid, event->ssid_len),
           text_printable(bssid, sizeof(bssid), event->bssid, strlen(event->bssid)));
}

static void print_details(const struct hosted_event *event)
{
    switch (event->kind) {
    case HOSTED_EVENT_INIT:
        printf("the ESP32 has started");
        break;
    case HOSTED_EVENT_HEARTBEAT:
    case HOSTED_EVENT_OTHER:
        printf("number %d", event->number);
        break;
    case HOSTED_EVENT_CONNECTED:
        print_network(event);
        printf(", channel %d, %s", event->channel, cli_encryption_name(event->encryption));
        break;
    case HOSTED_EVENT_DISCONNECTED:
        print_network(event);
        printf(", reason %d, %d dBm", event->reason, event->rssi);
        break;
    }
}

static int print_text(const struct hosted_event *event)
{
    char when[48];

    format_time(when, sizeof(when), false);
    printf("%s  %-12s  ", when, cli_event_name(event->kind));
    print_details(event);
    putchar('\n');
    return fflush(stdout) == 0 ? 0 : -errno;
}

/* JSON */

static void add_network(cJSON *object, const struct hosted_event *event)
{
    json_add_bytes(object, "ssid", event->ssid, event->ssid_len);
    json_add_bytes(object, "bssid", event->bssid, strlen(event->bssid));
}

static int print_json(const struct hosted_event *event)
{
    char when[48];
    cJSON *object = cJSON_CreateObject();

    format_time(when, sizeof(when), true);
    cJSON_AddStringToObject(object, "event", cli_event_name(event->kind));
    cJSON_AddStringToObject(object, "time", when);
    switch (event->kind) {
    case HOSTED_EVENT_INIT:
        break;
    case HOSTED_EVENT_HEARTBEAT:
    case HOSTED_EVENT_OTHER:
        cJSON_AddNumberToObject(object, "number", event->number);
        break;
    case HOSTED_EVENT_CONNECTED:
        add_network(object, event);
        cJSON_AddNumberToObject(object, "channel", event->channel);
        cJSON_AddStringToObject(object, "encryption", cli_encryption_name(event->encryption));
        break;
    case HOSTED_EVENT_DISCONNECTED:
        add_network(object, event);
        cJSON_AddNumberToObject(object, "reason", event->reason);
        cJSON_AddNumberToObject(object, "rssi", event->rssi);
        break;
    }
    return json_print_event(object);
}

static void on_event(void *ctx, const struct hosted_event *event)
{
    struct monitor *monitor = ctx;
    const int err = monitor->context->options.json ? print_json(event) : print_text(event);

    if (err < 0 && monitor->error == 0)
        monitor->error = err;
    if (event->kind == HOSTED_EVENT_INIT)
        monitor->heartbeats = false;
}

/* Opens the device and finds out whether it has events at all. */
static int start(struct monitor *monitor, struct hosted_fault *fault)
{
    struct hosted_options *options = &monitor->context->options.device;
    enum hosted_mode mode;

    options->event = on_event;
    options->event_ctx = monitor;

    int err = cli_open(monitor->context, &monitor->device, fault);

    if (err == 0)
        err = hosted_get_mode(monitor->device, &mode, NULL, fault);
    if (err < 0)
        return err;
    if (hosted_dialect(monitor->device) != HOSTED_DIALECT_CTRL)
        return fault_set(fault, HOSTED_REFUSED, -ENOTSUP, "%s: the dialect %s has no events",
                         hosted_path(monitor->device),
                         hosted_dialect_name(hosted_dialect(monitor->device)));
    /* What comes next may be long in coming; nobody should wonder whether this runs. */
    if (!monitor->context->options.json && !monitor->context->options.quiet)
        fprintf(stderr, "%s: waiting for events of %s; Ctrl-C ends this\n",
                monitor->context->program->name, hosted_path(monitor->device));
    return 0;
}

/* After so many heartbeats that did not come the ESP32 counts as silent. */
#define MISSED_MAX 3

static int listen_once(struct monitor *monitor, struct hosted_fault *fault)
{
    const unsigned heartbeat_s = monitor->context->options.heartbeat_s;

    if (heartbeat_s > 0 && !monitor->heartbeats) {
        monitor->heartbeats = true; /* before the call: a restart may be heard in it */
        return hosted_set_heartbeat(monitor->device, heartbeat_s, fault);
    }
    if (heartbeat_s > 0)
        return hosted_listen(monitor->device, MISSED_MAX * heartbeat_s * 1000, fault);

    const int err = hosted_listen(monitor->device, INT_MAX, fault);

    return err == -ETIMEDOUT ? 0 : err; /* it had nothing to say, for weeks */
}

static int listen_on(struct monitor *monitor, struct hosted_fault *fault)
{
    int err = 0;

    while (err == 0 && monitor->error == 0)
        err = listen_once(monitor, fault);
    return err < 0 ? err : fault_errno(fault, HOSTED_LOCAL, monitor->error, "standard output");
}

/* The cancel that has ended the listening would end this too: it is done on a device of its own. */
static int end_heartbeats(struct monitor *monitor, struct hosted_fault *fault)
{
    struct hosted_options *options = &monitor->context->options.device;

    options->dialect = HOSTED_DIALECT_CTRL;
    options->cancel = NULL;
    options->event = NULL;
    cli_close(monitor->context, monitor->device);
    monitor->device = NULL;

    int err = cli_open(monitor->context, &monitor->device, fault);

    if (err == 0)
        err = hosted_set_heartbeat(monitor->device, 0, fault);
    if (err < 0)
        fault_add(fault, "; its heartbeats go on");
    return err;
}

int monitor_run(struct cli_context *context)
{
    struct monitor monitor = {.context = context};
    struct hosted_fault fault;
    int err = cli_interruptible(context, &fault);

    if (err == 0)
        err = start(&monitor, &fault);
    if (err == 0)
        err = listen_on(&monitor, &fault);
    if (err == -ECANCELED)
        err = 0; /* that is how it is meant to end */
    if (err == 0 && monitor.heartbeats)
        err = end_heartbeats(&monitor, &fault);
    cli_close(context, monitor.device);
    if (err < 0)
        return context->options.json ? json_fail(&fault) : cli_fail(context, &fault);
    if (!context->options.json)
        return HOSTED_DONE;

    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "status", HOSTED_DONE);
    return json_print(object, HOSTED_DONE);
}
