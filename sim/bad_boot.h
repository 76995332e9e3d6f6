/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_BAD_BOOT_H
#define SIM_BAD_BOOT_H
/* --bad-boot: firmware of one version that fails, at its start or later. */
#include <stdbool.h>

#include "options.h"

/* Before the application runs. Returns false when it does not come to that. */
bool bad_boot_starts(const struct options *options);

/*
 * After its start-up. Returns what takes the frames from now on, `program` or one that watches it;
 * NULL for firmware that hears and says nothing.
 */
const struct program *bad_boot_wrap(const struct options *options, const struct program *program);

#endif
