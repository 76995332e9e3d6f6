/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_OTADATA_H
#define SIM_OTADATA_H
/*
 * The otadata partition: two sectors, each with one entry of 32 bytes at its start, that say which
 * OTA slot boots. Only the sequence number is under the CRC; the state is not.
 */
#include <stdbool.h>
#include <stdint.h>

#include "flash.h"

#define OTADATA_BYTES     0x2000u
#define OTADATA_SEQ_EMPTY UINT32_MAX

enum otadata_state {
    OTADATA_NEW = 0,
    OTADATA_PENDING_VERIFY = 1,
    OTADATA_VALID = 2,
    OTADATA_INVALID = 3,
    OTADATA_ABORTED = 4,
};
#define OTADATA_UNDEFINED UINT32_MAX

struct otadata_entry {
    uint32_t seq;
    uint8_t label[20]; /* unused */
    uint32_t state;    /* enum otadata_state, OTADATA_UNDEFINED, or anything */
    uint32_t crc;
};

/* Reads both entries of the partition at `offset`. 0 or from flash_read(). */
int otadata_read(struct flash *flash, uint32_t offset, struct otadata_entry ret[2]);

/*
 * Erases the sector of entry `index` and programs `entry`, its CRC as it is: the boot loader writes
 * a new state to an entry whose CRC is wrong, too.
 */
int otadata_write(struct flash *flash, uint32_t offset, int index,
                  const struct otadata_entry *entry);

/* Gives `entry` another sequence number, and the CRC of that. */
void otadata_set_seq(struct otadata_entry *entry, uint32_t seq);

/* As a fresh entry of sequence number `seq`. */
struct otadata_entry otadata_entry(uint32_t seq, uint32_t state);

bool otadata_crc_ok(const struct otadata_entry *entry);

/* Empty, or marked bad: not to be selected. Says nothing of the CRC. */
bool otadata_select_invalid(const struct otadata_entry *entry);

/* The entry that counts: the valid one with the larger number, the first if equal; -1 if none. */
int otadata_active(const struct otadata_entry entries[2]);

/* The slot that an entry selects among `slots` of them. */
unsigned otadata_slot(const struct otadata_entry *entry, unsigned slots);

/* "valid", "pending_verify" …, as the events name it. */
const char *otadata_state_name(uint32_t state);

#endif
