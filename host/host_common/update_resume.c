/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends what the slot does not hold already. What it holds is asked of the ESP32, which keeps no
 * record of it: so it does not matter what cut the last update off, nor what is there instead. The
 * image is compared in blocks of 64 KiB, and one that differs in sectors of 4 KiB.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "update_internal.h"

#define SECTOR_BYTES      4096
#define SECTORS_PER_BLOCK (UPDATE_BLOCK_BYTES / SECTOR_BYTES)

_Static_assert(SECTORS_PER_BLOCK <= EXTENSION_DIGESTS_MAX, "those of a block are one question");

/* Sends a run of what is held, `at` bytes from its start. */
static int send_run(struct update *update, uint64_t base, size_t at, size_t len)
{
    struct hosted_session *session = update->session;
    const uint64_t run_base = base + at;
    int err = 0;

    while (err == 0 && session->confirmed < run_base + len) {
        err = session_write_run(session, run_base, update->buf + at, len, update->fault);
        update->told = err < 0;
        if (err == 0)
            err = update_report(update, HOSTED_STAGE_WRITE, session->confirmed);
    }
    if (err == 0)
        update->sent_bytes += len;
    return err;
}

static int skip(struct update *update, size_t len)
{
    session_skip(update->session, len);
    update->kept_bytes += len;
    return update_report(update, HOSTED_STAGE_WRITE, update->session->confirmed);
}

static bool is_digest_of(const uint8_t digest[EXTENSION_DIGEST_BYTES], const uint8_t *data,
                         size_t len)
{
    uint8_t own[EXTENSION_DIGEST_BYTES];

    return EVP_Digest(data, len, own, NULL, EVP_sha256(), NULL) == 1 &&
           memcmp(own, digest, sizeof(own)) == 0;
}

/* 0 with fewer digests than were asked for, also none: the ESP32 says no, so that all is sent. */
static int ask(struct update *update, uint64_t offset, uint32_t block, uint64_t count, uint64_t end,
               struct extension_reply *ret)
{
    const uint32_t most = count < EXTENSION_DIGESTS_MAX ? (uint32_t)count : EXTENSION_DIGESTS_MAX;
    const int err = session_digests(update->session, offset, block, most, end, ret, update->fault);

    if (err == -EREMOTEIO) {
        device_say(update->device, "%s; all is sent", update->fault->text);
        update->digests_refused = true;
        ret->digest_count = 0;
        return 0;
    }
    update->told = false;
    return err;
}

/* The digests of the block at `base` and of those behind it: as many as one answer has. */
static int ask_blocks(struct update *update, uint64_t base)
{
    const uint64_t known = update->image.file_bytes;
    const bool ends = known != HOSTED_SIZE_UNKNOWN || update->at_end;
    const uint64_t end = known != HOSTED_SIZE_UNKNOWN ? known : base + update->held;
    const uint64_t last = ends ? end : update->device->identity.slot_bytes;
    const uint64_t count =
        last > base ? (last - base + UPDATE_BLOCK_BYTES - 1) / UPDATE_BLOCK_BYTES : 0;
    struct extension_reply reply = {0};
    const int err =
        count > 0 ? ask(update, base, UPDATE_BLOCK_BYTES, count, ends ? end : 0, &reply) : 0;

    if (err < 0)
        return err;
    update->blocks_at = base;
    update->blocks = reply.digest_count;
    memcpy(update->block_digests, reply.digests, sizeof(reply.digests));
    return 0;
}

/* 1: what is held lies in the slot; 0: it does not, or nobody knows. */
static int is_block_there(struct update *update, uint64_t base)
{
    uint64_t index = (base - update->blocks_at) / UPDATE_BLOCK_BYTES;
    /* That it is short was not known when it was asked for. */
    const bool cut = update->held < UPDATE_BLOCK_BYTES && !update->end_told;

    if (index >= update->blocks || cut) {
        update->end_told = update->image.file_bytes != HOSTED_SIZE_UNKNOWN || update->at_end;
        const int err = ask_blocks(update, base);

        if (err < 0)
            return err;
        index = 0;
    }
    return index < update->blocks &&
           is_digest_of(update->block_digests[index], update->buf, update->held);
}

static size_t sector_len(const struct update *update, size_t at)
{
    const size_t left = update->held - at;

    return left < SECTOR_BYTES ? left : SECTOR_BYTES;
}

/* The sectors of what is held that differ, each run of them in one. */
static int send_sectors(struct update *update, uint64_t base)
{
    const size_t count = (update->held + SECTOR_BYTES - 1) / SECTOR_BYTES;
    struct extension_reply there = {0};
    int err = ask(update, base, SECTOR_BYTES, count, base + update->held, &there);

    for (size_t i = 0; err == 0 && i < count;) {
        const size_t at = i * SECTOR_BYTES;
        size_t len = 0;

        while (i < count && !(i < there.digest_count &&
                              is_digest_of(there.digests[i], update->buf + i * SECTOR_BYTES,
                                           sector_len(update, i * SECTOR_BYTES)))) {
            len += sector_len(update, i * SECTOR_BYTES);
            i++;
        }
        if (len > 0) {
            err = send_run(update, base, at, len);
        } else {
            err = skip(update, sector_len(update, at));
            i++;
        }
    }
    return err;
}

int update_send_block(struct update *update)
{
    const uint64_t base = update->session->confirmed;
    int there = 0;

    if (update->held == 0)
        return 0;
    if (!extended_can(update->device, HOSTED_CAN_DIGESTS) || update->digests_refused)
        return send_run(update, base, 0, update->held);
    there = is_block_there(update, base);
    if (there < 0)
        return there;
    if (update->digests_refused)
        return send_run(update, base, 0, update->held);
    return there > 0 ? skip(update, update->held) : send_sectors(update, base);
}
