/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_device.h"

#include <string.h>

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_timer.h"
#include "ota_answer.h"
#include "ota_restart.h"
#include "ota_select.h"
#include "ota_slot.h"
#include "ota_update.h"
#include "sdkconfig.h"

#define IMAGE_MAGIC 0xe9

#define DIGESTS_MAX_BYTES (1u << 20) /* in one request: what a host waits for, about a second */

/* So much the CPU of an ESP32 hashes in 30 ms. More is worth the SHA engine, and with it that `end`
 * reads again what was programmed: a quarter of a second for each MiB. */
#define DIGESTS_BY_CPU_BYTES (64u * 1024)

#define SILENCE_US (60 * (int64_t)1000000)

static const char s_tag[] = "ota_device";

static struct ota_update s_update;

static ota_device_veto s_veto;
static void *s_veto_ctx;

void ota_device_set_veto(ota_device_veto veto, void *ctx)
{
    s_veto = veto;
    s_veto_ctx = ctx;
}

static enum ota_device_code ask_for_veto(void)
{
    const char *reason = s_veto != NULL ? s_veto(s_veto_ctx) : NULL;

    return reason != NULL ? ota_answer_text(OTA_DEVICE_VETO, reason) : ota_answer(OTA_DEVICE_DONE);
}

/* What is on trial may not have its way back erased. */
static enum ota_device_code check_confirmed(bool is_stock)
{
    const esp_err_t err = is_stock ? ota_device_confirm() : ESP_OK;

    return ota_device_on_trial() ? ota_answer_err(OTA_DEVICE_NOT_CONFIRMED, err)
                                 : ota_answer(OTA_DEVICE_DONE);
}

static enum ota_device_code check_image(const struct ota_device_image *image,
                                        const esp_partition_t *slot)
{
    if (image->chip_id_known && image->chip_id != CONFIG_IDF_FIRMWARE_CHIP_ID)
        return ota_answer(OTA_DEVICE_WRONG_CHIP);
    if (image->size > slot->size)
        return ota_answer(OTA_DEVICE_TOO_LARGE);
    if (image->secure_version_known && ota_select_is_too_old(image->secure_version))
        return ota_answer(OTA_DEVICE_OLD_SECURE_VERSION);
    return ota_answer(OTA_DEVICE_DONE);
}

static void open_update(const esp_partition_t *slot, const struct ota_device_image *image)
{
    s_update.slot = slot;
    s_update.heard_us = esp_timer_get_time();
    s_update.limit = slot->size;
    if (image != NULL) {
        s_update.size = image->size;
        s_update.has_sha256 = image->sha256 != NULL;
        if (image->sha256 != NULL)
            memcpy(s_update.sha256, image->sha256, sizeof(s_update.sha256));
    }
    ota_slot_open(slot);
    if (image != NULL) /* a stock host has no digest to compare with */
        ota_slot_hash_along();
    ESP_LOGI(s_tag, "update of %s begins", slot->label);
}

/*
 * What esp_ota_begin() checks, and more. Not taken over: that it also erases the otadata sector of
 * the slot (ESP-IDF 5.5 with rollback) before anything has come.
 */
enum ota_device_code ota_device_begin(const struct ota_device_image *image)
{
    const esp_partition_t *next = esp_ota_get_next_update_partition(NULL);

    ota_device_abort();
    if (ota_restart_is_due())
        return ota_answer(OTA_DEVICE_RESTARTING);
    if (next == NULL || next == esp_ota_get_running_partition())
        return ota_answer(OTA_DEVICE_NO_SLOT);

    enum ota_device_code code = check_confirmed(image == NULL);

    if (code == OTA_DEVICE_DONE && image != NULL)
        code = check_image(image, next);
    if (code == OTA_DEVICE_DONE)
        code = ask_for_veto();
    if (code == OTA_DEVICE_DONE)
        code = ota_select_mend();
    if (code == OTA_DEVICE_DONE)
        open_update(next, image);
    return code;
}

static enum ota_device_code program(const void *data, size_t len, size_t padding)
{
    const enum ota_device_code code = ota_slot_program(s_update.programmed, data, len, padding,
                                                       s_update.limit, ota_answer_fault());

    if (code == OTA_DEVICE_DONE)
        s_update.programmed += (uint32_t)len;
    return code;
}

/* Fills the unit that was begun; programs it once it is full. Moves *data and *len on. */
static enum ota_device_code complete_rest(const uint8_t **data, size_t *len)
{
    const size_t held = s_update.taken - s_update.programmed;
    const size_t missing = held > 0 ? OTA_UPDATE_UNIT_BYTES - held : 0;
    const size_t n = *len < missing ? *len : missing;

    memcpy(s_update.rest + held, *data, n);
    s_update.taken += (uint32_t)n;
    *data += n;
    *len -= n;
    return n > 0 && n == missing ? program(s_update.rest, OTA_UPDATE_UNIT_BYTES, 0)
                                 : OTA_DEVICE_DONE;
}

static enum ota_device_code take(const uint8_t *data, size_t len)
{
    enum ota_device_code code = complete_rest(&data, &len);
    const size_t whole = len - len % OTA_UPDATE_UNIT_BYTES;

    if (code == OTA_DEVICE_DONE && whole > 0)
        code = program(data, whole, 0);
    if (code != OTA_DEVICE_DONE)
        return code;
    memcpy(s_update.rest, data + whole, len - whole);
    s_update.taken += (uint32_t)len;
    return ota_answer(OTA_DEVICE_DONE);
}

const struct ota_update *ota_update_hear(void)
{
    if (s_update.slot == NULL)
        return NULL;
    s_update.heard_us = esp_timer_get_time();
    return &s_update;
}

/* `len` bytes that are wanted next. Any refusal ends the update. */
static enum ota_device_code append(const uint8_t *data, size_t len)
{
    enum ota_device_code code;

    if (len > s_update.slot->size - s_update.taken)
        code = ota_answer(OTA_DEVICE_TOO_LARGE);
    else if (s_update.taken == 0 && data[0] != IMAGE_MAGIC)
        code = ota_answer(OTA_DEVICE_NOT_AN_IMAGE);
    else
        code = take(data, len);

    if (code != OTA_DEVICE_DONE) {
        ESP_LOGE(s_tag, "the update ends at %u", (unsigned)s_update.taken);
        ota_device_abort();
    }
    return code;
}

enum ota_device_code ota_device_append(const void *data, size_t len)
{
    if (ota_update_hear() == NULL)
        return ota_answer(OTA_DEVICE_NO_SESSION);
    if (len == 0)
        return ota_answer(OTA_DEVICE_NOT_UNDERSTOOD);
    s_update.limit = s_update.slot->size;
    return append(data, len);
}

/* The sectors from what is wanted next up to `offset` stay as they are. What was erased ahead is no
 * such sector: the host had said that it follows. */
static bool can_skip_to(uint32_t offset)
{
    return offset > s_update.taken && s_update.taken % OTA_SLOT_SECTOR_BYTES == 0 &&
           offset % OTA_SLOT_SECTOR_BYTES == 0 && offset >= ota_slot_erased();
}

static void set_limit(uint32_t run_end, uint32_t end)
{
    const uint32_t size = s_update.slot->size;
    uint32_t limit = run_end > end ? run_end : end;

    limit = limit < size ? limit : size;
    /* A slot is whole sectors, so that this stays within. */
    s_update.limit = (limit + OTA_SLOT_SECTOR_BYTES - 1) & ~(OTA_SLOT_SECTOR_BYTES - 1);
}

enum ota_device_code ota_device_write(uint32_t offset, uint32_t run_end, const void *data,
                                      size_t len)
{
    const uint64_t end = (uint64_t)offset + len;

    if (ota_update_hear() == NULL)
        return ota_answer(OTA_DEVICE_NO_SESSION);
    if (len == 0)
        return ota_answer(OTA_DEVICE_NOT_UNDERSTOOD);
    if (end <= s_update.taken)
        return ota_answer(OTA_DEVICE_DONE); /* it was taken already */
    if (end > s_update.slot->size) {
        ota_device_abort();
        return ota_answer(OTA_DEVICE_TOO_LARGE);
    }
    if (offset != s_update.taken && !can_skip_to(offset))
        return ota_answer(OTA_DEVICE_WRONG_OFFSET);
    if (offset != s_update.taken) {
        s_update.taken = s_update.programmed = offset;
        ota_slot_skip_to(offset);
    }
    set_limit(run_end, (uint32_t)end);
    return append(data, len);
}

/* What of the request is in the slot and is to be read now; 0: nothing. */
static uint32_t digest_bytes(uint32_t offset, uint32_t block, uint32_t count, uint32_t end)
{
    uint64_t stop = (uint64_t)offset + (uint64_t)block * count;

    if (stop > (uint64_t)offset + DIGESTS_MAX_BYTES)
        stop = (uint64_t)offset + DIGESTS_MAX_BYTES;
    if (stop > end)
        stop = end;
    return stop > offset ? (uint32_t)(stop - offset) : 0;
}

static enum ota_device_code hash_blocks(uint32_t offset, uint32_t left, uint32_t block,
                                        uint8_t *ret, size_t *ret_count)
{
    size_t count = 0;

    while (left > 0) {
        const uint32_t n = left < block ? left : block;
        const enum ota_device_code code =
            ota_slot_hash(offset, n, ret + count * OTA_DEVICE_DIGEST_BYTES, ota_answer_fault());

        if (code != OTA_DEVICE_DONE)
            return code;
        count++;
        offset += n;
        left -= n;
    }
    *ret_count = count;
    return ota_answer(OTA_DEVICE_DONE);
}

enum ota_device_code ota_device_digests(uint32_t offset, uint32_t block, uint32_t count,
                                        uint32_t end, uint8_t *ret, size_t *ret_count)
{
    if (ota_update_hear() == NULL)
        return ota_answer(OTA_DEVICE_NO_SESSION);
    if ((block != OTA_SLOT_SECTOR_BYTES && block != OTA_SLOT_BLOCK_BYTES) || offset % block != 0 ||
        count == 0 || count > OTA_DEVICE_MAX_DIGESTS)
        return ota_answer(OTA_DEVICE_NOT_UNDERSTOOD);
    if (end == 0)
        end = s_update.slot->size;
    if (end > s_update.slot->size)
        return ota_answer(OTA_DEVICE_TOO_LARGE);
    if (offset >= end)
        return ota_answer(OTA_DEVICE_NOT_UNDERSTOOD);

    const uint32_t bytes = digest_bytes(offset, block, count, end);

    if (bytes > DIGESTS_BY_CPU_BYTES)
        ota_slot_free_engine();

    const enum ota_device_code code = hash_blocks(offset, bytes, block, ret, ret_count);

    if (code != OTA_DEVICE_DONE)
        ota_device_abort();
    return code;
}

enum ota_device_code ota_update_flush(void)
{
    const size_t held = s_update.taken - s_update.programmed;

    if (held == 0)
        return ota_answer(OTA_DEVICE_DONE);
    memset(s_update.rest + held, 0xff, OTA_UPDATE_UNIT_BYTES - held);
    return program(s_update.rest, OTA_UPDATE_UNIT_BYTES, OTA_UPDATE_UNIT_BYTES - held);
}

void ota_device_abort(void)
{
    memset(&s_update, 0, sizeof(s_update));
    ota_slot_open(NULL);
}

bool ota_device_is_open(void)
{
    return s_update.slot != NULL;
}

const esp_partition_t *ota_device_slot(void)
{
    return s_update.slot != NULL ? s_update.slot : esp_ota_get_next_update_partition(NULL);
}

uint32_t ota_device_next(void)
{
    return s_update.taken;
}

void ota_device_tick(void)
{
    if (s_update.slot == NULL || esp_timer_get_time() - s_update.heard_us < SILENCE_US)
        return;
    ESP_LOGW(s_tag, "nothing from the host for a minute: the update of %s is dropped",
             s_update.slot->label);
    ota_device_abort();
}
