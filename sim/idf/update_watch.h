/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_UPDATE_WATCH_H
#define SIM_UPDATE_WATCH_H
/* What the simulator sees of an update, whichever engine does it: for the events, and to know the
 * restart that belongs to it. */
#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

void update_watch_begin(const char *slot);
void update_watch_write(uint32_t offset, uint32_t length);
void update_watch_end(esp_err_t result);

/* A restart is about to be armed, which belongs to an update or to a rollback. */
void update_watch_expect_restart(void);

/* Whether an update has been selected for the next boot, and no other begun since. */
bool update_watch_is_selected(void);

#endif
