/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H
/* --events FILE: what happened, one JSON object a line, each written whole as it happens. */
#include <stdint.h>

#include "clock.h"

struct events {
    int file; /* -1 without --events */
};

/* What the boot loader started. `slot` is empty when it found nothing to start. */
struct boot_report {
    char slot[17]; /* partition label */
    uint32_t offset;
    char version[33]; /* of the image's descriptor */
    char project[33];
    char state[24]; /* of the slot's otadata entry: undefined, new, ... or none */
};

/* Opens FILE for appending; NULL: no events. Returns 0 or -errno. */
int events_open(struct events *events, const char *path);

void events_boot(const struct events *events, int64_t now_us, const struct boot_report *boot);
void events_begin(const struct events *events, int64_t now_us, const char *slot);
void events_write(const struct events *events, int64_t now_us, uint32_t offset, uint32_t length);
void events_end(const struct events *events, int64_t now_us, int result);
/* What an update took, and how that splits; in seconds. */
void events_time(const struct events *events, int64_t now_us, int64_t total_us,
                 const int64_t spent_us[SPENT_KINDS]);
void events_reset(const struct events *events, int64_t now_us, const char *reason);
/* The firmware asked the flash for what it cannot do, at that address. */
void events_misuse(const struct events *events, int64_t now_us, uint32_t address);
void events_power_cut(const struct events *events, int64_t now_us, uint64_t operation);

/* The members of the boot event, from "slot" on, without braces: for the status too.
 * Returns `size` bytes at most, NUL included. */
void boot_report_json(const struct boot_report *boot, char *buf, unsigned size);

#endif
