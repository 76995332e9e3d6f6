/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_LINK_H
#define FUZZ_LINK_H
/*
 * A link whose other end is the input, and the library's clock, on which waits take no time but
 * show. Where the client wants to read and nothing is left of the last one, the next segment
 * begins:
 *
 *   u16 of 0         nothing comes until the deadline
 *   u16 of 0xffff    the device has gone
 *   others           so many bytes (bits 0-12); bit 15: they were there before they were waited for
 *
 * Behind the end of the input nothing comes.
 */
#include "fuzz.h"
#include "link.h"

struct fuzz_link {
    struct link link;
    struct fuzz_input *input; /* borrowed */
    const uint8_t *next;      /* of the segment */
    size_t left;
    size_t piece;     /* bytes that a read gives at most; 0: no limit */
    size_t given;     /* bytes in all */
    uint32_t last;    /* four bytes that came in */
    bool careful;     /* see that no classic firmware is asked in another dialect */
    bool named;       /* something has named another dialect's endpoint */
    int64_t asked_ms; /* when the first message was sent; 0: not yet */
};

void fuzz_link_init(struct fuzz_link *link, struct fuzz_input *input, size_t piece);

/* The clock starts at one time for each input. */
void fuzz_clock_reset(void);

#endif
