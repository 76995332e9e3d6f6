/* SPDX-License-Identifier: Apache-2.0 */
/* How an update ends, and what may follow on its end. */
#include <string.h>

#include "esp_log.h"
#include "esp_system.h"
#include "ota_answer.h"
#include "ota_device.h"
#include "ota_restart.h"
#include "ota_select.h"
#include "ota_slot.h"
#include "ota_trial.h"
#include "ota_update.h"

/* The specification's: time enough for the reply to arrive and for the host to let go. */
#define RESTART_DELAY_MS 5000

static const char s_tag[] = "ota_device";

/* The end that was answered with DONE, to know its repetition. */
static struct {
    bool given;
    uint32_t size;
    bool has_sha256;
    uint8_t sha256[OTA_DEVICE_DIGEST_BYTES];
} s_ended;

static enum ota_device_code check_digest(uint32_t size, const uint8_t *sha256)
{
    uint8_t digest[OTA_DEVICE_DIGEST_BYTES];
    enum ota_device_code code;

    if (sha256 == NULL) {
        ota_slot_stop_hash(); /* ESP-IDF's verification is to have the SHA engine */
        return ota_answer(OTA_DEVICE_DONE);
    }
    code = ota_slot_hash_image(size, digest, ota_answer_fault());
    if (code == OTA_DEVICE_DONE && memcmp(digest, sha256, sizeof(digest)) != 0)
        code = ota_answer(OTA_DEVICE_WRONG_DIGEST);
    return code;
}

static enum ota_device_code check_trial(const struct ota_device_end *end)
{
    if (end == NULL || end->trial_seconds <= OTA_DEVICE_MAX_TRIAL_SECONDS)
        return ota_answer(OTA_DEVICE_DONE);
    return ota_answer_text(OTA_DEVICE_NOT_UNDERSTOOD, "a trial is at most a day, 86400 s");
}

/* How many bytes the image has, or 0: they are not all there, or more than the slot has. */
static enum ota_device_code image_size(const struct ota_update *update,
                                       const struct ota_device_end *end, uint32_t *ret)
{
    uint32_t size = end != NULL ? end->size : 0;

    if (size == 0)
        size = update->size;
    if (size == 0)
        size = update->taken;
    if (size > update->slot->size)
        return ota_answer(OTA_DEVICE_TOO_LARGE);
    if (size == 0 || (size > update->taken && (update->taken % OTA_SLOT_SECTOR_BYTES != 0 ||
                                               ota_slot_erased() > update->taken)))
        return ota_answer(OTA_DEVICE_TOO_SHORT);
    *ret = size;
    return ota_answer(OTA_DEVICE_DONE);
}

static const uint8_t *digest_of(const struct ota_update *update, const struct ota_device_end *end,
                                uint32_t size)
{
    if (end != NULL && end->sha256 != NULL)
        return end->sha256;
    return update->has_sha256 && update->size == size ? update->sha256 : NULL;
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
static enum ota_device_code finish(const struct ota_update *update,
                                   const struct ota_device_end *end, uint32_t size)
{
    const esp_partition_t *slot = update->slot;
    enum ota_device_code code = ota_update_flush();

    if (code == OTA_DEVICE_DONE)
        code = check_digest(size, digest_of(update, end, size));
    if (code == OTA_DEVICE_DONE)
        code = ota_select_slot(slot, end);
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
    const struct ota_update *update;
    uint32_t size = 0;

    if (ota_restart_is_due())
        return ota_answer(is_repeated_end(end) ? OTA_DEVICE_DONE : OTA_DEVICE_RESTARTING);
    update = ota_update_hear();
    if (update == NULL)
        return ota_answer(OTA_DEVICE_NO_SESSION);

    enum ota_device_code code = check_trial(end);

    if (code == OTA_DEVICE_DONE)
        code = image_size(update, end, &size);
    if (code == OTA_DEVICE_DONE)
        return finish(update, end, size);
    if (end == NULL) /* as with ESP-IDF's own handle: there is no second try */
        ota_device_abort();
    return code;
}

enum ota_device_code ota_device_confirm_version(const char *version)
{
    /* A boot loader that failed to write the record of what it started has left another one. */
    const uint32_t record = ota_trial_runs_what_is_selected() ? ota_slot_record_that_counts()
                                                              : ota_slot_record_to_write();
    esp_err_t err = ESP_OK;
    const enum ota_device_code code =
        ota_device_is_open() ? OTA_DEVICE_IN_PROGRESS : ota_trial_confirm(version, &err);

    return ota_answer_selection(code, err, record);
}

enum ota_device_code ota_device_rollback(void)
{
    esp_err_t err = ESP_OK;
    const enum ota_device_code code =
        ota_device_is_open() ? OTA_DEVICE_IN_PROGRESS : ota_trial_roll_back(&err);

    if (code == OTA_DEVICE_DONE)
        remember_end(NULL);
    return ota_answer_err(code, err);
}
