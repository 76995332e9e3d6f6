/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_UPDATE_H
#define HOSTED_UPDATE_H
/* A whole update: source, check, session. */
#include <stdint.h>

#include "hosted/device.h"
#include "hosted/source.h"

enum hosted_stage {
    HOSTED_STAGE_CHECK, /* the image, before anything is erased */
    HOSTED_STAGE_BEGIN, /* the ESP32 prepares its slot */
    HOSTED_STAGE_WRITE,
    HOSTED_STAGE_END, /* the ESP32 verifies and selects the image */
};

/* What an image says of itself. */
struct hosted_image {
    uint16_t chip_id;
    char project[33];
    char version[33];
    uint64_t image_bytes; /* 0 while it is not known: a stream tells it only at its end */
    uint64_t file_bytes;  /* HOSTED_SIZE_UNKNOWN likewise */
    bool digest_appended; /* else only an 8-bit checksum guards it */
};

struct hosted_update_options {
    /* Where the device tells its chip and its slot, these can only narrow that. */
    int chip;            /* chip id that the image must be for; -1: any */
    uint32_t slot_bytes; /* largest image; 0: no limit */
    /*
     * Called at the start of each stage with done = 0, and while it goes on; `total` is 0 where
     * nobody knows it. `image` is valid from the first call on. A value other than 0 stops the
     * update with -ECANCELED; in HOSTED_STAGE_END it is ignored.
     */
    int (*progress)(void *ctx, enum hosted_stage stage, const struct hosted_image *image,
                    uint64_t done, uint64_t total);
    void *progress_ctx;
};

/* {.chip = -1} */
extern const struct hosted_update_options hosted_update_defaults;

/*
 * Updates the ESP32 with the image of `source`. The whole image of a file is checked before the
 * ESP32 hears of it; of a stream its head and length before begin, the rest before end. `end` is
 * sent only if every byte was confirmed and the image is valid. 0: the ESP32 has verified and
 * selected the image, and restarts in 5 s.
 *   -EBADMSG, -EFBIG, -EXDEV  damaged, too large, another chip's   HOSTED_IMAGE
 * and those of device.h and of the source.
 */
int hosted_update(struct hosted_device *device, struct hosted_source *source,
                  const struct hosted_update_options *options, struct hosted_fault *fault);

/* Checks the whole image of `source`, without a device. */
int hosted_verify(struct hosted_source *source, const struct hosted_update_options *options,
                  struct hosted_image *ret, struct hosted_fault *fault);

#endif
