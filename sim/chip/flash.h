/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_FLASH_H
#define SIM_FLASH_H
/*
 * A NOR flash chip in a file that is a plain dump of it. Erasing sets bits, programming clears
 * them. A program that wants to set one is done as far as it goes and, as on the chip, nobody is
 * told; here it is counted as misuse.
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
    FLASH_CALL,        /* the CPU's part of one call of the driver, told by who is called */
    FLASH_HASH,        /* SHA-256 of what was read, by the accelerator: told by who does it */
    FLASH_HASH_BY_CPU, /* the same while another hash has the accelerator */
};

enum flash_cut {
    FLASH_CUT_BEFORE, /* the operation is not done */
    FLASH_CUT_TORN,   /* its first half is */
    FLASH_CUT_DONE,   /* it is, but nothing after it */
};

/* What is broken about a chip. */
enum flash_fault_kind {
    FLASH_STUCK_AT_0,    /* the lowest bit of a byte, whatever is done to it */
    FLASH_STUCK_AT_1,    /* the same */
    FLASH_ERASE_FAILS,   /* the sector of that byte never becomes ready: nothing is erased */
    FLASH_PROGRAM_FAILS, /* its page: nothing is programmed */
    FLASH_READ_FAILS,    /* a read of that byte does not end */
};

struct flash_fault {
    enum flash_fault_kind kind;
    uint32_t at; /* address of the byte */
};

struct flash {
    uint8_t *bytes; /* the file, mapped */
    uint32_t size;
    uint64_t *operations; /* the counter, which outlives a reset of the chip */
    uint32_t misuses;     /* programs that wanted to set a bit, and the like */
    const struct flash_fault *faults;
    size_t fault_count;

    uint64_t cut_at; /* number of the operation; 0: never */
    enum flash_cut cut;
    void (*power_cut)(void *ctx, uint64_t operation); /* must not return */
    /* A call of the driver has come to its next command, or run of programs. NULL: nobody minds. */
    void (*begins)(void *ctx);
    /* The chip was busy with `bytes` bytes of work. NULL: nobody counts. */
    void (*spent)(void *ctx, enum flash_work work, size_t bytes);
    /* At each misuse, with the address. NULL: nobody listens. */
    void (*misused)(void *ctx, uint32_t at);
    void *ctx;
};

/*
 * Maps an open flash file of `size` bytes. `operations` is borrowed. The other members are the
 * caller's to set afterwards. 0, -EINVAL when the file has another size, or from mmap(2).
 */
int flash_attach(struct flash *flash, int fd, uint32_t size, uint64_t *operations);
void flash_detach(struct flash *flash);

/* Breaks the chip; `faults` is borrowed. A stuck bit shows at once, and in the file. */
void flash_set_faults(struct flash *flash, const struct flash_fault *faults, size_t count);

/* Tells of work that is not the flash's own. */
void flash_spend(const struct flash *flash, enum flash_work work, size_t bytes);

/* All: 0; -ERANGE when it leaves the chip; -ETIMEDOUT when the chip does not become ready again,
 * and what lies behind that place is not done. */
int flash_read(struct flash *flash, uint32_t at, void *buf, size_t len);
int flash_program(struct flash *flash, uint32_t at, const void *data, size_t len);

/* By blocks where one begins and fits, else by sectors. -EINVAL unless both are whole sectors. */
int flash_erase(struct flash *flash, uint32_t at, size_t len);

#endif
