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

/* So many writes of 4000 bytes are 32 KiB, about 100 ms of the flash: far longer than any bus takes
 * for an answer and the next write. An ESP32 that would keep more gains nothing by it. */
#define SESSION_WINDOW_MAX 8

/* Of two blocks of 64 KiB in which each second sector is sent. */
#define SESSION_RUNS_MAX 16

/* Bytes of the image that follow each other; borrowed until they are confirmed. */
struct session_run {
    uint64_t base;
    const uint8_t *data;
    size_t len;
    uint64_t erase_end; /* nothing before it, and behind the run, is to stay as it is */
};

/* A write whose answer has not come. */
struct session_out {
    int32_t uid;
    uint64_t offset, end;
};

/* session_window.c: what is on its way to an ESP32 with the extension. */
struct session_window {
    unsigned size; /* so many writes may be out */
    struct session_run runs[SESSION_RUNS_MAX];
    size_t run_count; /* oldest first; those with bytes that are not confirmed */
    struct session_out out[SESSION_WINDOW_MAX];
    size_t out_count;   /* oldest first */
    uint64_t sent;      /* of the runs what lies before this was sent */
    uint64_t reached;   /* that `sent` ever was; it may go back */
    uint64_t end;       /* of what was put or skipped */
    uint64_t floor;     /* what was put before it is not there any more */
    int corrections;    /* since more writes were taken than ever */
    unsigned silent_ms; /* that the ESP32 has been; 0 after each answer */
    bool asked_again;   /* answers to an earlier try may still come */
};

struct hosted_session {
    struct hosted_device *device;
    enum session_state state;
    bool extended; /* the firmware has HOSTED_CAN_SESSION */
    bool ended;    /* the ESP32 has no update open any more, or does not answer: nothing to abort */
    uint64_t confirmed; /* the image up to there is in the slot */
    uint64_t furthest;  /* that `confirmed` ever was; it may go back */
    struct session_window window;
};

/* hosted_session_open() for a device that has just been asked who it is. `clear`: as
 * hosted_update_options.clear_session. */
int session_open_identified(struct hosted_device *device, uint32_t slot_bytes, bool clear,
                            const struct session_image *image, struct hosted_session **ret,
                            struct hosted_fault *fault);

int session_finish(struct hosted_session *session, const struct session_end *end,
                   struct hosted_fault *fault);

/* Where the session is extended; each request may be repeated. */

int session_extended_begin(struct hosted_session *session, const struct session_image *image,
                           struct hosted_fault *fault);

/*
 * The image is handed over in order: each part is either put, to be sent, or skipped, so that the
 * slot's bytes stay as they are (whole sectors, but for the last). Nothing is sent here. What was
 * put is borrowed until session->confirmed has passed it. Up to `erase_end` (0: its own) it may be
 * erased with it.
 */
void session_put(struct hosted_session *session, const uint8_t *data, size_t len,
                 uint64_t erase_end);
void session_skip(struct hosted_session *session, size_t len);

/* How much was handed over. */
uint64_t session_position(const struct hosted_session *session);

/* All of it was sent, if it is not to be sent again; but some writes may be out still. */
bool session_is_sent(const struct hosted_session *session);

/*
 * One step on: sends one write, where one is left and one more may be out, or else takes one
 * answer. session->confirmed may go back, but not before what is borrowed.
 */
int session_pump(struct hosted_session *session, struct hosted_fault *fault);

/* session_window.c: a new session's, and session_pump() without the state of the session; a failure
 * sets session->ended. */
void session_window_open(struct hosted_session *session);
int session_window_step(struct hosted_session *session, struct hosted_fault *fault);

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
