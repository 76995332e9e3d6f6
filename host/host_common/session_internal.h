/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SESSION_INTERNAL_H
#define HOST_SESSION_INTERNAL_H
/* What a whole update needs of a session beyond hosted/session.h. */
#include "extended.h"
#include "hosted/session.h"

/* What is known of the image before `begin`. */
struct session_image {
    int chip_id;         /* -1: not known */
    const char *project; /* NULL: not known, as the next one */
    const char *version;
    int64_t secure_version; /* -1: not known, as the next one */
    int64_t bytes;
    const uint8_t *sha256; /* of these bytes; NULL: not known */
};

/* What is known of it at its `end`, and what it is to be done with it. */
struct session_end {
    const uint8_t *sha256; /* of all that was sent; NULL: not known */
    unsigned trial_s;      /* longest time to its confirmation; 0: its first answer confirms it */
    bool no_trial;
};

enum session_state {
    SESSION_OPEN,
    SESSION_FAILED,
    SESSION_FINISHED,
};

struct hosted_session {
    struct hosted_device *device;
    enum session_state state;
    bool extended; /* the firmware has HOSTED_CAN_SESSION */
    bool ended;    /* the ESP32 has no update open any more, or does not answer: nothing to abort */
    uint64_t confirmed;
    uint64_t furthest; /* that `confirmed` ever was; it may go back */
    int corrections;   /* since then */
};

/* hosted_session_open() for a device that has just been asked who it is. `clear`: as
 * hosted_update_options.clear_session. */
int session_open_identified(struct hosted_device *device, uint32_t slot_bytes, bool clear,
                            const struct session_image *image, struct hosted_session **ret,
                            struct hosted_fault *fault);

/*
 * Sends one chunk of the run of `len` bytes that begins at `base` of the image: from
 * session->confirmed on, which says afterwards what is still to be sent. Where the session is
 * extended it may go back, as far as to `base`.
 */
int session_write_run(struct hosted_session *session, uint64_t base, const uint8_t *run, size_t len,
                      struct hosted_fault *fault);

int session_finish(struct hosted_session *session, const struct session_end *end,
                   struct hosted_fault *fault);

/* Where the session is extended; each request may be repeated. */

int session_extended_begin(struct hosted_session *session, const struct session_image *image,
                           struct hosted_fault *fault);

/* session_write_run() without the state of the session; a failure sets session->ended. */
int session_extended_chunk(struct hosted_session *session, uint64_t base, const uint8_t *run,
                           size_t len, struct hosted_fault *fault);

/* Leaves `len` bytes of the slot as they are. */
void session_skip(struct hosted_session *session, size_t len);

/*
 * The SHA-256 of `count` blocks of `block` bytes of the slot, or of fewer, from `offset` on, the
 * last of which ends at `end` (0: at its own end).
 */
int session_digests(struct hosted_session *session, uint64_t offset, uint32_t block, uint32_t count,
                    uint64_t end, struct extension_reply *ret, struct hosted_fault *fault);

int session_extended_end(struct hosted_session *session, const struct session_end *end,
                         struct hosted_fault *fault);

/* Frees the ESP32 for another update; asked once, and not waited for long. */
void session_extended_abort(struct hosted_session *session);

#endif
