/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_H
#define FUZZ_H
/*
 * What all fuzzing targets share. Each is one LLVMFuzzerTestOneInput(): libFuzzer calls it with
 * what it makes up, replay.c with the files of the corpus. An input must mean the same whatever
 * came before it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process, for a debugger and libFuzzer to see, when what must hold does not. */
#define REQUIRE(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_fail(const char *what, const char *file, int line);

/* The input, read from its start. Behind its end there are zeros. */
struct fuzz_input {
    const uint8_t *next;
    size_t left;
};

uint8_t fuzz_take_u8(struct fuzz_input *input);
uint16_t fuzz_take_le16(struct fuzz_input *input);

/* A copy of the next `*len` bytes on the heap, whose ends the sanitizer watches, for free(). Where
 * there are less, *len says so. */
uint8_t *fuzz_take_copy(struct fuzz_input *input, size_t *len);

/* Such a copy of any bytes. */
uint8_t *fuzz_copy(const void *bytes, size_t len);

/* The string ends within its `size` bytes, and is UTF-8 without control characters. */
bool fuzz_is_printable(const char *text, size_t size);

#endif
