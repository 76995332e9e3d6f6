/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_FAULT_H
#define HOST_FAULT_H
/* How the library's own code fills a struct hosted_fault. */
#include <stdint.h>

#include "hosted/fault.h"

/*
 * Fills *fault, if there is one, and returns `error`. What is no UTF-8 and what moves a cursor
 * becomes '?' in the text, byte by byte: names of files and networks end up on a terminal, and
 * anybody may choose them.
 */
__attribute__((format(printf, 4, 5))) int fault_set(struct hosted_fault *fault,
                                                    enum hosted_status status, int error,
                                                    const char *format, ...);

/* Appends to the text, for what only a caller further up knows. */
__attribute__((format(printf, 2, 3))) void fault_add(struct hosted_fault *fault, const char *format,
                                                     ...);

/* Says which option would have let it go on. Returns `error`. */
int fault_hint(struct hosted_fault *fault, enum hosted_hint hint, int error);

/* Appends ": " and the words for errno value `error` of either sign, and returns -error. */
int fault_errno(struct hosted_fault *fault, enum hosted_status status, int error,
                const char *object);

#endif
