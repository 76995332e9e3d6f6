/* SPDX-License-Identifier: Apache-2.0 */
#include "otadata.h"

#include <stddef.h>
#include <string.h>

#include "crc32.h"
#include "little_endian.h"

enum {
    ENTRY_BYTES = 32,
    AT_SEQ = 0,
    AT_LABEL = 4,
    AT_STATE = 24,
    AT_CRC = 28,
};

/* Of the four bytes of the number. */
static uint32_t seq_crc(uint32_t seq)
{
    uint8_t bytes[4];

    put_le32(bytes, seq);
    return crc32_le(UINT32_MAX, bytes, sizeof(bytes));
}

int otadata_read(struct flash *flash, uint32_t offset, struct otadata_entry ret[2])
{
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t bytes[ENTRY_BYTES];
        const int rc = flash_read(flash, offset + i * FLASH_SECTOR_BYTES, bytes, sizeof(bytes));

        if (rc < 0)
            return rc;
        ret[i].seq = get_le32(bytes + AT_SEQ);
        memcpy(ret[i].label, bytes + AT_LABEL, sizeof(ret[i].label));
        ret[i].state = get_le32(bytes + AT_STATE);
        ret[i].crc = get_le32(bytes + AT_CRC);
    }
    return 0;
}

int otadata_write(struct flash *flash, uint32_t offset, int index,
                  const struct otadata_entry *entry)
{
    const uint32_t at = offset + (uint32_t)index * FLASH_SECTOR_BYTES;
    uint8_t bytes[ENTRY_BYTES];
    const int rc = flash_erase(flash, at, FLASH_SECTOR_BYTES);

    if (rc < 0)
        return rc;
    put_le32(bytes + AT_SEQ, entry->seq);
    memcpy(bytes + AT_LABEL, entry->label, sizeof(entry->label));
    put_le32(bytes + AT_STATE, entry->state);
    put_le32(bytes + AT_CRC, entry->crc);
    return flash_program(flash, at, bytes, sizeof(bytes));
}

struct otadata_entry otadata_entry(uint32_t seq, uint32_t state)
{
    struct otadata_entry entry = {.seq = seq, .state = state, .crc = seq_crc(seq)};

    memset(entry.label, 0xff, sizeof(entry.label));
    return entry;
}

void otadata_set_seq(struct otadata_entry *entry, uint32_t seq)
{
    entry->seq = seq;
    entry->crc = seq_crc(seq);
}

bool otadata_crc_ok(const struct otadata_entry *entry)
{
    return entry->crc == seq_crc(entry->seq);
}

bool otadata_select_invalid(const struct otadata_entry *entry)
{
    return entry->seq == OTADATA_SEQ_EMPTY || entry->state == OTADATA_INVALID ||
           entry->state == OTADATA_ABORTED;
}

static bool is_valid(const struct otadata_entry *entry)
{
    return !otadata_select_invalid(entry) && otadata_crc_ok(entry);
}

int otadata_active(const struct otadata_entry entries[2])
{
    if (is_valid(&entries[0]) && is_valid(&entries[1]))
        return entries[1].seq > entries[0].seq ? 1 : 0;
    if (is_valid(&entries[0]))
        return 0;
    return is_valid(&entries[1]) ? 1 : -1;
}

unsigned otadata_slot(const struct otadata_entry *entry, unsigned slots)
{
    return (entry->seq - 1) % slots;
}

const char *otadata_state_name(uint32_t state)
{
    switch (state) {
    case OTADATA_NEW:
        return "new";
    case OTADATA_PENDING_VERIFY:
        return "pending_verify";
    case OTADATA_VALID:
        return "valid";
    case OTADATA_INVALID:
        return "invalid";
    case OTADATA_ABORTED:
        return "aborted";
    default:
        return "undefined";
    }
}
