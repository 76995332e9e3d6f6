/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_UPDATE_H
#define HOSTED_UPDATE_H
/* A whole update: source, check, session. */
#include <stdint.h>

#include "hosted/device.h"
#include "hosted/source.h"

#ifdef __cplusplus
extern "C" {
#endif

enum hosted_stage {
    HOSTED_STAGE_CHECK, /* the image, before anything is erased */
    HOSTED_STAGE_BEGIN, /* the ESP32 prepares its slot */
    HOSTED_STAGE_WRITE,
    HOSTED_STAGE_END,    /* the ESP32 verifies and selects the image */
    HOSTED_STAGE_REBOOT, /* it restarts, and the new firmware is waited for */
};

/* What an image says of itself; its texts are printable. */
struct hosted_image {
    uint16_t chip_id;
    char project[33];
    char version[33];
    uint64_t image_bytes; /* 0 while it is not known: a stream tells it only at its end */
    uint64_t file_bytes;  /* HOSTED_SIZE_UNKNOWN likewise */
    bool digest_appended; /* else only an 8-bit checksum guards it */
    uint8_t sha256[32];   /* of the whole file, once its end was seen; zeros before */
    bool signature_ok;    /* true: signed with options.public_key, seen at the end of the file */
    bool extension; /* this project's component is in it: it can be on trial, and be confirmed;
                     * seen at the end of the file */
};

/*
 * Which image counts, by its version and the one that runs, where both are of the same firmware. Of
 * stock firmware a release is known at most, which is older or newer than another but never "the
 * same one": all its builds have that name.
 */
enum hosted_version_policy {
    HOSTED_VERSION_ANY = 0,
    HOSTED_VERSION_OTHER,     /* the same one: nothing to do (-EALREADY, HOSTED_NOTHING) */
    HOSTED_VERSION_NOT_OLDER, /* likewise, and an older one is refused (-EPERM, HOSTED_IMAGE) */
    HOSTED_VERSION_NEWER, /* nothing to do unless it is newer; refused where that cannot be told */
};

struct hosted_update_options {
    /* Where the device tells its chip and its slot, these can only narrow that. */
    int chip;            /* chip id that the image must be for; -1: any */
    uint32_t slot_bytes; /* largest image; 0: no limit */
    /*
     * Called at the start of each stage with done = 0, and while it goes on; `total` is 0 where
     * nobody knows it. `image` is valid from the first call on. A value other than 0 stops the
     * update with -ECANCELED; in HOSTED_STAGE_END it is ignored, and in HOSTED_STAGE_REBOOT it
     * ends the waiting alone.
     */
    int (*progress)(void *ctx, enum hosted_stage stage, const struct hosted_image *image,
                    uint64_t done, uint64_t total);
    void *progress_ctx;
    /* Longest wait for the new firmware, from its start, 5 s after `end`; 0: no wait. */
    unsigned reboot_timeout_s;
    /*
     * Called once the ESP32 has restarted, 6 s after `end`, while the control device is closed, for
     * hosts whose link needs their help then; its failure does not end the waiting. NULL: none.
     */
    int (*reconnect)(void *ctx, const char *path, struct hosted_fault *fault);
    void *reconnect_ctx;
    /*
     * Upstream's kernel driver makes no control device for a firmware of another release than its
     * own, so that nothing could update that any more. True: go on all the same.
     */
    bool allow_release_change;
    /* 32 bytes that the SHA-256 of the file must be, borrowed; NULL: whatever it is. */
    const uint8_t *sha256;
    /*
     * Path of a PEM file with the public key, RSA-3072 or ECDSA P-256, that the image must be
     * signed with for Secure Boot v2, borrowed; NULL: signatures are not looked at.
     */
    const char *public_key;
    enum hosted_version_policy version_policy;
    /* With upstream's kernel driver: go on although a Bluetooth adapter of the ESP32 is up. */
    bool allow_bluetooth;
    /*
     * Where the firmware has HOSTED_CAN_TRIAL, and the new one is waited for: it goes back to the
     * old one by itself unless it is found to run, and confirmed, so many seconds after its start.
     * 0: 120, or half a minute more than reboot_timeout_s; less than that is of no use.
     */
    unsigned trial_s; /* other than 0 with no_trial, or without a wait: -EINVAL, HOSTED_USAGE */
    /* No trial, and no demand that the image could confirm itself: it counts as good at once. */
    bool no_trial;
    /* Also an image that this ESP32 has tried, and gone back from. */
    bool allow_rolled_back;
    /*
     * Stock firmware that refuses to begin, because an update was cut off before: end that one.
     * If all of its image was sent, that image is selected, which is a failure, -EALREADY
     * (HOSTED_NOT_UP): the ESP32 restarts with it.
     */
    bool clear_session;
};

/* {.chip = -1, .reboot_timeout_s = 60} */
extern const struct hosted_update_options hosted_update_defaults;

/* How far an update that succeeded is known to have succeeded. */
struct hosted_update_result {
    bool answered; /* the ESP32 has answered after its restart; false: nobody waited for it */
    bool verified; /* what answered is the image's firmware; false: it does not tell */
    char version[HOSTED_TEXT_BYTES]; /* of what answered, as it says; "" where it says none */
    bool confirmed;                  /* the ESP32 has been told that it counts as good */
    bool unguarded; /* it was on trial under a boot loader that knows no rollback: had it not come
                     * to its own timer, nothing would have gone back */
    bool trial_missed; /* a trial with a time was due, and none took place: the ESP32 cannot, or the
                        * request for it was lost at the restart. It runs and stays, since its first
                        * answer at the latest */
    uint64_t sent_bytes;
    uint64_t kept_bytes; /* that the slot held already */
};

/*
 * Updates the ESP32 with the image of `source`, in constant memory. The whole image of a file is
 * checked before the ESP32 hears of it, and must still be the same when it is read again to be
 * sent; of a stream its head and length are checked before begin, the rest before end. An image
 * that is exchanged on its server meanwhile is fetched and sent from its start, twice at most.
 * `end` is sent only if every byte was confirmed and the image is valid. Then the new firmware is
 * waited for. 0, with *ret (which may be NULL) saying what is known of it, or
 *   -EBADMSG, -EFBIG, -EXDEV     damaged, too large, another chip's   HOSTED_IMAGE
 *   -EXDEV     of another release, see allow_release_change           HOSTED_IMAGE
 *   -EALREADY  the ESP32 runs it, see version_policy                  HOSTED_NOTHING
 *   -EPERM     older than what runs, see version_policy               HOSTED_IMAGE
 *   -EPERM     rolled back before, or never to be confirmed: see allow_rolled_back, no_trial
 *                                                                     HOSTED_IMAGE
 *   -EBUSY     the file was changed while it was sent                 HOSTED_LOCAL
 *   -EHOSTDOWN  the ESP32 runs another firmware than the image's      HOSTED_NOT_UP
 *   -ETIMEDOUT, -ENODEV ...  after end: nobody answered in time       HOSTED_NO_ANSWER
 * and those of device.h and of the source.
 */
int hosted_update(struct hosted_device *device, struct hosted_source *source,
                  const struct hosted_update_options *options, struct hosted_update_result *ret,
                  struct hosted_fault *fault);

/*
 * Has the ESP32 go back to the firmware before the running one, and waits for that as an update
 * does; of the options the progress, reboot_timeout_s and reconnect count. -ENOTSUP: the firmware
 * has not HOSTED_CAN_TRIAL; -EREMOTEIO: there is nothing to go back to (both HOSTED_REFUSED);
 * -EHOSTDOWN: it runs the same as before (HOSTED_NOT_UP).
 */
int hosted_rollback(struct hosted_device *device, const struct hosted_update_options *options,
                    struct hosted_update_result *ret, struct hosted_fault *fault);

/*
 * What hosted_update() would check before it begins and before it ends, and nothing more: the ESP32
 * is asked who it is, and not told to prepare anything. `device` may be NULL: the image alone is
 * checked. An ESP32 that does not answer is a reason against the update, -ETIMEDOUT, also where
 * options.dialect was named. `objection`, which may be NULL, is called for each reason against the
 * update; then the first of them is what is returned. *ret is written if there is none.
 */
int hosted_update_check(struct hosted_device *device, struct hosted_source *source,
                        const struct hosted_update_options *options,
                        void (*objection)(void *ctx, const struct hosted_fault *fault), void *ctx,
                        struct hosted_image *ret, struct hosted_fault *fault);

/* The same of the image alone, up to the first reason. */
int hosted_verify(struct hosted_source *source, const struct hosted_update_options *options,
                  struct hosted_image *ret, struct hosted_fault *fault);

/* "ESP32-C3", for the chip_id of an image or an identity; NULL for an id that no chip has. */
const char *hosted_chip_name(uint16_t chip_id);

/* The chip id of "esp32c3" or "ESP32-C3", for hosted_update_options; -EINVAL: there is no such
 * chip. */
int hosted_chip_by_name(const char *name);

#ifdef __cplusplus
}
#endif

#endif
