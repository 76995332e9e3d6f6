/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H
/*
 * What outlives a reset of the chip: the world outside, the board, and what a real chip keeps (the
 * reason for the reset; RTC memory, as long as it has its power: see world_reset()). A reset
 * executes the program anew, so that everything else, the chip's RAM, is truly gone; this structure
 * lies in a memfd that is handed over, and the descriptors in it stay open. Hence no pointers in
 * it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "air.h"
#include "bus.h"
#include "bus_time.h"
#include "clock.h"
#include "ctl.h"
#include "events.h"
#include "peek.h"
#include "program.h"
#include "update_time.h"

#define WORLD_RTC_BYTES 8192

enum world_reset {
    WORLD_RESET_POWER_ON,
    WORLD_RESET_EXTERNAL, /* somebody pulled EN: `reset` on the control socket */
    WORLD_RESET_SOFTWARE, /* esp_restart() */
    WORLD_RESET_PANIC,
    WORLD_RESET_WATCHDOG,
};

struct world {
    uint32_t bytes; /* of this structure: what is handed over must be ours */
    struct sim_clock clock;
    struct events events;
    struct bus bus;
    struct bus_time bus_time;
    struct peek peek;
    struct update_time update_time;
    struct ctl ctl;
    struct air air;

    uint16_t chip_id; /* as in an image's header */
    uint8_t bus_mhz;
    int64_t tick_us;      /* of the scheduler of what runs; 0: none, it is the boot loader */
    int64_t yield_us;     /* after so long without a pause its flash driver makes one, of a tick */
    enum dialect dialect; /* which the firmware was built for */
    uint8_t mac[6];       /* eFuse: the base address */
    int flash;            /* descriptor of the flash file */
    uint32_t flash_bytes;
    uint64_t flash_operations; /* since the start of the simulator */
    enum world_reset reset;    /* why the chip runs since boot_us */
    int64_t boot_us;
    struct boot_report boot;
    uint32_t failed_offset; /* of the slot whose program failed at its last start; 0: none */
    bool advancing;         /* an `advance` is under way, to this time, for this client */
    int64_t advance_to_us;
    int advance_client;
    uint8_t rtc[WORLD_RTC_BYTES];
};

/* The one world of this process. */
extern struct world *world;

/*
 * Takes over the world that a reset left, or makes a new one. `argv` is kept for the next reset.
 * Returns 1 for a new one (all zero), 0 for one taken over, -errno.
 */
int world_open(char *const *argv);

/*
 * Resets the chip. Does not return. Variables marked RTC_NOINIT_ATTR keep their values, but over
 * WORLD_RESET_EXTERNAL: then, and at power-on, they hold garbage.
 */
_Noreturn void world_reset(enum world_reset reason);

const char *world_reset_name(enum world_reset reason);

/* The CPU waits for a frame of the host that the bus still carries, and has its work with it. */
void world_await_frame(const uint8_t *frame, size_t len);

/* One frame from the chip to the host. */
void world_send_frame(const uint8_t *frame, size_t len);

/* From now until the next reset no frame leaves the chip. */
void world_silence(void);

/* Calls `on_sent` behind every frame that has left the chip, until the next reset. */
void world_watch_sent(void (*on_sent)(const uint8_t *frame, size_t len));

static inline int64_t world_now_us(void)
{
    return sim_clock_now_us(&world->clock);
}

#endif
