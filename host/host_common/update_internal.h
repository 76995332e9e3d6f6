/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_UPDATE_INTERNAL_H
#define HOST_UPDATE_INTERNAL_H
/* What the parts of an update share: ota_update.c does it, update_checks.c judges it. */
#include "hosted/update.h"
#include "image_check.h"
#include "session_internal.h"

/* What is read at a time, and all that is held of an image: what the ESP32 erases and compares. */
#define UPDATE_BLOCK_BYTES ((size_t)64 * 1024)

/* A piece of the image that is sent, or left out where the slot has it. */
struct update_block {
    uint64_t base;
    uint8_t *bytes; /* NULL: there is none */
    size_t len;
    uint64_t sent_bytes, kept_bytes; /* of the image before it */
};

struct update {
    struct hosted_device *device; /* NULL: the image alone is checked */
    struct hosted_source *source;
    const struct hosted_update_options *options;
    struct hosted_fault *fault; /* never NULL */
    struct hosted_session *session;
    struct image_signature_key key; /* options->public_key, read once: every reading has the same */
    struct image_check check;       /* of the reading that is going on */
    struct fw_image_info info;      /* once its head is known: as it is, not as it is shown */
    struct hosted_image image;      /* of a whole source as its first reading found it */
    bool read_before;               /* this is the second reading: what is read is sent */
    uint8_t *buf;
    size_t held; /* bytes in `buf`: checked, not sent */
    /* With the extension: the block before what is held. While the last of it is on its way the
     * next one is read, into the other half of `bufs`. */
    struct update_block before;
    uint8_t *bufs;
    bool at_end;
    bool started; /* begin was sent, or may have been */
    /* Who was told to begin. What a later question leaves of that, by silence for one, counts not:
     * a restart is the end of the update. */
    struct hosted_identity begun;
    /* Of an ESP32 that tells what its slot holds: digests of so many sectors from there on. */
    uint64_t digests_at;
    size_t digests;
    size_t digests_found; /* of these, in the image at the same place */
    bool last_was_there;  /* the sector that was compared last */
    uint8_t sector_digests[EXTENSION_DIGESTS_MAX][EXTENSION_DIGEST_BYTES];
    bool end_told; /* the last of them was asked for as the short one */
    bool digests_refused;
    uint64_t sent_bytes, kept_bytes;
    bool told; /* what failed is of the session, which has said itself what still holds */
    /* Of a dry run, in which every reason counts; else NULL. */
    void (*objection)(void *ctx, const struct hosted_fault *fault);
    void *objection_ctx;
    struct hosted_fault first_fault;
    int first_error;
};

/*
 * In a dry run a failure is told as an objection, the first is kept for the end, and 0 is returned:
 * on with what is left. Otherwise `err` itself.
 */
int update_object(struct update *update, int err);

/* Whether the image fits the chip and the slot, as far as is known. */
int update_check_fit(struct update *update);

/* Tells the caller's progress; -ECANCELED with words if that wants an end. */
int update_report(const struct update *update, enum hosted_stage stage, uint64_t done);

/*
 * With the extension: sends a block, or the last piece of the image, unless the slot has it
 * already. Behind it the last writes are out still.
 */
int update_send_block(struct update *update, const struct update_block *block);

/* Waits until the ESP32 has confirmed the image up to there. */
int update_wait(struct update *update, uint64_t offset);

/* Who is updated. */
const struct hosted_identity *update_identity(const struct update *update);

/* Whether the ESP32 will put the image on trial, to be confirmed. */
bool update_has_trial(const struct update *update);

/* Whether the image, which was read to its end, can be confirmed where it will have to be. */
int update_check_marker(struct update *update);

/* Everything that can be said against this image on this ESP32, which has been asked who it is. */
int update_judge(struct update *update);

#endif
