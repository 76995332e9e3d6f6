/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#endif

#ifdef SANITIZED

void measure_run(void (*body)(void *arg), void *arg, struct measured *ret)
{
    body(arg);
    memset(ret, 0, sizeof(*ret));
}

#else

#include "image_verify.h"

#define STACK_BYTES (256u * 1024) /* far more than a task has: what is needed shall be seen */
#define PAINT       0xa5

static struct {
    void (*body)(void *arg);
    void *arg;
    ucontext_t back;
    bool counts;
    size_t heap_calls, heap_now, heap_peak;
} s_run;

static _Alignas(16) uint8_t s_stack[STACK_BYTES];

/* The C library's own, under the names that it gives to whoever replaces them. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *at);

static void *took(void *at)
{
    if (!s_run.counts || at == NULL)
        return at;
    s_run.heap_calls++;
    s_run.heap_now += malloc_usable_size(at);
    if (s_run.heap_now > s_run.heap_peak)
        s_run.heap_peak = s_run.heap_now;
    return at;
}

static void gives_back(void *at)
{
    const size_t bytes = at != NULL ? malloc_usable_size(at) : 0;

    if (s_run.counts) /* what was there before the run may be larger than what it took */
        s_run.heap_now -= bytes < s_run.heap_now ? bytes : s_run.heap_now;
}

void *malloc(size_t size)
{
    return took(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return took(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    gives_back(old);
    return took(__libc_realloc(old, size));
}

void free(void *at)
{
    const int saved = errno;

    gives_back(at);
    __libc_free(at);
    errno = saved;
}

static void run_on(uint8_t *stack, void (*body)(void), ucontext_t *back)
{
    ucontext_t there;

    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = STACK_BYTES;
    there.uc_link = back;
    makecontext(&there, body, 0);
    swapcontext(back, &there);
}

/*
 * The linker (--wrap) sends the verification of an image through here: the boot loader's code, and
 * in this model OpenSSL's. It has neither the device code's stack nor its heap.
 */
int __real_image_verify(struct flash *flash, const struct chip_model *model, uint32_t offset,
                        uint32_t partition_size, enum image_use use, struct image_info *ret);
int __wrap_image_verify(struct flash *flash, const struct chip_model *model, uint32_t offset,
                        uint32_t partition_size, enum image_use use, struct image_info *ret);

static struct {
    struct flash *flash;
    const struct chip_model *model;
    uint32_t offset, size;
    enum image_use use;
    struct image_info *ret;
    int rc;
} s_verify;

static void verify(void)
{
    s_verify.rc = __real_image_verify(s_verify.flash, s_verify.model, s_verify.offset,
                                      s_verify.size, s_verify.use, s_verify.ret);
}

int __wrap_image_verify(struct flash *flash, const struct chip_model *model, uint32_t offset,
                        uint32_t partition_size, enum image_use use, struct image_info *ret)
{
    static _Alignas(16) uint8_t s_other_stack[STACK_BYTES];
    ucontext_t back;

    if (!s_run.counts)
        return __real_image_verify(flash, model, offset, partition_size, use, ret);
    s_verify.flash = flash;
    s_verify.model = model;
    s_verify.offset = offset;
    s_verify.size = partition_size;
    s_verify.use = use;
    s_verify.ret = ret;
    s_run.counts = false;
    run_on(s_other_stack, verify, &back);
    s_run.counts = true;
    return s_verify.rc;
}

static void enter(void)
{
    s_run.counts = true;
    s_run.body(s_run.arg);
    s_run.counts = false;
}

void measure_run(void (*body)(void *arg), void *arg, struct measured *ret)
{
    size_t untouched = 0;

    memset(&s_run, 0, sizeof(s_run));
    s_run.body = body;
    s_run.arg = arg;
    memset(s_stack, PAINT, sizeof(s_stack));
    run_on(s_stack, enter, &s_run.back);

    while (untouched < sizeof(s_stack) && s_stack[untouched] == PAINT)
        untouched++;
    ret->stack_bytes = (uint32_t)(sizeof(s_stack) - untouched);
    ret->heap_calls = (uint32_t)s_run.heap_calls;
    ret->heap_bytes = (uint32_t)s_run.heap_peak;
}

#endif
