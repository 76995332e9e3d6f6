/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEASURE_H
#define MEASURE_H
/* What memory a piece of the device code takes: stack by painting it, heap by counting. */
#include <stddef.h>
#include <stdint.h>

struct measured {
    uint32_t stack_bytes; /* the deepest */
    uint32_t heap_calls;  /* that wanted memory */
    uint32_t heap_bytes;  /* held at once, at most */
};

/*
 * Runs `body` on a stack of its own. What the models of sim/ take for themselves (OpenSSL's
 * contexts) is not counted. With a sanitizer, whose stacks and heap are others, all is 0.
 */
void measure_run(void (*body)(void *arg), void *arg, struct measured *ret);

#endif
