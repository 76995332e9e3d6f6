/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_PEEK_H
#define SIM_PEEK_H
/* What the time model has to know of a frame, which the simulator itself has no business with. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus_time.h"
#include "program.h"

struct peek {
    bool in_message; /* the last serial frame of the host has others behind it */
};

/* Returns whether a message of the control path is whole with it. */
bool peek_frame(struct peek *peek, enum dialect dialect, const uint8_t *bytes, size_t len,
                struct bus_frame *ret);

#endif
