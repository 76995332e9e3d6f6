/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_FAULT_H
#define HOSTED_FAULT_H
/* Why a call failed, in words for a person and in numbers for a program. */
#include <stdint.h>

/* The exit status of every tool; also which kind of trouble it was. */
enum hosted_status {
    HOSTED_DONE = 0,
    HOSTED_LOCAL = 1,     /* this host: file, HTTP, memory, interrupted */
    HOSTED_USAGE = 2,     /* the caller's arguments */
    HOSTED_IMAGE = 3,     /* the image was refused, nothing was erased */
    HOSTED_NO_ANSWER = 4, /* no answer, or the link was lost */
    HOSTED_REFUSED = 5,   /* the device said no */
    HOSTED_NOT_UP = 6,    /* the new firmware did not come up, or was rolled back */
    HOSTED_BUSY = 7,      /* another process holds the device */
    HOSTED_NOTHING = 8,   /* nothing to do */
};

/* Which of hosted_update_options would let an update go on that was refused. */
enum hosted_hint {
    HOSTED_HINT_NONE = 0,
    HOSTED_HINT_ALLOW_DOWNGRADE,      /* version_policy below HOSTED_VERSION_NOT_OLDER */
    HOSTED_HINT_ALLOW_RELEASE_CHANGE, /* allow_release_change */
    HOSTED_HINT_ALLOW_BLUETOOTH,      /* allow_bluetooth */
    HOSTED_HINT_ALLOW_ROLLED_BACK,    /* allow_rolled_back */
    HOSTED_HINT_NO_TRIAL,             /* no_trial */
    HOSTED_HINT_CLEAR_SESSION,        /* clear_session */
};

#define HOSTED_FAULT_TEXT_BYTES 512

/* Written on failure only. Owned by the caller, who may pass NULL instead. */
struct hosted_fault {
    enum hosted_status status;
    int error;           /* what the call returned, -errno */
    uint64_t offset;     /* update: first image byte that the device has not confirmed */
    int32_t device_code; /* as the device sent it; 0 if it did not refuse */
    enum hosted_hint hint;
    long http_status; /* 0 if no HTTP server refused */
    /* One line without a newline: object, action, reason, what still holds. Never a password. */
    char text[HOSTED_FAULT_TEXT_BYTES];
};

#endif
