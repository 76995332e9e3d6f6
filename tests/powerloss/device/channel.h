/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHANNEL_H
#define CHANNEL_H
/*
 * How the proof (tests/powerloss/device_lives.py) drives device-lives: commands on standard input,
 * one answer each on standard output, and memory that both have mapped.
 */
#include <stddef.h>
#include <stdint.h>

#include "world.h"

/* The flash chip, what RTC memory keeps over a reset, frames to the device, frames from it, and
 * what is broken about the flash chip. A frame has its length in front, 16 bits. */
#define FRAMES_BYTES  (4u << 20)
#define REPLIES_BYTES (1u << 20)
#define FAULTS_MAX    8u

/* Looked at when a command begins. */
struct faults {
    uint32_t count;
    struct {
        uint32_t kind, at; /* enum flash_fault_kind, and the address of the byte */
    } of[FAULTS_MAX];
};

struct shared {
    uint8_t *flash;
    uint8_t *rtc;
    uint8_t *frames;
    uint8_t *replies;
    struct faults *faults;
};
extern struct shared shared;

enum verb {
    VERB_START,    /* a life: flags, operation to cut the power at, how, operation to stop before */
    VERB_FEED,     /* frames from, to; flags */
    VERB_CONTINUE, /* after a stop: the operation to stop before next */
    VERB_FORK,  /* after a stop: a copy of the device loses its power at the next operation; how */
    VERB_TIME,  /* passes; microseconds, low and high half */
    VERB_RESET, /* the watchdog bites */
    VERB_OFF,   /* somebody pulls the plug */
};

enum {
    START_PRIVATE = 1,     /* on a copy of the flash, which comes back when the life ends */
    START_KEEP_RTC = 2,    /* else RTC memory is noise */
    START_RESET = 4,       /* any reset: else the power was off */
    FEED_MEASURE = 2,      /* the memory that the frames take; see struct answer */
    FEED_HOLD_RESTART = 1, /* the restart after an update does not come by itself */
};

struct command {
    uint32_t verb, a, b, c, d;
};

enum answer_kind {
    ANSWER_DONE,
    ANSWER_STOPPED,       /* before the operation that was asked for */
    ANSWER_NOTHING_BOOTS, /* this, and what follows, is the end of a life */
    ANSWER_RESET,         /* reason: enum world_reset */
    ANSWER_POWER_CUT,
    ANSWER_OFF,
    ANSWER_CRASHED, /* reason: wait status */
};

struct answer {
    uint32_t kind, reason;
    uint32_t operations; /* flash operations of this life */
    uint32_t misuses;    /* of the flash: what a chip would have answered with wrong bytes */
    uint32_t replies;    /* bytes in shared.replies, from the last command */
    uint32_t running;    /* offset of the partition that runs */
    uint32_t state;      /* of its otadata entry; has_state */
    uint32_t has_state;
    uint32_t stack_bytes; /* what the last command took, if it was to be measured */
    uint32_t heap_calls;
    uint32_t heap_bytes;
    char version[32];
};

/* Maps the memory. Returns 0 or -errno. */
int channel_open(int memfd, uint32_t flash_bytes);

/* Returns false at the end of the commands. */
bool channel_next(struct command *ret);
void channel_answer(const struct answer *answer);

#endif
