/* SPDX-License-Identifier: Apache-2.0 */
#include "extended.h"

#include <errno.h>
#include <string.h>

#include "fault.h"

bool extended_can(const struct hosted_device *device, uint32_t features)
{
    return device->identity.known && (device->identity.features & features) == features;
}

HostedExtension__Request extended_plain(HostedExtension__Request__WhatCase what)
{
    static HostedExtension__None none = HOSTED_EXTENSION__NONE__INIT;
    HostedExtension__Request request = HOSTED_EXTENSION__REQUEST__INIT;

    request.what_case = what;
    request.status = &none; /* all share a place in the union */
    return request;
}

void extended_say_code(const struct extension_reply *reply, struct hosted_fault *fault)
{
    const char *words = extension_code_words(reply->code);

    if (fault == NULL)
        return;
    fault->device_code = reply->code;
    fault_add(fault, ": %s",
              reply->text[0] != '\0' ? reply->text
              : words != NULL        ? words
                                     : "for a reason that this host does not know");
    if (reply->has_address)
        fault_add(fault, " at 0x%x", (unsigned)reply->address);
    fault_add(fault, " (code %d", (int)reply->code);
    if (reply->esp_err != 0)
        fault_add(fault, ", ESP-IDF 0x%x", (unsigned)reply->esp_err);
    fault_add(fault, ")");
}

int extended_refusal(const struct hosted_device *device, const struct ctrl_request *request,
                     const char *name, const struct extension_reply *reply,
                     struct hosted_fault *fault)
{
    char buf[CTRL_REQUEST_NAME_BYTES];

    if (name == NULL)
        name = ctrl_request_name(request, buf);
    fault_set(fault, HOSTED_REFUSED, -EREMOTEIO, "%s: the ESP32 refused %s", device->path, name);
    extended_say_code(reply, fault);
    return -EREMOTEIO;
}

/* Where replies have no number, that of an earlier try may still come, and must not be taken for
 * one to the next request: the answer to who is there comes behind it. */
static int settle(struct hosted_device *device, struct hosted_fault *fault)
{
    const struct ctrl_client *client = &device->client;

    if (client->dialect->has_uids && !client->numberless)
        return 0;
    return device_identify(device, fault);
}

/* An `end` that was sent may have done its work: to be interrupted now is not to have it undone. */
static bool is_given_up(const struct hosted_device *device, const struct ctrl_request *request)
{
    return request->command == CTRL_OTA_END && device->client.cancel != NULL &&
           hosted_cancel_requested(device->client.cancel);
}

/* Of a rollback there is one try: another might reach the firmware that came back, and have it go
 * back further. */
static unsigned patience_ms(const struct hosted_device *device, bool once)
{
    const unsigned total_ms = device_timeout_ms(device, DEVICE_DEFAULT_TIMEOUT_S);

    return once && total_ms > EXTENDED_TRY_MS ? EXTENDED_TRY_MS : total_ms;
}

static int repeat(struct hosted_device *device, const struct ctrl_request *request, bool once,
                  struct ctrl_reply *ret, struct hosted_fault *fault)
{
    const unsigned total_ms = patience_ms(device, once);
    const int64_t deadline_ms = clock_ms() + total_ms;
    const unsigned try_ms =
        request->command == CTRL_OTA_END ? EXTENDED_END_TRY_MS : EXTENDED_TRY_MS;
    bool repeated = false;

    for (;;) {
        const int64_t left_ms = deadline_ms - clock_ms();
        const bool last = once || left_ms <= try_ms;
        int err = last ? device_exchange(device, request, (unsigned)left_ms, ret, fault)
                       : device_try(device, request, try_ms, ret, fault);

        if (err == 0 && repeated)
            err = settle(device, fault);
        if (err != -ETIMEDOUT)
            return err;
        if (last || is_given_up(device, request))
            return device_link_fault(device, request, err, total_ms, fault);
        repeated = true;
        device->answered = true; /* silent for a while is no reason to ask who is there */
        device_say(device, "no answer to %s: asked again", ctrl_command_name(request->command));
    }
}

/* `packed` is to last as long as what is returned. */
static struct ctrl_request pack(const struct ctrl_request *request,
                                const HostedExtension__Request *what,
                                struct extension_request *packed)
{
    struct ctrl_request with_extension = *request;

    extension_pack(what, packed);
    with_extension.extension = packed->bytes;
    with_extension.extension_len = packed->len;
    return with_extension;
}

int extended_send(struct hosted_device *device, const struct ctrl_request *request,
                  const HostedExtension__Request *what, unsigned timeout_ms,
                  struct hosted_fault *fault)
{
    struct extension_request packed;
    const struct ctrl_request with_extension = pack(request, what, &packed);

    return device_send(device, &with_extension, timeout_ms, fault);
}

static int exchange(struct hosted_device *device, const struct ctrl_request *request,
                    const HostedExtension__Request *what, struct ctrl_reply *ret,
                    struct hosted_fault *fault)
{
    struct extension_request packed;
    const struct ctrl_request with_extension = pack(request, what, &packed);

    return repeat(device, &with_extension,
                  what->what_case == HOSTED_EXTENSION__REQUEST__WHAT_ROLLBACK, ret, fault);
}

/* A reply without what was asked for: of a firmware that is another one now. */
static int no_content(const struct hosted_device *device, const struct ctrl_request *request,
                      const char *name, struct hosted_fault *fault)
{
    char buf[CTRL_REQUEST_NAME_BYTES];

    return fault_set(fault, HOSTED_NO_ANSWER, -EPROTO, "%s: the answer to %s has no content",
                     device->path, name != NULL ? name : ctrl_request_name(request, buf));
}

int extended_judge(const struct hosted_device *device, const struct ctrl_request *request,
                   const char *name, const struct ctrl_reply *reply, struct extension_reply *ret,
                   struct hosted_fault *fault)
{
    struct extension_reply said = {0};
    const int err = extension_read(reply, &said);

    if (err < 0 && reply->outcome != CTRL_OK)
        return device_refusal(device, request, reply->code, fault);
    if (err < 0)
        return no_content(device, request, name, fault);
    if (ret != NULL)
        *ret = said;
    if (said.code != HOSTED_EXTENSION__CODE__DONE)
        return extended_refusal(device, request, name, &said, fault);
    return reply->outcome == CTRL_OK ? 0 : device_refusal(device, request, reply->code, fault);
}

int extended_call(struct hosted_device *device, const struct ctrl_request *request,
                  const HostedExtension__Request *what, const char *name,
                  struct extension_reply *ret, struct hosted_fault *fault)
{
    struct ctrl_reply reply;
    const int err = exchange(device, request, what, &reply, fault);

    return err < 0 ? err : extended_judge(device, request, name, &reply, ret, fault);
}

int extended_ask(struct hosted_device *device, const HostedExtension__Request *what,
                 const char *name, struct extension_reply *ret, struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_GET_MODE};

    return extended_call(device, &request, what, name, ret, fault);
}

int extended_need(struct hosted_device *device, uint32_t features, const char *lack,
                  struct hosted_fault *fault)
{
    const int err = device_identify(device, fault);

    if (err < 0 || extended_can(device, features))
        return err;
    return fault_set(fault, HOSTED_REFUSED, -ENOTSUP, "%s: %s", device->path, lack);
}

int extended_status(struct hosted_device *device, struct hosted_slots *ret,
                    struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_GET_MODE};
    const HostedExtension__Request what = extended_plain(HOSTED_EXTENSION__REQUEST__WHAT_STATUS);
    struct ctrl_reply reply;
    const int err = exchange(device, &request, &what, &reply, fault);

    if (err < 0)
        return err;
    return extension_read_status(&reply, ret) < 0 ? no_content(device, &request, "status", fault)
                                                  : 0;
}

int extended_confirm(struct hosted_device *device, const char *version, struct hosted_fault *fault)
{
    HostedExtension__Confirm confirm = HOSTED_EXTENSION__CONFIRM__INIT;
    HostedExtension__Request what = HOSTED_EXTENSION__REQUEST__INIT;
    char text[CTRL_VERSION_BYTES];
    int err;

    if (strlen(version) >= sizeof(text)) /* no firmware has one that long */
        return fault_set(fault, HOSTED_USAGE, -EINVAL, "a version has at most 32 bytes");
    strcpy(text, version);
    confirm.version = text;
    what.what_case = HOSTED_EXTENSION__REQUEST__WHAT_CONFIRM;
    what.confirm = &confirm;
    err = extended_ask(device, &what, "confirm", NULL, fault);
    if (err == -EREMOTEIO && fault != NULL &&
        fault->device_code == HOSTED_EXTENSION__CODE__WRONG_VERSION)
        fault_add(fault, "; %s runs", device->identity.version);
    return err;
}

/* The public functions */

int hosted_get_status(struct hosted_device *device, struct hosted_slots *ret,
                      struct hosted_fault *fault)
{
    const int err = extended_need(device, HOSTED_CAN_SESSION,
                                  "the firmware has no status: it is stock firmware", fault);

    return err < 0 ? err : extended_status(device, ret, fault);
}

int hosted_confirm(struct hosted_device *device, const char *version, struct hosted_fault *fault)
{
    const int err =
        extended_need(device, HOSTED_CAN_TRIAL,
                      "the firmware has no trial: nothing waits to be confirmed", fault);

    if (err < 0)
        return err;
    return extended_confirm(device, version != NULL ? version : device->version, fault);
}
