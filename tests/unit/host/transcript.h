/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H
/* Exchanges recorded between upstream's tools and upstream's firmware (tests/data/transcripts). */
#include <stddef.h>
#include <stdint.h>

struct transcript {
    uint8_t *to_device;
    size_t to_device_len;
    uint8_t *to_host;
    size_t to_host_len;
};

/* `name` without ".jsonl": "classic-scan"; ends the test if it cannot be read. */
struct transcript transcript_read(const char *name);
void transcript_free(struct transcript *transcript);

#endif
