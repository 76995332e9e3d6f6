/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_PROGRAM_H
#define SIM_PROGRAM_H
/* What runs on the chip, as the main loop sees it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a program speaks on its control path: as --dialect says. */
enum dialect {
    DIALECT_CLASSIC,
    DIALECT_CTRL,
};

struct program {
    /* From boot until it is ready for frames. Returns 0, or -EIO when it gave up. */
    int (*start)(void);
    /* Tells the host that the chip has started. */
    void (*send_init)(void);
    /* One frame from the bus; borrowed. */
    void (*on_frame)(const uint8_t *frame, size_t len);
    /* Whether it takes frames now: until it does, they wait on the bus. NULL: always. */
    bool (*takes_frames)(void);
};

#endif
