/* SPDX-License-Identifier: Apache-2.0 */
#include "rate.h"

#include <math.h>
#include <time.h>

#define SAMPLE_S 0.5

/* How far off an estimate may be before it is given up: this and a part of what is left. */
#define WRONG_S    1.0
#define WRONG_PART 0.15

double rate_clock_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void take_sample(struct rate *rate, double now_s, uint64_t done)
{
    const unsigned at = rate->count++ % RATE_SAMPLES;

    rate->samples[at].at_s = now_s;
    rate->samples[at].done = done;
}

void rate_start(struct rate *rate, double now_s)
{
    *rate = (struct rate){.now_s = now_s};
    take_sample(rate, now_s, 0);
}

void rate_add(struct rate *rate, double now_s, uint64_t done)
{
    if (done < rate->done) /* it began anew */
        rate_start(rate, now_s);
    rate->now_s = now_s;
    rate->done = done;
    if (now_s - rate->samples[(rate->count - 1) % RATE_SAMPLES].at_s >= SAMPLE_S)
        take_sample(rate, now_s, done);
}

double rate_bytes_per_s(const struct rate *rate)
{
    const unsigned oldest = rate->count > RATE_SAMPLES ? rate->count % RATE_SAMPLES : 0;
    const double took_s = rate->now_s - rate->samples[oldest].at_s;

    return took_s > 0 ? (double)(rate->done - rate->samples[oldest].done) / took_s : 0;
}

double rate_left_s(struct rate *rate, uint64_t total)
{
    const double bytes_per_s = rate_bytes_per_s(rate);

    if (bytes_per_s <= 0 || total < rate->done)
        return -1;

    const double left_s = (double)(total - rate->done) / bytes_per_s;
    const double said_s = rate->end_s - rate->now_s;

    if (rate->end_s == 0 || fabs(left_s - said_s) > WRONG_S + WRONG_PART * left_s || said_s < 0)
        rate->end_s = rate->now_s + left_s;
    return rate->end_s - rate->now_s;
}
