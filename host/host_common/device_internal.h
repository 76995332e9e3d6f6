/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_DEVICE_INTERNAL_H
#define HOST_DEVICE_INTERNAL_H
/* What the other parts of the library need of a device beyond hosted/device.h. */
#include "ctrl_client.h"
#include "hosted/device.h"
#include "kept_dialect.h"

#define DEVICE_DEFAULT_TIMEOUT_S 30

struct hosted_device {
    struct link *link; /* never NULL */
    struct ctrl_client client;
    enum hosted_dialect dialect; /* as the caller asked for */
    unsigned timeout_s;          /* 0: the default of each request */
    bool answered; /* the ESP32 has answered since this was opened, or since the last silence */
    bool outdated; /* what was kept was forgotten, and nothing was kept or marked since */
    struct kept_mark mark;            /* of the node, before the ESP32 was asked and spoke ctrl */
    struct hosted_identity identity;  /* as of its last answer to get_mode */
    char version[CTRL_VERSION_BYTES]; /* the identity's as it came: `confirm` must say it so */
    unsigned window; /* so many writes it keeps at a time; of HOSTED_CAN_WINDOW alone */
    char
        release[HOSTED_TEXT_BYTES]; /* as of its last answer to get_version; "" if there was none */
    /* Events go to this too, while somebody watches for one. */
    void (*watch)(void *ctx, const struct hosted_event *event);
    void *watch_ctx;
    void (*event)(void *ctx, const struct hosted_event *event); /* the caller's; may be NULL */
    void *event_ctx;
    char path[];
};

/* Takes the link over, also when it fails (-ENOMEM). For hosted_open() and for tests. */
int device_new(const struct hosted_options *options, const char *path, struct link *link,
               struct hosted_device **ret, struct hosted_fault *fault);

/* The longest wait for one reply: what the caller of the library said, else `default_s`. */
unsigned device_timeout_ms(const struct hosted_device *device, unsigned default_s);

/*
 * One request and its reply, whatever it says. On failure *fault has words for it and
 * nothing needs to be freed.
 */
int device_exchange(struct hosted_device *device, const struct ctrl_request *request,
                    unsigned timeout_ms, struct ctrl_reply *ret, struct hosted_fault *fault);

/* Likewise, of a request that will be repeated: silence proves nothing yet. */
int device_try(struct hosted_device *device, const struct ctrl_request *request,
               unsigned timeout_ms, struct ctrl_reply *ret, struct hosted_fault *fault);

/* Likewise, and -EREMOTEIO with words if the ESP32 says no. */
int device_call(struct hosted_device *device, const struct ctrl_request *request,
                unsigned timeout_ms, struct ctrl_reply *ret, struct hosted_fault *fault);

/* Sends a write, which is out then: see ctrl_client_send(). */
int device_send(struct hosted_device *device, const struct ctrl_request *request,
                unsigned timeout_ms, struct hosted_fault *fault);

/* The next reply to a write that is out, whatever it says. `oldest` of them is for words. */
int device_take(struct hosted_device *device, const struct ctrl_request *oldest,
                unsigned timeout_ms, struct ctrl_reply *ret, struct hosted_fault *fault);

/* It has been silent for as long as a reply may take: who is there is to be asked again. */
void device_silent(struct hosted_device *device);

/* The words for a "no" of the ESP32, with its reason where it gave one. Returns -EREMOTEIO. */
int device_refused(const struct hosted_device *device, const struct ctrl_request *request,
                   const struct ctrl_reply *reply, struct hosted_fault *fault);

/* The same of stock firmware. */
int device_refusal(const struct hosted_device *device, const struct ctrl_request *request,
                   int32_t code, struct hosted_fault *fault);

/* The words for who is there and is none of this library's. Returns -EPROTONOSUPPORT. */
int device_not_served(const struct hosted_device *device, struct hosted_fault *fault);

/* The words for what ctrl_client_call() returned. Returns `error`. */
int device_link_fault(const struct hosted_device *device, const struct ctrl_request *request,
                      int error, unsigned timeout_ms, struct hosted_fault *fault);

/*
 * Asks who is there, for device->identity, and first finds out what it speaks if that is not
 * known. Its answer also proves that every answer to an earlier request has come in, because the
 * ESP32 answers in order: a late one cannot be mistaken for another's any more. Silence is a
 * failure unless the caller named the dialect: stock firmware may be silent on this and yet take an
 * update.
 */
int device_identify(struct hosted_device *device, struct hosted_fault *fault);

/* The same, but silence is always a failure. */
int device_meet(struct hosted_device *device, struct hosted_fault *fault);

/*
 * What comes before each request: that the firmware is still the one that was asked who it is,
 * which it is now if need be. In an update a change is its end, -ECONNRESET.
 */
int device_ready(struct hosted_device *device, const struct ctrl_request *request,
                 struct hosted_fault *fault);

/* Who answered get_mode. */
void device_take_identity(struct hosted_device *device, const struct ctrl_reply *reply);

/* What the ESP32 speaks and says of itself is not valid any more: the next request asks again. */
void device_forget(struct hosted_device *device);

/* Gives the link up: until device_relink() every request fails with -ENODEV. */
void device_unlink(struct hosted_device *device);

/* Opens it anew, if it was given up. Failures as hosted_open(). */
int device_relink(struct hosted_device *device, struct hosted_fault *fault);

/*
 * detect.c: finds out what the ESP32 speaks, for client->dialect, as its answer to the Wi-Fi mode
 * request in *ret shows. -ETIMEDOUT with words if nobody answers, -EPROTONOSUPPORT if it is
 * somebody whom this library does not serve.
 */
int detect_dialect(struct hosted_device *device, struct ctrl_reply *ret,
                   struct hosted_fault *fault);

/* detect.c: marks the node, before a question whose answer may be kept. */
void device_take_mark(struct hosted_device *device);

/* detect.c: keeps what the ESP32 was found to speak, if that costs time to find out. */
void device_keep(struct hosted_device *device);

/* A line for the log. */
__attribute__((format(printf, 2, 3))) void device_say(const struct hosted_device *device,
                                                      const char *format, ...);

/* What the running firmware says it is, "" if it does not. */
const char *device_version(const struct hosted_device *device);

/* Appends "; 2.3.1 is still in place" to the text of a failure; of a refusal because another
 * firmware is selected, that. */
void device_say_unchanged(const struct hosted_device *device, struct hosted_fault *fault);

#endif
