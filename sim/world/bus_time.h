/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_BUS_TIME_H
#define SIM_BUS_TIME_H
/*
 * When frames cross the bus: computed from the bus, the flash and the protocol, never from when a
 * socket could be read. README.md, "The bus", says what is modelled.
 *
 * Frames are given in the order in which the ESP32 takes and makes them, each with the time of its
 * CPU. That may be long after a frame crossed, while the CPU was busy: so transactions are computed
 * as late as possible, when somebody has to know about one, and each from what had happened by
 * then.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bus_kind {
    BUS_SPI, /* full duplex, each transaction a whole buffer; what it carries is bound when armed */
    BUS_SDIO, /* half duplex, as long as the frame */
};

#define BUS_MAX_ARMED  20
#define BUS_MAX_WINDOW 16

/* 0, or -1 of what may be 0: what is usual there, or what the firmware has. */
struct bus_settings {
    enum bus_kind kind;
    unsigned mhz;    /* never 0 of SPI, which has the speed of its chip */
    int gap_us;      /* between two transactions, whoever causes it */
    unsigned armed;  /* transactions that go on by interrupt alone while the CPU stands still */
    int host_us;     /* from an answer to the next request */
    unsigned window; /* writes that the host has in flight */
};

#define BUS_TIME_FRAMES 128 /* to the host, of which the times are known */
#define BUS_TIME_STALLS 512

struct bus_stall {
    int64_t from_us, to_us;
};

struct bus_time {
    struct bus_settings settings;
    unsigned window, armed; /* of those, or of the firmware */
    int64_t free_us;        /* the end of the last transaction */
    uint64_t transactions;
    int64_t
        ended_us[BUS_MAX_ARMED]; /* of the last ones: then their buffers were to be armed again */

    /* To the host, from 0; those from `delivered` to `sent` have not crossed yet. */
    uint64_t sent, delivered;
    int64_t ready_us[BUS_TIME_FRAMES];
    int64_t delivered_us[BUS_TIME_FRAMES];
    uint16_t bytes[BUS_TIME_FRAMES];

    /* From the host. */
    uint64_t requests;
    uint64_t sent_by[BUS_MAX_WINDOW]; /* `sent` behind all that a request led to */
    uint64_t last_other;              /* the number of the last request that was no write */
    int64_t answered_us;              /* the last request waited for its grant until then, */
    int64_t left_us;                  /* and left then */

    /* When nothing in flash could run, oldest first. */
    struct bus_stall stalls[BUS_TIME_STALLS];
    unsigned first_stall, stall_count;
};

/* A frame from the host, as far as it matters here. */
struct bus_frame {
    size_t bytes;
    bool is_serial;
    bool begins; /* a serial message */
    bool is_write;
};

void bus_time_init(struct bus_time *bus, const struct bus_settings *settings);

/* What is there when nothing was said of it. Stock firmware: one of each, but for SDIO. */
void bus_time_set_firmware(struct bus_time *bus, unsigned window, unsigned armed);

/* The next frame of the host. Returns when it has arrived, which may be before `now_us`. */
int64_t bus_time_receive(struct bus_time *bus, const struct bus_frame *frame, int64_t now_us);

/* A frame for the host was made at `now_us`. */
void bus_time_send(struct bus_time *bus, size_t bytes, int64_t now_us);

/* Nothing in flash runs. `goes_on`: nothing has run either since the last such time. */
void bus_time_stall(struct bus_time *bus, int64_t from_us, int64_t to_us, bool goes_on);

/* Somebody moved the clock: what the host sends from now on leaves then at the earliest. */
void bus_time_not_before(struct bus_time *bus, int64_t us);

#endif
