/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_REBOOT_H
#define HOST_REBOOT_H
/* What comes up after an update. */
#include "device_internal.h"
#include "hosted/update.h"

/* The firmware that ran before `end`. */
struct reboot_before {
    enum hosted_dialect dialect;
    struct hosted_identity identity;
    char release[HOSTED_TEXT_BYTES];
    unsigned trial_s; /* of the new firmware; 0: it is on none with a time */
};

/* To be called before `end`. Asks nothing. */
void reboot_remember(const struct hosted_device *device, struct reboot_before *ret);

/* What "it goes back by itself" must not be said without, for the `can_roll_back` of an identity:
 * without the boot loader's help that is done by the new firmware's own timer. */
const char *reboot_reserve(int can_roll_back);

/*
 * Waits, from `ended_ms` of clock_ms() on, until the ESP32 has restarted and answers, and judges
 * who does. `image` NULL: any that runs from another slot than before is the right one. 0 with
 * *ret, or the failures of hosted_update() after `end`.
 */
int reboot_wait(struct hosted_device *device, const struct reboot_before *before,
                const struct hosted_image *image, const struct hosted_update_options *options,
                int64_t ended_ms, struct hosted_update_result *ret, struct hosted_fault *fault);

#endif
