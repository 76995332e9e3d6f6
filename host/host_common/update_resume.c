/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends what the slot does not hold already. What it holds is asked of the ESP32, which keeps no
 * record of it: so it does not matter what cut the last update off, nor what is there instead. The
 * image is compared in sectors of 4 KiB, whose digests are asked for just before they are needed.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "update_internal.h"

#define SECTOR_BYTES      4096
#define SECTORS_PER_BLOCK (UPDATE_BLOCK_BYTES / SECTOR_BYTES)

/* So many sectors are asked about where the one before is not known to be there: more than the
 * first, which differs in each build. They are read in 4 ms, those of a whole question in 70. */
#define FIRST_SECTORS 4

/* Where nothing of a question was found in the slot, it holds another image, all of which it would
 * take as long to read as ESP-IDF's verification takes: the next question comes behind this. */
#define NOTHING_FOUND_BYTES (1024u * 1024)

/* Typical of a W25Q32JV. */
#define ERASE_BLOCK_MS    150
#define ERASE_SECTOR_MS   45
#define PROGRAM_SECTOR_MS 12

_Static_assert(SECTORS_PER_BLOCK <= SESSION_RUNS_MAX, "two blocks, each second sector a run");

/* The progress since so much was confirmed, if there is any. */
static int report_since(const struct update *update, uint64_t before)
{
    const uint64_t confirmed = update->session->confirmed;

    return confirmed != before ? update_report(update, HOSTED_STAGE_WRITE, confirmed) : 0;
}

/* One step, and the progress that it made. */
static int pump(struct update *update)
{
    const uint64_t before = update->session->confirmed;
    const int err = session_pump(update->session, update->fault);

    update->told = err < 0;
    return err < 0 ? err : report_since(update, before);
}

int update_wait(struct update *update, uint64_t offset)
{
    int err = 0;

    while (err == 0 && update->session->confirmed < offset)
        err = pump(update);
    return err;
}

static int send_run(struct update *update, const uint8_t *data, size_t len, uint64_t erase_end)
{
    int err = 0;

    session_put(update->session, data, len, erase_end);
    while (err == 0 && !session_is_sent(update->session))
        err = pump(update);
    if (err == 0)
        update->sent_bytes += len;
    return err;
}

static int skip(struct update *update, size_t len)
{
    const uint64_t before = update->session->confirmed;

    session_skip(update->session, len);
    update->kept_bytes += len;
    return report_since(update, before);
}

static bool is_digest_of(const uint8_t digest[EXTENSION_DIGEST_BYTES], const uint8_t *data,
                         size_t len)
{
    uint8_t own[EXTENSION_DIGEST_BYTES];

    return EVP_Digest(data, len, own, NULL, EVP_sha256(), NULL) == 1 &&
           memcmp(own, digest, sizeof(own)) == 0;
}

/* How many sectors there are from `offset` to the end of the image, or of the slot where that is
 * not known, and in *ret_end the end if it is. */
static uint64_t count_sectors(const struct update *update, uint64_t offset, uint64_t *ret_end)
{
    const uint64_t known = update->at_end ? update->check.fed_bytes : update->image.file_bytes;
    const bool ends = known != HOSTED_SIZE_UNKNOWN;
    const uint64_t last = ends ? known : update->device->identity.slot_bytes;

    *ret_end = ends ? known : 0;
    return last > offset ? (last - offset + SECTOR_BYTES - 1) / SECTOR_BYTES : 0;
}

/* 0 with no digest: the ESP32 says no, so that all is sent. */
static int ask(struct update *update, uint64_t offset)
{
    const uint32_t most = update->last_was_there ? EXTENSION_DIGESTS_MAX : FIRST_SECTORS;
    uint64_t end;
    const uint64_t count = count_sectors(update, offset, &end);
    const uint32_t asked = count < most ? (uint32_t)count : most;
    struct extension_reply reply = {0};
    /* Nothing else is out while it is asked. */
    int err = update_wait(update, session_position(update->session));

    update->digests_at = offset;
    update->digests = update->digests_found = 0;
    if (err < 0 || asked == 0)
        return err;
    err = session_digests(update->session, offset, SECTOR_BYTES, asked, end, &reply, update->fault);
    update->told = false;
    if (err == -EREMOTEIO && reply.code != HOSTED_EXTENSION__CODE__NO_SESSION) {
        device_say(update->device, "%s; all is sent", update->fault->text);
        reply.digest_count = 0;
        err = 0;
    }
    if (err < 0)
        return err;
    update->end_told = end > 0;
    update->digests_refused = reply.digest_count == 0;
    update->digests = reply.digest_count < asked ? reply.digest_count : asked;
    memcpy(update->sector_digests, reply.digests, update->digests * EXTENSION_DIGEST_BYTES);
    return 0;
}

static const uint8_t *find_digest(const struct update *update, uint64_t offset, size_t len)
{
    const uint64_t index = (offset - update->digests_at) / SECTOR_BYTES;

    /* That it is short may not have been known when it was asked for. */
    if (offset < update->digests_at || index >= update->digests ||
        (len < SECTOR_BYTES && !update->end_told))
        return NULL;
    return update->sector_digests[index];
}

static bool is_worth_asking(const struct update *update, uint64_t offset)
{
    const bool nothing_found = update->digests > 0 && update->digests_found == 0;

    return !update->digests_refused &&
           (!nothing_found || offset - update->digests_at >= NOTHING_FOUND_BYTES);
}

/* 1: these bytes lie in the slot; 0: they do not, or nobody knows. */
static int is_there(struct update *update, uint64_t offset, const uint8_t *data, size_t len)
{
    const uint8_t *digest = find_digest(update, offset, len);

    if (digest == NULL && is_worth_asking(update, offset)) {
        const int err = ask(update, offset);

        if (err < 0)
            return err;
        digest = find_digest(update, offset, len);
    }
    update->last_was_there = digest != NULL && is_digest_of(digest, data, len);
    update->digests_found += update->last_was_there;
    return update->last_was_there;
}

static size_t sector_len(const struct update_block *block, size_t i)
{
    const size_t left = block->len - i * SECTOR_BYTES;

    return left < SECTOR_BYTES ? left : SECTOR_BYTES;
}

/* Rather than the sectors that differ, each by itself. */
static bool is_quicker_whole(size_t differ, size_t count)
{
    return differ * (ERASE_SECTOR_MS + PROGRAM_SECTOR_MS) >=
           ERASE_BLOCK_MS + count * PROGRAM_SECTOR_MS;
}

/* Which sectors need not be sent; 1: all of them are, so that the block can be erased at once. */
static int compare(struct update *update, const struct update_block *block, size_t count,
                   bool there[SECTORS_PER_BLOCK])
{
    size_t differ = 0;

    for (size_t i = 0; i < count; i++) {
        const size_t at = i * SECTOR_BYTES;
        const int is = is_there(update, block->base + at, block->bytes + at, sector_len(block, i));

        if (is < 0)
            return is;
        there[i] = is > 0;
        differ += is == 0;
    }
    if (!is_quicker_whole(differ, count))
        return 0;
    memset(there, 0, count * sizeof(there[0]));
    return 1;
}

/* The sectors that differ, each run of them in one. */
static int send_sectors(struct update *update, const struct update_block *block)
{
    const size_t count = (block->len + SECTOR_BYTES - 1) / SECTOR_BYTES;
    bool there[SECTORS_PER_BLOCK] = {false};
    const int whole = compare(update, block, count, there);
    /* Of the last block also what lies behind the image. */
    const uint64_t erase_end = whole > 0 ? block->base + UPDATE_BLOCK_BYTES : 0;
    int err = whole < 0 ? whole : 0;

    for (size_t i = 0; err == 0 && i < count;) {
        const uint8_t *data = block->bytes + i * SECTOR_BYTES;
        const bool is = there[i];
        size_t len = 0;

        for (; i < count && there[i] == is; i++)
            len += sector_len(block, i);
        err = is ? skip(update, len) : send_run(update, data, len, erase_end);
    }
    return err;
}

int update_send_block(struct update *update, const struct update_block *block)
{
    if (block->len == 0)
        return 0;
    if (!extended_can(update->device, HOSTED_CAN_DIGESTS))
        return send_run(update, block->bytes, block->len, 0);
    return send_sectors(update, block);
}
