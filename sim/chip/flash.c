/* SPDX-License-Identifier: Apache-2.0 */
#include "flash.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int flash_attach(struct flash *flash, int fd, uint32_t size, uint64_t *operations)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size != (off_t)size)
        return -EINVAL;

    void *const at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (at == MAP_FAILED)
        return -errno;
    *flash = (struct flash){.bytes = at, .size = size, .operations = operations};
    return 0;
}

void flash_detach(struct flash *flash)
{
    munmap(flash->bytes, flash->size);
    flash->bytes = NULL;
}

static bool is_inside(const struct flash *flash, uint32_t at, size_t len)
{
    return at <= flash->size && len <= flash->size - at;
}

static void misuse(struct flash *flash, uint32_t at)
{
    flash->misuses++;
    if (flash->misused != NULL)
        flash->misused(flash->ctx, at);
}

/* The fault of that kind among these bytes, or NULL. */
static const struct flash_fault *find_fault(const struct flash *flash, enum flash_fault_kind kind,
                                            uint32_t at, size_t len)
{
    for (size_t i = 0; i < flash->fault_count; i++) {
        const struct flash_fault *const fault = &flash->faults[i];

        if (fault->kind == kind && fault->at >= at && fault->at - at < len)
            return fault;
    }
    return NULL;
}

static bool is_stuck(const struct flash *flash, uint32_t at)
{
    return find_fault(flash, FLASH_STUCK_AT_0, at, 1) != NULL ||
           find_fault(flash, FLASH_STUCK_AT_1, at, 1) != NULL;
}

/* What stuck bits make of these bytes. */
static void stick(struct flash *flash, uint32_t at, size_t len)
{
    for (size_t i = 0; i < flash->fault_count; i++) {
        const struct flash_fault *const fault = &flash->faults[i];

        if (fault->at < at || fault->at - at >= len)
            continue;
        if (fault->kind == FLASH_STUCK_AT_0)
            flash->bytes[fault->at] &= 0xfe;
        if (fault->kind == FLASH_STUCK_AT_1)
            flash->bytes[fault->at] |= 0x01;
    }
}

void flash_set_faults(struct flash *flash, const struct flash_fault *faults, size_t count)
{
    flash->faults = faults;
    flash->fault_count = count;
    stick(flash, 0, flash->size);
}

void flash_spend(const struct flash *flash, enum flash_work work, size_t bytes)
{
    if (flash->spent != NULL)
        flash->spent(flash->ctx, work, bytes);
}

static void begin(const struct flash *flash)
{
    if (flash->begins != NULL)
        flash->begins(flash->ctx);
}

/*
 * Counts an operation on `len` bytes. Returns how many of them it reaches; when that is all, and
 * the power goes just behind it, finish_operation() cuts.
 */
static size_t begin_operation(struct flash *flash, size_t len)
{
    const uint64_t number = ++*flash->operations;

    if (number != flash->cut_at || flash->cut == FLASH_CUT_DONE)
        return len;
    return flash->cut == FLASH_CUT_TORN ? len / 2 : 0;
}

static void finish_operation(struct flash *flash)
{
    if (*flash->operations == flash->cut_at)
        flash->power_cut(flash->ctx, *flash->operations);
}

int flash_read(struct flash *flash, uint32_t at, void *buf, size_t len)
{
    if (!is_inside(flash, at, len))
        return -ERANGE;
    flash_spend(flash, FLASH_READ, len);
    if (find_fault(flash, FLASH_READ_FAILS, at, len) != NULL)
        return -ETIMEDOUT;
    memcpy(buf, flash->bytes + at, len);
    return 0;
}

/* Returns false when a bit would have had to be set. */
static bool clear_bits(struct flash *flash, uint32_t at, const uint8_t *data, size_t len)
{
    uint8_t *const bytes = flash->bytes + at;
    uint8_t set = 0;
    bool took = true;

    for (size_t i = 0; i < len; i++) {
        set |= (uint8_t)(data[i] & ~bytes[i]);
        bytes[i] &= data[i];
    }
    for (size_t i = 0; set != 0 && i < len; i++) {
        if (bytes[i] != data[i])
            took = took && is_stuck(flash, at + (uint32_t)i);
    }
    return took;
}

static int program_page(struct flash *flash, uint32_t at, const uint8_t *data, size_t len)
{
    const bool fails = find_fault(flash, FLASH_PROGRAM_FAILS, at, len) != NULL;
    const size_t reached = begin_operation(flash, len);

    if (!fails && !clear_bits(flash, at, data, reached))
        misuse(flash, at);
    stick(flash, at, len);
    flash_spend(flash, FLASH_PROGRAM, len);
    finish_operation(flash);
    return fails ? -ETIMEDOUT : 0;
}

int flash_program(struct flash *flash, uint32_t at, const void *data, size_t len)
{
    const uint8_t *next = data;
    int rc = 0;

    if (!is_inside(flash, at, len)) {
        misuse(flash, at);
        return -ERANGE;
    }
    begin(flash);
    while (rc == 0 && len > 0) {
        const size_t room = FLASH_PAGE_BYTES - at % FLASH_PAGE_BYTES;
        const size_t n = len < room ? len : room;

        rc = program_page(flash, at, next, n);
        at += (uint32_t)n;
        next += n;
        len -= n;
    }
    return rc;
}

/* One sector or block. */
static int erase_unit(struct flash *flash, uint32_t at, size_t len)
{
    const bool fails = find_fault(flash, FLASH_ERASE_FAILS, at, len) != NULL;
    const size_t reached = begin_operation(flash, len);

    if (!fails)
        memset(flash->bytes + at, 0xff, reached);
    stick(flash, at, len);
    flash_spend(flash, len == FLASH_BLOCK_BYTES ? FLASH_ERASE_BLOCK : FLASH_ERASE_SECTOR, len);
    finish_operation(flash);
    return fails ? -ETIMEDOUT : 0;
}

int flash_erase(struct flash *flash, uint32_t at, size_t len)
{
    int rc = 0;

    if (at % FLASH_SECTOR_BYTES != 0 || len % FLASH_SECTOR_BYTES != 0 ||
        !is_inside(flash, at, len)) {
        misuse(flash, at);
        return is_inside(flash, at, len) ? -EINVAL : -ERANGE;
    }
    while (rc == 0 && len > 0) {
        const bool block = at % FLASH_BLOCK_BYTES == 0 && len >= FLASH_BLOCK_BYTES;
        const size_t step = block ? FLASH_BLOCK_BYTES : FLASH_SECTOR_BYTES;

        begin(flash);
        rc = erase_unit(flash, at, step);
        at += (uint32_t)step;
        len -= step;
    }
    return rc;
}
