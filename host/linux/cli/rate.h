/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_RATE_H
#define CLI_RATE_H
/*
 * How fast bytes go, over the last seconds: after a pause of the ESP32 or the network a mean of
 * all would be wrong for long. Times are seconds of any clock that only goes on.
 */
#include <stdint.h>

#define RATE_SAMPLES 17 /* half a second apart: they look 8 s back */

struct rate {
    struct {
        double at_s;
        uint64_t done;
    } samples[RATE_SAMPLES];
    unsigned count; /* taken so far; the ring holds the last of them */
    uint64_t done;
    double now_s;
    double end_s; /* when it will be over, as was last said; 0: never said */
};

void rate_start(struct rate *rate, double now_s);
void rate_add(struct rate *rate, double now_s, uint64_t done);

/* 0: not known. */
double rate_bytes_per_s(const struct rate *rate);

/*
 * Seconds until `total`, or -1 if nobody knows. What was said last counts down and is given up only
 * when it is clearly wrong: else it would jump up and down with every chunk.
 */
double rate_left_s(struct rate *rate, uint64_t total);

/* The clock for it. */
double rate_clock_s(void);

#endif
