/* SPDX-License-Identifier: Apache-2.0 */
#include "device_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

#define DEFAULT_PATH "/dev/esps0"

/* The question who is there is answered at once or not at all; it is asked this often. */
#define IDENTIFY_TRIES     2
#define IDENTIFY_TIMEOUT_S 3

static const char *path_of(const struct hosted_options *options)
{
    if (options != NULL && options->path != NULL)
        return options->path;

    const char *path = getenv("ESP_HOSTED_DEVICE");

    return path != NULL && *path != '\0' ? path : DEFAULT_PATH;
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
    ctrl_client_init(&device->client, link, &dialect_classic);
    if (options != NULL) {
        device->dialect = options->dialect;
        device->timeout_s = options->timeout_s;
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

const struct hosted_identity *hosted_identity(const struct hosted_device *device)
{
    return &device->identity;
}

unsigned device_timeout_ms(const struct hosted_device *device, unsigned default_s)
{
    const unsigned longest_s = 24 * 60 * 60;
    const unsigned timeout_s = device->timeout_s > 0 ? device->timeout_s : default_s;

    return (timeout_s < longest_s ? timeout_s : longest_s) * 1000;
}

const char *device_old_firmware(const struct hosted_device *device)
{
    return device->identity.known && device->identity.version[0] != '\0' ? device->identity.version
                                                                         : "the old firmware";
}

void device_say_unchanged(const struct hosted_device *device, struct hosted_fault *fault)
{
    fault_add(fault, "; %s is still in place", device_old_firmware(device));
}

static int link_fault(const struct hosted_device *device, const struct ctrl_request *request,
                      int error, unsigned timeout_ms, struct hosted_fault *fault)
{
    char buf[CTRL_REQUEST_NAME_BYTES];
    const char *name = ctrl_request_name(request, buf);

    switch (error) {
    case -ETIMEDOUT:
        return fault_set(fault, HOSTED_NO_ANSWER, error, "%s: no answer to %s for %u s",
                         device->path, name, timeout_ms / 1000);
    case -ENODEV:
        return fault_set(fault, HOSTED_NO_ANSWER, error, "%s: the control device has gone at %s",
                         device->path, name);
    case -EPROTO:
        return fault_set(fault, HOSTED_NO_ANSWER, error, "%s: the answer to %s has no content",
                         device->path, name);
    case -ECANCELED:
        return fault_set(fault, HOSTED_LOCAL, error, "%s: interrupted at %s", device->path, name);
    case -ENOMEM:
    case -EMSGSIZE:
        return fault_set(fault, HOSTED_LOCAL, error, "%s: %s: %s", device->path, name,
                         strerror(-error));
    default:
        return fault_set(fault, HOSTED_NO_ANSWER, error, "%s: the link failed at %s: %s",
                         device->path, name, strerror(-error));
    }
}

int device_refusal(const struct hosted_device *device, const struct ctrl_request *request,
                   int32_t code, struct hosted_fault *fault)
{
    char buf[CTRL_REQUEST_NAME_BYTES];

    fault_set(fault, HOSTED_REFUSED, -EREMOTEIO, "%s: the ESP32 refused %s (code %d)", device->path,
              ctrl_request_name(request, buf), (int)code);
    if (fault != NULL)
        fault->device_code = code;
    return -EREMOTEIO;
}

/* Without a look at who is there. */
static int exchange(struct hosted_device *device, const struct ctrl_request *request,
                    unsigned timeout_ms, struct ctrl_reply *ret, struct hosted_fault *fault)
{
    const int err = ctrl_client_call(&device->client, request, timeout_ms, ret);

    if (err < 0) {
        device->answered = false;
        return link_fault(device, request, err, timeout_ms, fault);
    }
    device->answered = true;
    if (request->command == CTRL_GET_MODE)
        device->identity = ret->mode.identity;
    return 0;
}

static int ask_mode(struct hosted_device *device, struct ctrl_reply *ret,
                    struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_GET_MODE};
    const unsigned longest_ms = device_timeout_ms(device, IDENTIFY_TIMEOUT_S);
    const unsigned timeout_ms =
        longest_ms < IDENTIFY_TIMEOUT_S * 1000 ? longest_ms : IDENTIFY_TIMEOUT_S * 1000;
    int err = -ETIMEDOUT;

    for (int i = 0; i < IDENTIFY_TRIES && err == -ETIMEDOUT; i++)
        err = exchange(device, &request, timeout_ms, ret, fault);
    if (err == -ETIMEDOUT)
        fault_add(fault, ", asked %d times", IDENTIFY_TRIES);
    return err;
}

int device_identify(struct hosted_device *device, struct hosted_fault *fault)
{
    struct ctrl_reply reply;
    const int err = ask_mode(device, &reply, fault);

    if (err == -ETIMEDOUT && device->dialect != HOSTED_DIALECT_AUTO) {
        device->answered = true; /* as far as this can be told: the caller says so */
        device->identity = (struct hosted_identity){0};
        return 0;
    }
    return err;
}

int device_exchange(struct hosted_device *device, const struct ctrl_request *request,
                    unsigned timeout_ms, struct ctrl_reply *ret, struct hosted_fault *fault)
{
    const int err = device->answered ? 0 : device_identify(device, fault);

    if (err < 0)
        return err;
    return exchange(device, request, timeout_ms, ret, fault);
}

static int check_outcome(struct hosted_device *device, const struct ctrl_request *request,
                         struct ctrl_reply *reply, struct hosted_fault *fault)
{
    if (reply->outcome == CTRL_OK)
        return 0;
    ctrl_reply_free(reply);
    return device_refusal(device, request, reply->code, fault);
}

int device_call(struct hosted_device *device, const struct ctrl_request *request,
                unsigned timeout_ms, struct ctrl_reply *ret, struct hosted_fault *fault)
{
    const int err = device_exchange(device, request, timeout_ms, ret, fault);

    return err < 0 ? err : check_outcome(device, request, ret, fault);
}

int hosted_get_mode(struct hosted_device *device, enum hosted_mode *ret_mode,
                    struct hosted_identity *ret_identity, struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_GET_MODE};
    struct ctrl_reply reply;
    int err = device->answered || device->dialect != HOSTED_DIALECT_AUTO
                  ? exchange(device, &request, device_timeout_ms(device, DEVICE_DEFAULT_TIMEOUT_S),
                             &reply, fault)
                  : ask_mode(device, &reply, fault);

    if (err == 0)
        err = check_outcome(device, &request, &reply, fault);
    if (err < 0)
        return err;
    *ret_mode = (enum hosted_mode)reply.mode.mode;
    if (ret_identity != NULL)
        *ret_identity = reply.mode.identity;
    return 0;
}
