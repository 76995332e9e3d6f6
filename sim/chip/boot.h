/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_BOOT_H
#define SIM_BOOT_H
/*
 * ESP-IDF's second-stage boot loader: which partition boots, and what it writes to otadata on the
 * way. Not in it, because no build here switches them on: factory reset and test application by
 * GPIO, the deep-sleep short cut.
 */
#include "chip.h"

struct boot_result {
    const struct partition *partition; /* of chip->table; NULL: nothing boots, a reset loop */
    bool runs;        /* false for an image without segments: it is started, and that is all */
    bool has_state;   /* an otadata entry belongs to the slot */
    uint32_t state;   /* of that entry, after the boot */
    char version[33]; /* of the descriptor; "" without one */
    char project[33];
};

/*
 * Boots chip->flash, with chip->rollback and chip->anti_rollback or without, and fills chip->table
 * and chip->running. The flash size is what a boot loader in the flash says in its header; without
 * one, all of it.
 */
void boot_run(struct chip *chip, struct boot_result *ret);

#endif
