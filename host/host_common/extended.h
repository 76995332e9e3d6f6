/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_EXTENDED_H
#define HOST_EXTENDED_H
/* Requests of the extension, to a device that has said that it understands them. */
#include "device_internal.h"
#include "extension.h"

/* One try: longer than the erase of 64 KiB, the digests of 1 MiB or the verification of an image
 * take; a later answer to an earlier try will do as well. */
#define EXTENDED_TRY_MS 5000

/* One try of `end`: 5 s after a good one nobody is there any more who could say it again. */
#define EXTENDED_END_TRY_MS 2000

/* Whether the firmware that answered last has all of these HOSTED_CAN_... */
bool extended_can(const struct hosted_device *device, uint32_t features);

/*
 * `request`, which is of the command that `what` rides on, and its reply. All of them may be
 * repeated, so one whose reply does not come is asked again, for as long as a reply may take in
 * all. `name` is for messages: "digests". 0, with what the ESP32 said in *ret if that is not NULL;
 * or -EREMOTEIO, and then *ret is written too, if its code says no; or what the link said.
 */
int extended_call(struct hosted_device *device, const struct ctrl_request *request,
                  const HostedExtension__Request *what, const char *name,
                  struct extension_reply *ret, struct hosted_fault *fault);

/* Sends `request`, a write, which is out then: see ctrl_client_send(). */
int extended_send(struct hosted_device *device, const struct ctrl_request *request,
                  const HostedExtension__Request *what, unsigned timeout_ms,
                  struct hosted_fault *fault);

/* What the reply to a request says, as extended_call() returns it. */
int extended_judge(const struct hosted_device *device, const struct ctrl_request *request,
                   const char *name, const struct ctrl_reply *reply, struct extension_reply *ret,
                   struct hosted_fault *fault);

/* The words for a "no". Returns -EREMOTEIO. */
int extended_refusal(const struct hosted_device *device, const struct ctrl_request *request,
                     const char *name, const struct extension_reply *reply,
                     struct hosted_fault *fault);

/* extended_call() for those that ride on the Wi-Fi mode request. */
int extended_ask(struct hosted_device *device, const HostedExtension__Request *what,
                 const char *name, struct extension_reply *ret, struct hosted_fault *fault);

/* Asks who is there; -ENOTSUP unless it has these HOSTED_CAN_..., in the words `lack`. */
int extended_need(struct hosted_device *device, uint32_t features, const char *lack,
                  struct hosted_fault *fault);

/* hosted_get_status() and hosted_confirm() of a device that has just been asked who it is; the
 * version as it stands in the image. */
int extended_status(struct hosted_device *device, struct hosted_slots *ret,
                    struct hosted_fault *fault);
int extended_confirm(struct hosted_device *device, const char *version, struct hosted_fault *fault);

/* One of the requests without content. */
HostedExtension__Request extended_plain(HostedExtension__Request__WhatCase what);

/* What the ESP32 said no with, appended to the text of the refusal that `fault` has. */
void extended_say_code(const struct extension_reply *reply, struct hosted_fault *fault);

#endif
