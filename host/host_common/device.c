/* SPDX-License-Identifier: Apache-2.0 */
#include "device_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "kept_dialect.h"

#define DEFAULT_PATH "/dev/esps0"

/* Of a firmware whose dialect is known: the question who is there is answered at once or not at
 * all; it is asked this often. */
#define IDENTIFY_TRIES     2
#define IDENTIFY_TIMEOUT_S 3

static const char *path_of(const struct hosted_options *options)
{
    if (options != NULL && options->path != NULL)
        return options->path;

    const char *path = getenv("ESP_HOSTED_DEVICE");

    return path != NULL && *path != '\0' ? path : DEFAULT_PATH;
}

static void on_event(void *ctx, const struct hosted_event *event)
{
    struct hosted_device *device = ctx;

    /* Another firmware may have started: what was found out of the last one does not hold. Once is
     * enough, and costs milliseconds: an ESP32 that starts again and again must not be waited for.
     */
    if (event->kind == HOSTED_EVENT_INIT && !device->outdated) {
        device->outdated = true;
        kept_dialect_forget(device->path);
    }
    if (device->watch != NULL)
        device->watch(device->watch_ctx, event);
    if (device->event != NULL)
        device->event(device->event_ctx, event);
}

int device_new(const struct hosted_options *options, const char *path, struct link *link,
               struct hosted_device **ret, struct hosted_fault *fault)
{
    struct hosted_device *device = calloc(1, sizeof(*device) + strlen(path) + 1);

    if (device == NULL) {
        link->ops->close(link);
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, path);
    }
    device->link = link;
    strcpy(device->path, path);
    ctrl_client_init(&device->client, link, NULL);
    device->client.event = on_event;
    device->client.event_ctx = device;
    if (options != NULL) {
        device->dialect = options->dialect;
        device->client.dialect = dialect_find(options->dialect);
        device->timeout_s = options->timeout_s;
        device->event = options->event;
        device->event_ctx = options->event_ctx;
        device->client.cancel = options->cancel;
        device->client.log = options->log;
        device->client.log_ctx = options->log_ctx;
    }
    *ret = device;
    return 0;
}

int hosted_open(const struct hosted_options *options, struct hosted_device **ret,
                struct hosted_fault *fault)
{
    const char *path = path_of(options);
    struct link *link;
    const int err = link_open(path, &link, fault);

    if (err < 0)
        return err;
    return device_new(options, path, link, ret, fault);
}

void hosted_close(struct hosted_device *device)
{
    if (device == NULL)
        return;
    device->link->ops->close(device->link);
    /* The last request may have carried a password. */
    explicit_bzero(&device->client, sizeof(device->client));
    free(device);
}

const char *hosted_path(const struct hosted_device *device)
{
    return device->path;
}

static int no_send(struct link *link, const void *message, size_t len, int64_t deadline_ms)
{
    (void)link, (void)message, (void)len, (void)deadline_ms;
    return -ENODEV;
}

static ssize_t no_receive(struct link *link, void *buf, size_t size, int64_t deadline_ms,
                          const struct hosted_cancel *cancel)
{
    (void)link, (void)buf, (void)size, (void)deadline_ms, (void)cancel;
    return -ENODEV;
}

static ssize_t no_take(struct link *link, void *buf, size_t size)
{
    (void)link, (void)buf, (void)size;
    return -ENODEV;
}

static void no_close(struct link *link)
{
    (void)link;
}

/* In the place of one that is lost. */
static struct link no_link = {
    .ops = &(const struct link_ops){no_send, no_receive, no_take, no_close},
};

static void set_link(struct hosted_device *device, struct link *link)
{
    device->link = link;
    device->client.link = link;
    device->client.unread = 0;
    device->outdated = false; /* others may have had it meanwhile */
}

void device_unlink(struct hosted_device *device)
{
    device->link->ops->close(device->link);
    set_link(device, &no_link);
}

int device_relink(struct hosted_device *device, struct hosted_fault *fault)
{
    struct link *link;
    const int err = device->link == &no_link ? link_open(device->path, &link, fault) : -EALREADY;

    if (err == -EALREADY)
        return 0;
    if (err == 0)
        set_link(device, link);
    return err;
}

const struct hosted_identity *hosted_identity(const struct hosted_device *device)
{
    return &device->identity;
}

enum hosted_dialect hosted_dialect(const struct hosted_device *device)
{
    return device->client.dialect != NULL ? device->client.dialect->id : HOSTED_DIALECT_AUTO;
}

const struct hosted_counters *hosted_counters(const struct hosted_device *device)
{
    return &device->client.counters;
}

unsigned device_timeout_ms(const struct hosted_device *device, unsigned default_s)
{
    const unsigned longest_s = 24 * 60 * 60;
    const unsigned timeout_s = device->timeout_s > 0 ? device->timeout_s : default_s;

    return (timeout_s < longest_s ? timeout_s : longest_s) * 1000;
}

void device_take_identity(struct hosted_device *device, const struct ctrl_reply *reply)
{
    device->identity = reply->mode.identity;
    memcpy(device->version, reply->mode.version, sizeof(device->version));
    device->window = reply->mode.window;
}

void device_forget(struct hosted_device *device)
{
    device->answered = false;
    device->identity = (struct hosted_identity){0};
    device->release[0] = '\0';
    if (device->dialect == HOSTED_DIALECT_AUTO)
        device->client.dialect = NULL;
}

/*
 * Nobody answered: somebody else may answer the next time. But who answered as classic firmware may
 * just be busy, with a scan or a network that it looks for, and must not be asked otherwise.
 */
static void after_silence(struct hosted_device *device)
{
    const struct dialect *heard = device->client.heard;
    const bool classic = hosted_dialect(device) == HOSTED_DIALECT_CLASSIC;
    const bool others = heard != NULL && heard != &dialect_classic;

    if (!classic)
        kept_dialect_forget(device->path);
    if (device->dialect == HOSTED_DIALECT_AUTO && (!classic || others))
        device->client.dialect = NULL;
}

/* Without a look at who is there. */
static int exchange(struct hosted_device *device, const struct ctrl_request *request,
                    unsigned timeout_ms, struct ctrl_reply *ret, struct hosted_fault *fault)
{
    const int err = ctrl_client_call(&device->client, request, timeout_ms, ret);

    if (err < 0) {
        device->answered = false;
        device_link_fault(device, request, err, timeout_ms, fault);
        return err;
    }
    device->answered = true;
    if (request->command == CTRL_GET_MODE)
        device_take_identity(device, ret);
    return 0;
}

/*
 * The driver marks its node when the ESP32 starts anew: perhaps with a firmware that dies of our
 * next request. Looked at only when there was time for it.
 */
static bool has_changed(const struct hosted_device *device)
{
    struct kept_mark now;

    if (device->dialect != HOSTED_DIALECT_AUTO || device->mark.text[0] == '\0' ||
        hosted_dialect(device) != HOSTED_DIALECT_CTRL || !ctrl_client_is_idle(&device->client))
        return false;
    kept_dialect_mark(device->path, &now);
    return strcmp(now.text, device->mark.text) != 0;
}

/* Of a firmware whose dialect is known. */
static int ask_mode(struct hosted_device *device, struct ctrl_reply *ret,
                    struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_GET_MODE};
    const unsigned longest_ms = device_timeout_ms(device, IDENTIFY_TIMEOUT_S);
    const unsigned timeout_ms =
        longest_ms < IDENTIFY_TIMEOUT_S * 1000 ? longest_ms : IDENTIFY_TIMEOUT_S * 1000;
    int err = -ETIMEDOUT;

    for (int i = 0; i < IDENTIFY_TRIES && err == -ETIMEDOUT && (i == 0 || !has_changed(device));
         i++)
        err = exchange(device, &request, timeout_ms, ret, fault);
    if (err == -ETIMEDOUT) {
        fault_add(fault, ", asked %d times", IDENTIFY_TRIES);
        after_silence(device);
    }
    return err;
}

/* Who is there, as its answer to get_mode says. */
static int meet(struct hosted_device *device, struct ctrl_reply *ret, struct hosted_fault *fault)
{
    int err;

    if (device->client.dialect != NULL)
        err = ask_mode(device, ret, fault);
    else
        err = detect_dialect(device, ret, fault);
    if (err == 0 && hosted_dialect(device) == HOSTED_DIALECT_MCU) {
        ctrl_reply_free(ret);
        err = device_not_served(device, fault);
    }
    device->answered = err == 0;
    if (err == 0)
        device_take_identity(device, ret);
    return err;
}

int device_meet(struct hosted_device *device, struct hosted_fault *fault)
{
    struct ctrl_reply reply;

    if (has_changed(device))
        device_forget(device);
    return meet(device, &reply, fault);
}

int device_identify(struct hosted_device *device, struct hosted_fault *fault)
{
    const int err = device_meet(device, fault);

    if (err == -ETIMEDOUT && device->dialect != HOSTED_DIALECT_AUTO &&
        device->dialect != HOSTED_DIALECT_MCU) {
        device->answered = true; /* as far as this can be told: the caller says so */
        device->identity = (struct hosted_identity){0};
        return 0;
    }
    return err;
}

int device_ready(struct hosted_device *device, const struct ctrl_request *request,
                 struct hosted_fault *fault)
{
    const bool in_update = device->client.restart_fatal;

    if (has_changed(device)) {
        device_forget(device);
        /* What was written is of no use to whoever is there now. */
        if (in_update)
            return device_link_fault(device, request, -ECONNRESET, 0, fault);
    }
    return device->answered ? 0 : device_identify(device, fault);
}

int device_try(struct hosted_device *device, const struct ctrl_request *request,
               unsigned timeout_ms, struct ctrl_reply *ret, struct hosted_fault *fault)
{
    const int err = device_ready(device, request, fault);

    return err < 0 ? err : exchange(device, request, timeout_ms, ret, fault);
}

int device_exchange(struct hosted_device *device, const struct ctrl_request *request,
                    unsigned timeout_ms, struct ctrl_reply *ret, struct hosted_fault *fault)
{
    const int err = device_try(device, request, timeout_ms, ret, fault);

    if (err == -ETIMEDOUT)
        after_silence(device);
    return err;
}

int device_send(struct hosted_device *device, const struct ctrl_request *request,
                unsigned timeout_ms, struct hosted_fault *fault)
{
    int err = device_ready(device, request, fault);

    if (err < 0)
        return err;
    err = ctrl_client_send(&device->client, request, timeout_ms);
    return err < 0 ? device_link_fault(device, request, err, timeout_ms, fault) : 0;
}

int device_take(struct hosted_device *device, const struct ctrl_request *oldest,
                unsigned timeout_ms, struct ctrl_reply *ret, struct hosted_fault *fault)
{
    const int err = ctrl_client_take(&device->client, timeout_ms, ret);

    return err < 0 ? device_link_fault(device, oldest, err, timeout_ms, fault) : 0;
}

void device_silent(struct hosted_device *device)
{
    device->answered = false;
    after_silence(device);
}

static int check_outcome(struct hosted_device *device, const struct ctrl_request *request,
                         struct ctrl_reply *reply, struct hosted_fault *fault)
{
    if (reply->outcome == CTRL_OK)
        return 0;
    ctrl_reply_free(reply);
    return device_refused(device, request, reply, fault);
}

int device_call(struct hosted_device *device, const struct ctrl_request *request,
                unsigned timeout_ms, struct ctrl_reply *ret, struct hosted_fault *fault)
{
    const int err = device_exchange(device, request, timeout_ms, ret, fault);

    return err < 0 ? err : check_outcome(device, request, ret, fault);
}

static int fresh_mode(struct hosted_device *device, struct ctrl_reply *ret,
                      struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_GET_MODE};
    int err;

    if (has_changed(device))
        device_forget(device);
    if (device->client.dialect == NULL || hosted_dialect(device) == HOSTED_DIALECT_MCU ||
        (!device->answered && device->dialect == HOSTED_DIALECT_AUTO))
        return meet(device, ret, fault);
    err =
        exchange(device, &request, device_timeout_ms(device, DEVICE_DEFAULT_TIMEOUT_S), ret, fault);
    if (err == -ETIMEDOUT)
        after_silence(device);
    return err;
}

int hosted_get_mode(struct hosted_device *device, enum hosted_mode *ret_mode,
                    struct hosted_identity *ret_identity, struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_GET_MODE};
    struct ctrl_reply reply;
    int err = fresh_mode(device, &reply, fault);

    if (err == 0)
        err = check_outcome(device, &request, &reply, fault);
    if (err < 0)
        return err;
    *ret_mode = (enum hosted_mode)reply.mode.mode;
    if (ret_identity != NULL)
        *ret_identity = reply.mode.identity;
    return 0;
}
