/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_FLASH_H
#define SIM_FLASH_H
/*
 * A NOR flash chip in a file that is a plain dump of it. Erasing sets bits, programming clears
 * them; asking for anything else is misuse and an error.
 *
 * An operation is one erase (a 4 KiB sector or a 64 KiB block) or one program within a 256-byte
 * page. Operations are counted from 1, and the power can be cut at any of them. What was done is in
 * the file at once: the process may be killed at any moment.
 */
#include <stddef.h>
#include <stdint.h>

#define FLASH_PAGE_BYTES   256u
#define FLASH_SECTOR_BYTES 4096u
#define FLASH_BLOCK_BYTES  65536u

enum flash_work {
    FLASH_READ,
    FLASH_PROGRAM,
    FLASH_ERASE_SECTOR,
    FLASH_ERASE_BLOCK,
};

enum flash_cut {
    FLASH_CUT_BEFORE, /* the operation is not done */
    FLASH_CUT_TORN,   /* its first half is */
    FLASH_CUT_DONE,   /* it is, but nothing after it */
};

struct flash {
    uint8_t *bytes; /* the file, mapped */
    uint32_t size;
    uint64_t *operations; /* the counter, which outlives a reset of the chip */
    uint32_t misuses;     /* programs that wanted to set a bit, and the like */

    uint64_t cut_at; /* number of the operation; 0: never */
    enum flash_cut cut;
    void (*power_cut)(void *ctx, uint64_t operation); /* must not return */
    /* The chip was busy with `bytes` bytes of work. NULL: nobody counts. */
    void (*spent)(void *ctx, enum flash_work work, size_t bytes);
    void *ctx;
};

/*
 * Maps an open flash file of `size` bytes. `operations` is borrowed. The other members are the
 * caller's to set afterwards. 0, -EINVAL when the file has another size, or from mmap(2).
 */
int flash_attach(struct flash *flash, int fd, uint32_t size, uint64_t *operations);
void flash_detach(struct flash *flash);

/* All: 0; -ERANGE when it leaves the chip. */
int flash_read(struct flash *flash, uint32_t at, void *buf, size_t len);

/* -EIO when a bit would have to be set: what can be cleared is. */
int flash_program(struct flash *flash, uint32_t at, const void *data, size_t len);

/* By blocks where one begins and fits, else by sectors. -EINVAL unless both are whole sectors. */
int flash_erase(struct flash *flash, uint32_t at, size_t len);

#endif
