/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_BOARD_H
#define SIM_BOARD_H
/* The chip and its flash, put together from sim/chip, and connected to time and power. */
#include <stdbool.h>
#include <stddef.h>

#include "options.h"

/* Versions of the images in a new flash file. */
#define FIRMWARE_VERSION      SIM_PROJECT_VERSION
#define STOCK_CLASSIC_VERSION "0.3"          /* upstream's, of October 2021 */
#define STOCK_CTRL_VERSION    "FG-1.0.0.0.0" /* of April 2026 */

/* By which hosts know, before an update, that an image has our extension. */
#define EXTENSION_MARKER "esp-hosted-ota-ext-1"

/*
 * Opens the flash file, or makes it with the first boot of `is_new`. Returns 0, or -errno with a
 * sentence for the user in `why`.
 */
int board_open(const struct options *options, bool is_new, char *why, size_t size);

/*
 * Lets the boot loader choose; the result is in world->boot. Returns false when nothing runs then:
 * no bootable image, or one without code.
 */
bool board_boot(void);

#endif
