/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_RELEASE_H
#define HOSTED_RELEASE_H
/*
 * The release of an ESP-Hosted-FG firmware, "FG-1.0.0.0.0": what its image's descriptor carries as
 * the version, and what the ctrl dialect's version request is answered with, cut into its parts.
 */
#include <stdbool.h>
#include <stdint.h>

#define RELEASE_NAME_BYTES 16
#define RELEASE_NUMBERS    5
#define RELEASE_TEXT_BYTES (RELEASE_NAME_BYTES + RELEASE_NUMBERS * 11)

struct release {
    char name[RELEASE_NAME_BYTES];
    uint32_t numbers[RELEASE_NUMBERS]; /* major 1 and 2, minor, patch 1 and 2 */
};

/* Whether `text` has the form NAME-a.b.c.d.e and nothing else; *ret is written then only. */
bool release_parse(const char *text, struct release *ret);

/* The text of it, in `buf`, which is returned. */
const char *release_format(const struct release *release, char buf[RELEASE_TEXT_BYTES]);

bool release_equal(const struct release *a, const struct release *b);

#endif
