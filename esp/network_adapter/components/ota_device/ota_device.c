/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_device.h"

#include <string.h>

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "ota_restart.h"
#include "ota_slot.h"
#include "ota_trial.h"
#include "sdkconfig.h"
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
#include "esp_efuse.h"
#endif

/* Flash encryption works on units of this size; plain flash does not mind. */
#define UNIT_BYTES 16u

#define IMAGE_MAGIC 0xe9

#define DIGESTS_MAX_BYTES (1u << 20) /* in one request: what a host waits for, about a second */

#define SILENCE_US (60 * (int64_t)1000000)

/* The specification's: time enough for the reply to arrive and for the host to let go. */
#define RESTART_DELAY_MS 5000

static const char s_tag[] = "ota_device";

static struct {
    const esp_partition_t *slot; /* NULL: no update is open */
    uint32_t taken;              /* image bytes of the host, or left as they were */
    uint32_t programmed;         /* of those, what is in flash: whole units */
    uint32_t limit;              /* of erasing ahead, of the last write */
    uint8_t rest[UNIT_BYTES];    /* what fills no unit yet: taken - programmed bytes */
    uint32_t size;               /* as begin said; 0: not known */
    bool has_sha256;             /* as begin said */
    uint8_t sha256[OTA_DEVICE_DIGEST_BYTES];
    int64_t heard_us;
} s_update;

/* The end that was answered with DONE, to know its repetition. */
static struct {
    bool given;
    uint32_t size;
    bool has_sha256;
    uint8_t sha256[OTA_DEVICE_DIGEST_BYTES];
} s_ended;

static struct ota_device_fault s_fault;

static ota_device_veto s_veto;
static void *s_veto_ctx;

const struct ota_device_fault *ota_device_last_fault(void)
{
    return &s_fault;
}

void ota_device_forget_fault(void)
{
    s_fault = (struct ota_device_fault){0};
}

static enum ota_device_code answer_err(enum ota_device_code code, esp_err_t err)
{
    s_fault = (struct ota_device_fault){.code = code, .esp_err = err};
    if (code != OTA_DEVICE_DONE)
        ESP_LOGW(s_tag, "refused: code %d, %s", (int)code, esp_err_to_name(err));
    return code;
}

static enum ota_device_code answer(enum ota_device_code code)
{
    return answer_err(code, ESP_OK);
}

/* With words of its own, which stay valid. */
static enum ota_device_code answer_text(enum ota_device_code code, const char *text)
{
    s_fault = (struct ota_device_fault){.code = code, .text = text};
    ESP_LOGW(s_tag, "refused: code %d, %s", (int)code, text);
    return code;
}

/* Of what writes the boot selection, which is in the `record` of otadata. */
static enum ota_device_code answer_selection(enum ota_device_code code, esp_err_t err,
                                             uint32_t record)
{
    answer_err(code, err);
    if (code == OTA_DEVICE_SELECT_FAILED)
        s_fault.address = record;
    return code;
}

void ota_device_set_veto(ota_device_veto veto, void *ctx)
{
    s_veto = veto;
    s_veto_ctx = ctx;
}

static enum ota_device_code ask_for_veto(void)
{
    const char *reason = s_veto != NULL ? s_veto(s_veto_ctx) : NULL;

    return reason != NULL ? answer_text(OTA_DEVICE_VETO, reason) : answer(OTA_DEVICE_DONE);
}

/* What is on trial may not have its way back erased. */
static enum ota_device_code check_confirmed(bool is_stock)
{
    const esp_err_t err = is_stock ? ota_device_confirm() : ESP_OK;

    return ota_device_on_trial() ? answer_err(OTA_DEVICE_NOT_CONFIRMED, err)
                                 : answer(OTA_DEVICE_DONE);
}

/*
 * Below eFuse, or below what runs: once selected without a trial, an image has ESP-IDF burn the
 * number of what runs, and would be refused at its start.
 */
static bool is_too_old(uint32_t secure_version)
{
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    return secure_version < esp_efuse_read_secure_version() ||
           secure_version < esp_app_get_description()->secure_version;
#else
    (void)secure_version;
    return false;
#endif
}

static enum ota_device_code check_image(const struct ota_device_image *image,
                                        const esp_partition_t *slot)
{
    if (image->chip_id_known && image->chip_id != CONFIG_IDF_FIRMWARE_CHIP_ID)
        return answer(OTA_DEVICE_WRONG_CHIP);
    if (image->size > slot->size)
        return answer(OTA_DEVICE_TOO_LARGE);
    if (image->secure_version_known && is_too_old(image->secure_version))
        return answer(OTA_DEVICE_OLD_SECURE_VERSION);
    return answer(OTA_DEVICE_DONE);
}

static esp_err_t select_what_runs(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_err_t err;

    if (is_too_old(esp_app_get_description()->secure_version))
        return ESP_ERR_OTA_SMALL_SEC_VER; /* ESP-IDF would erase it, where it runs */
    err = esp_ota_set_boot_partition(running);
    /* A factory image has no record that could be marked. */
    if (err == ESP_OK && running->subtype != ESP_PARTITION_SUBTYPE_APP_FACTORY)
        err = ota_trial_mark_valid(running);
    return err;
}

/* See ota_device_begin() in the header: the boot loader may have fallen back. */
static enum ota_device_code mend_selection(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    const esp_partition_t *boots = esp_ota_get_boot_partition();

    if (boots == NULL || boots == running)
        return answer(OTA_DEVICE_DONE);
    ESP_LOGW(s_tag, "%s did not boot: %s is selected again", boots->label, running->label);

    const uint32_t record = ota_slot_record_to_write();
    const esp_err_t err = select_what_runs();

    /* What runs against eFuse had better be replaced. */
    return answer_selection(err == ESP_OK || err == ESP_ERR_OTA_SMALL_SEC_VER
                                ? OTA_DEVICE_DONE
                                : OTA_DEVICE_SELECT_FAILED,
                            err, record);
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
        return answer(OTA_DEVICE_RESTARTING);
    if (next == NULL || next == esp_ota_get_running_partition())
        return answer(OTA_DEVICE_NO_SLOT);

    enum ota_device_code code = check_confirmed(image == NULL);

    if (code == OTA_DEVICE_DONE && image != NULL)
        code = check_image(image, next);
    if (code == OTA_DEVICE_DONE)
        code = ask_for_veto();
    if (code == OTA_DEVICE_DONE)
        code = mend_selection();
    if (code == OTA_DEVICE_DONE)
        open_update(next, image);
    return code;
}

static enum ota_device_code program(const void *data, size_t len, size_t padding)
{
    const enum ota_device_code code =
        ota_slot_program(s_update.programmed, data, len, padding, s_update.limit, &s_fault);

    if (code == OTA_DEVICE_DONE)
        s_update.programmed += (uint32_t)len;
    return code;
}

/* Fills the unit that was begun; programs it once it is full. Moves *data and *len on. */
static enum ota_device_code complete_rest(const uint8_t **data, size_t *len)
{
    const size_t held = s_update.taken - s_update.programmed;
    const size_t missing = held > 0 ? UNIT_BYTES - held : 0;
    const size_t n = *len < missing ? *len : missing;

    memcpy(s_update.rest + held, *data, n);
    s_update.taken += (uint32_t)n;
    *data += n;
    *len -= n;
    return n > 0 && n == missing ? program(s_update.rest, UNIT_BYTES, 0) : OTA_DEVICE_DONE;
}

static enum ota_device_code take(const uint8_t *data, size_t len)
{
    enum ota_device_code code = complete_rest(&data, &len);
    const size_t whole = len - len % UNIT_BYTES;

    if (code == OTA_DEVICE_DONE && whole > 0)
        code = program(data, whole, 0);
    if (code != OTA_DEVICE_DONE)
        return code;
    memcpy(s_update.rest, data + whole, len - whole);
    s_update.taken += (uint32_t)len;
    return answer(OTA_DEVICE_DONE);
}

/* `len` bytes that are wanted next. Any refusal ends the update. */
static enum ota_device_code append(const uint8_t *data, size_t len)
{
    enum ota_device_code code;

    if (len > s_update.slot->size - s_update.taken)
        code = answer(OTA_DEVICE_TOO_LARGE);
    else if (s_update.taken == 0 && data[0] != IMAGE_MAGIC)
        code = answer(OTA_DEVICE_NOT_AN_IMAGE);
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
    if (s_update.slot == NULL)
        return answer(OTA_DEVICE_NO_SESSION);
    s_update.heard_us = esp_timer_get_time();
    if (len == 0)
        return answer(OTA_DEVICE_NOT_UNDERSTOOD);
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

    if (s_update.slot == NULL)
        return answer(OTA_DEVICE_NO_SESSION);
    s_update.heard_us = esp_timer_get_time();
    if (len == 0)
        return answer(OTA_DEVICE_NOT_UNDERSTOOD);
    if (end <= s_update.taken)
        return answer(OTA_DEVICE_DONE); /* it was taken already */
    if (end > s_update.slot->size) {
        ota_device_abort();
        return answer(OTA_DEVICE_TOO_LARGE);
    }
    if (offset != s_update.taken && !can_skip_to(offset))
        return answer(OTA_DEVICE_WRONG_OFFSET);
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
            ota_slot_hash(offset, n, ret + count * OTA_DEVICE_DIGEST_BYTES, &s_fault);

        if (code != OTA_DEVICE_DONE)
            return code;
        count++;
        offset += n;
        left -= n;
    }
    *ret_count = count;
    return answer(OTA_DEVICE_DONE);
}

enum ota_device_code ota_device_digests(uint32_t offset, uint32_t block, uint32_t count,
                                        uint32_t end, uint8_t *ret, size_t *ret_count)
{
    if (s_update.slot == NULL)
        return answer(OTA_DEVICE_NO_SESSION);
    s_update.heard_us = esp_timer_get_time();
    if ((block != OTA_SLOT_SECTOR_BYTES && block != OTA_SLOT_BLOCK_BYTES) || offset % block != 0 ||
        count == 0 || count > OTA_DEVICE_MAX_DIGESTS)
        return answer(OTA_DEVICE_NOT_UNDERSTOOD);
    if (end == 0)
        end = s_update.slot->size;
    if (end > s_update.slot->size)
        return answer(OTA_DEVICE_TOO_LARGE);
    if (offset >= end)
        return answer(OTA_DEVICE_NOT_UNDERSTOOD);

    const enum ota_device_code code =
        hash_blocks(offset, digest_bytes(offset, block, count, end), block, ret, ret_count);

    if (code != OTA_DEVICE_DONE)
        ota_device_abort();
    return code;
}

/* The last unit, filled up as erased flash would read. */
static enum ota_device_code flush_rest(void)
{
    const size_t held = s_update.taken - s_update.programmed;

    if (held == 0)
        return answer(OTA_DEVICE_DONE);
    memset(s_update.rest + held, 0xff, UNIT_BYTES - held);
    return program(s_update.rest, UNIT_BYTES, UNIT_BYTES - held);
}

static enum ota_device_code check_digest(uint32_t size, const uint8_t *sha256)
{
    uint8_t digest[OTA_DEVICE_DIGEST_BYTES];
    enum ota_device_code code;

    if (sha256 == NULL) {
        ota_slot_stop_hash(); /* ESP-IDF's verification is to have the SHA engine */
        return answer(OTA_DEVICE_DONE);
    }
    code = ota_slot_hash_image(size, digest, &s_fault);
    if (code == OTA_DEVICE_DONE && memcmp(digest, sha256, sizeof(digest)) != 0)
        code = answer(OTA_DEVICE_WRONG_DIGEST);
    return code;
}

static enum ota_device_code code_of_selection(esp_err_t err)
{
    switch (err) {
    case ESP_OK:
        return OTA_DEVICE_DONE;
    case ESP_ERR_OTA_VALIDATE_FAILED:
        return OTA_DEVICE_INVALID_IMAGE;
    case ESP_ERR_OTA_SMALL_SEC_VER:
        return OTA_DEVICE_OLD_SECURE_VERSION;
    default:
        return OTA_DEVICE_SELECT_FAILED;
    }
}

/* Here rather than by ESP-IDF, which would erase the whole slot for it. */
static enum ota_device_code check_secure_version(void)
{
    esp_app_desc_t app;

    if (esp_ota_get_partition_description(s_update.slot, &app) == ESP_OK &&
        is_too_old(app.secure_version))
        return answer_err(OTA_DEVICE_OLD_SECURE_VERSION, ESP_ERR_OTA_SMALL_SEC_VER);
    return answer(OTA_DEVICE_DONE);
}

/* It may have been selected, and then not been marked: what is refused does not boot. */
static void take_back_selection(void)
{
    ota_trial_request(s_update.slot, 0);
    if (esp_ota_get_boot_partition() == s_update.slot && select_what_runs() != ESP_OK)
        ESP_LOGE(s_tag, "%s is selected all the same", s_update.slot->label);
}

/* Bits that do not take are no error to the flash, and a boot loader gives up an image whose state
 * reads as that of one which has failed. UNDEFINED: this application was built without rollback. */
static bool is_selected(const esp_partition_t *slot, bool no_trial)
{
    esp_ota_img_states_t state;

    if (esp_ota_get_boot_partition() != slot || esp_ota_get_state_partition(slot, &state) != ESP_OK)
        return false;
    if (no_trial)
        return state == ESP_OTA_IMG_VALID;
    return state == ESP_OTA_IMG_NEW || state == ESP_OTA_IMG_UNDEFINED;
}

/* The record first, see ota_trial_request(). */
static enum ota_device_code select_slot(const struct ota_device_end *end)
{
    const bool no_trial = end != NULL && end->no_trial;
    const enum ota_device_code code = check_secure_version();

    if (code != OTA_DEVICE_DONE)
        return code;

    const uint32_t record = ota_slot_record_to_write();
    esp_err_t err = ota_restart_prepare();

    if (err != ESP_OK)
        return answer_err(OTA_DEVICE_SELECT_FAILED, err);
    ota_trial_request(s_update.slot, end != NULL && !no_trial ? end->trial_seconds : 0);
    err = esp_ota_set_boot_partition(s_update.slot);
    if (err == ESP_OK && no_trial)
        err = ota_trial_mark_valid(s_update.slot);
    if (err == ESP_OK && !is_selected(s_update.slot, no_trial))
        err = ESP_FAIL;
    if (err != ESP_OK)
        take_back_selection();
    return answer_selection(code_of_selection(err), err, record);
}

static enum ota_device_code check_trial(const struct ota_device_end *end)
{
    if (end == NULL || end->trial_seconds <= OTA_DEVICE_MAX_TRIAL_SECONDS)
        return answer(OTA_DEVICE_DONE);
    return answer_text(OTA_DEVICE_NOT_UNDERSTOOD, "a trial is at most a day, 86400 s");
}

/* How many bytes the image has, or 0: they are not all there, or more than the slot has. */
static enum ota_device_code image_size(const struct ota_device_end *end, uint32_t *ret)
{
    uint32_t size = end != NULL ? end->size : 0;

    if (size == 0)
        size = s_update.size;
    if (size == 0)
        size = s_update.taken;
    if (size > s_update.slot->size)
        return answer(OTA_DEVICE_TOO_LARGE);
    if (size == 0 || (size > s_update.taken && (s_update.taken % OTA_SLOT_SECTOR_BYTES != 0 ||
                                                ota_slot_erased() > s_update.taken)))
        return answer(OTA_DEVICE_TOO_SHORT);
    *ret = size;
    return answer(OTA_DEVICE_DONE);
}

static const uint8_t *digest_of(const struct ota_device_end *end, uint32_t size)
{
    if (end != NULL && end->sha256 != NULL)
        return end->sha256;
    return s_update.has_sha256 && s_update.size == size ? s_update.sha256 : NULL;
}

static void remember_end(const struct ota_device_end *end)
{
    memset(&s_ended, 0, sizeof(s_ended));
    if (end == NULL)
        return;
    s_ended.given = true;
    s_ended.size = end->size;
    s_ended.has_sha256 = end->sha256 != NULL;
    if (end->sha256 != NULL)
        memcpy(s_ended.sha256, end->sha256, sizeof(s_ended.sha256));
}

static bool is_repeated_end(const struct ota_device_end *end)
{
    return end != NULL && s_ended.given && s_ended.size == end->size &&
           s_ended.has_sha256 == (end->sha256 != NULL) &&
           (end->sha256 == NULL ||
            memcmp(s_ended.sha256, end->sha256, sizeof(s_ended.sha256)) == 0);
}

static void restart(void)
{
    esp_restart();
}

/* The image is whole, as far as its size tells. The update is over in every case. */
static enum ota_device_code finish(const struct ota_device_end *end, uint32_t size)
{
    const esp_partition_t *slot = s_update.slot;
    enum ota_device_code code = flush_rest();

    if (code == OTA_DEVICE_DONE)
        code = check_digest(size, digest_of(end, size));
    if (code == OTA_DEVICE_DONE)
        code = select_slot(end);
    ota_device_abort();
    if (code != OTA_DEVICE_DONE) {
        ESP_LOGE(s_tag, "update not accepted: code %d", (int)code);
        return code;
    }
    ESP_LOGI(s_tag, "%s boots next", slot->label);
    remember_end(end);
    ota_restart_after(RESTART_DELAY_MS, restart);
    return code;
}

enum ota_device_code ota_device_end(const struct ota_device_end *end)
{
    uint32_t size = 0;

    if (ota_restart_is_due())
        return answer(is_repeated_end(end) ? OTA_DEVICE_DONE : OTA_DEVICE_RESTARTING);
    if (s_update.slot == NULL)
        return answer(OTA_DEVICE_NO_SESSION);
    s_update.heard_us = esp_timer_get_time();

    enum ota_device_code code = check_trial(end);

    if (code == OTA_DEVICE_DONE)
        code = image_size(end, &size);
    if (code == OTA_DEVICE_DONE)
        return finish(end, size);
    if (end == NULL) /* as with ESP-IDF's own handle: there is no second try */
        ota_device_abort();
    return code;
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

enum ota_device_code ota_device_confirm_version(const char *version)
{
    /* A boot loader that failed to write the record of what it started has left another one. */
    const uint32_t record = ota_trial_runs_what_is_selected() ? ota_slot_record_that_counts()
                                                              : ota_slot_record_to_write();
    esp_err_t err = ESP_OK;
    const enum ota_device_code code =
        ota_device_is_open() ? OTA_DEVICE_IN_PROGRESS : ota_trial_confirm(version, &err);

    return answer_selection(code, err, record);
}

enum ota_device_code ota_device_rollback(void)
{
    esp_err_t err = ESP_OK;
    const enum ota_device_code code =
        ota_device_is_open() ? OTA_DEVICE_IN_PROGRESS : ota_trial_roll_back(&err);

    if (code == OTA_DEVICE_DONE)
        remember_end(NULL);
    return answer_err(code, err);
}
