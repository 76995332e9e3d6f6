/* SPDX-License-Identifier: Apache-2.0 */
/* Words: why a request failed, and what still holds. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "device_internal.h"
#include "extended.h"
#include "fault.h"

void device_say(const struct hosted_device *device, const char *format, ...)
{
    char line[160];
    va_list args;

    if (device->client.log == NULL)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    device->client.log(device->client.log_ctx, line);
}

const char *device_version(const struct hosted_device *device)
{
    return device->identity.known ? device->identity.version : device->release;
}

/* "2.3.1" or "the old firmware", for "... is still in place". */
static const char *old_firmware(const struct hosted_device *device)
{
    const char *version = device_version(device);

    return *version != '\0' ? version : "the old firmware";
}

void device_say_unchanged(const struct hosted_device *device, struct hosted_fault *fault)
{
    if (fault != NULL && fault->device_code == HOSTED_EXTENSION__CODE__RESTARTING)
        fault_add(fault, "; the selected firmware runs next: try again after the restart");
    else
        fault_add(fault, "; %s is still in place", old_firmware(device));
}

int device_not_served(const struct hosted_device *device, struct hosted_fault *fault)
{
    return fault_set(fault, HOSTED_REFUSED, -EPROTONOSUPPORT,
                     "%s: this is ESP-Hosted-MCU (endpoint RPCRsp), whose host is a "
                     "microcontroller: it is not served here",
                     device->path);
}

static int no_such_request(const struct hosted_device *device, const char *name,
                           struct hosted_fault *fault)
{
    return fault_set(fault, HOSTED_REFUSED, -ENOTSUP, "%s: firmware of the dialect %s has no %s",
                     device->path, hosted_dialect_name(hosted_dialect(device)), name);
}

int device_link_fault(const struct hosted_device *device, const struct ctrl_request *request,
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
    case -ECONNRESET:
        return fault_set(fault, HOSTED_NO_ANSWER, error, "%s: the ESP32 restarted at %s",
                         device->path, name);
    case -ECANCELED:
        return fault_set(fault, HOSTED_LOCAL, error, "%s: interrupted at %s", device->path, name);
    case -ENOTSUP:
        return no_such_request(device, name, fault);
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

int device_refused(const struct hosted_device *device, const struct ctrl_request *request,
                   const struct ctrl_reply *reply, struct hosted_fault *fault)
{
    struct extension_reply said;
    const int err = device_refusal(device, request, reply->code, fault);

    if (extension_read(reply, &said) == 0 && said.code != HOSTED_EXTENSION__CODE__DONE)
        extended_say_code(&said, fault);
    return err;
}
