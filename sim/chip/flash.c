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

static int misuse(struct flash *flash, int error)
{
    flash->misuses++;
    return error;
}

static void spend(struct flash *flash, enum flash_work work, size_t bytes)
{
    if (flash->spent != NULL)
        flash->spent(flash->ctx, work, bytes);
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
    memcpy(buf, flash->bytes + at, len);
    spend(flash, FLASH_READ, len);
    return 0;
}

static bool program_page(struct flash *flash, uint32_t at, const uint8_t *data, size_t len)
{
    const size_t reached = begin_operation(flash, len);
    bool took = true;

    for (size_t i = 0; i < reached; i++) {
        flash->bytes[at + i] &= data[i];
        took = took && flash->bytes[at + i] == data[i];
    }
    spend(flash, FLASH_PROGRAM, len);
    finish_operation(flash);
    return took;
}

int flash_program(struct flash *flash, uint32_t at, const void *data, size_t len)
{
    const uint8_t *next = data;
    bool took = true;

    if (!is_inside(flash, at, len))
        return misuse(flash, -ERANGE);
    while (len > 0) {
        const size_t room = FLASH_PAGE_BYTES - at % FLASH_PAGE_BYTES;
        const size_t n = len < room ? len : room;

        took = program_page(flash, at, next, n) && took;
        at += (uint32_t)n;
        next += n;
        len -= n;
    }
    return took ? 0 : misuse(flash, -EIO);
}

int flash_erase(struct flash *flash, uint32_t at, size_t len)
{
    if (at % FLASH_SECTOR_BYTES != 0 || len % FLASH_SECTOR_BYTES != 0)
        return misuse(flash, -EINVAL);
    if (!is_inside(flash, at, len))
        return misuse(flash, -ERANGE);
    while (len > 0) {
        const bool block = at % FLASH_BLOCK_BYTES == 0 && len >= FLASH_BLOCK_BYTES;
        const size_t step = block ? FLASH_BLOCK_BYTES : FLASH_SECTOR_BYTES;

        memset(flash->bytes + at, 0xff, begin_operation(flash, step));
        spend(flash, block ? FLASH_ERASE_BLOCK : FLASH_ERASE_SECTOR, step);
        finish_operation(flash);
        at += (uint32_t)step;
        len -= step;
    }
    return 0;
}
