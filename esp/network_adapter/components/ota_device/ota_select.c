/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_select.h"

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "ota_answer.h"
#include "ota_restart.h"
#include "ota_slot.h"
#include "ota_trial.h"
#include "sdkconfig.h"
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
#include "esp_efuse.h"
#endif

static const char s_tag[] = "ota_device";

bool ota_select_is_too_old(uint32_t secure_version)
{
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    return secure_version < esp_efuse_read_secure_version() ||
           secure_version < esp_app_get_description()->secure_version;
#else
    (void)secure_version;
    return false;
#endif
}

static esp_err_t select_running(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_err_t err;

    if (ota_select_is_too_old(esp_app_get_description()->secure_version))
        return ESP_ERR_OTA_SMALL_SEC_VER; /* ESP-IDF would erase it, where it runs */
    err = esp_ota_set_boot_partition(running);
    /* A factory image has no record that could be marked. */
    if (err == ESP_OK && running->subtype != ESP_PARTITION_SUBTYPE_APP_FACTORY)
        err = ota_trial_mark_valid(running);
    return err;
}

enum ota_device_code ota_select_mend(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    const esp_partition_t *boots = esp_ota_get_boot_partition();

    if (boots == NULL || boots == running)
        return ota_answer(OTA_DEVICE_DONE);
    ESP_LOGW(s_tag, "%s did not boot: %s is selected again", boots->label, running->label);

    const uint32_t record = ota_slot_record_to_write();
    const esp_err_t err = select_running();

    /* What runs against eFuse had better be replaced. */
    return ota_answer_selection(err == ESP_OK || err == ESP_ERR_OTA_SMALL_SEC_VER
                                    ? OTA_DEVICE_DONE
                                    : OTA_DEVICE_SELECT_FAILED,
                                err, record);
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
static enum ota_device_code check_secure_version(const esp_partition_t *slot)
{
    esp_app_desc_t app;

    if (esp_ota_get_partition_description(slot, &app) == ESP_OK &&
        ota_select_is_too_old(app.secure_version))
        return ota_answer_err(OTA_DEVICE_OLD_SECURE_VERSION, ESP_ERR_OTA_SMALL_SEC_VER);
    return ota_answer(OTA_DEVICE_DONE);
}

/* It may have been selected, and then not been marked: what is refused does not boot. */
static void take_back(const esp_partition_t *slot)
{
    ota_trial_request(slot, 0);
    if (esp_ota_get_boot_partition() == slot && select_running() != ESP_OK)
        ESP_LOGE(s_tag, "%s is selected all the same", slot->label);
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
enum ota_device_code ota_select_slot(const esp_partition_t *slot, const struct ota_device_end *end)
{
    const bool no_trial = end != NULL && end->no_trial;
    const enum ota_device_code code = check_secure_version(slot);

    if (code != OTA_DEVICE_DONE)
        return code;

    const uint32_t record = ota_slot_record_to_write();
    esp_err_t err = ota_restart_prepare();

    if (err != ESP_OK)
        return ota_answer_err(OTA_DEVICE_SELECT_FAILED, err);
    ota_trial_request(slot, end != NULL && !no_trial ? end->trial_seconds : 0);
    err = esp_ota_set_boot_partition(slot);
    if (err == ESP_OK && no_trial)
        err = ota_trial_mark_valid(slot);
    if (err == ESP_OK && !is_selected(slot, no_trial))
        err = ESP_FAIL;
    if (err != ESP_OK)
        take_back(slot);
    return ota_answer_selection(code_of_selection(err), err, record);
}
