/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_LIFE_H
#define DEVICE_LIFE_H
/* One life of the chip, from its boot loader to a reset, a power cut or the end of the process. */
#include <stdbool.h>
#include <stdint.h>

#include "channel.h"

struct kind {
    uint32_t flash_bytes;
    bool stock;
    enum dialect dialect;
    bool rollback; /* the boot loader knows it */
};

/*
 * Lives as the commands say, from `start` on, in this process, whose RAM must be as fresh as a
 * chip's after a reset. Answers for the end of the life, and does not return.
 */
_Noreturn void life_run(const struct kind *kind, const struct command *start);

#endif
