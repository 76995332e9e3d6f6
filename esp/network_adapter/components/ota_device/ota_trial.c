/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_trial.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_attr.h"
#include "esp_idf_version.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_rom_crc.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "ota_device.h"
#include "ota_restart.h"

#define RECORD_MAGIC      0x314c5254u /* "TRL1" */
#define SECOND_US         ((int64_t)1000000)
#define ROLLBACK_DELAY_MS 1000 /* for the reply to arrive */

static const char s_tag[] = "ota_trial";

/* Words only, as RTC memory is. */
struct record {
    uint32_t magic;
    uint32_t slot_address;
    uint32_t seconds;
    uint32_t started; /* the trial has begun: any reset from now on is its end */
    uint32_t crc;     /* of all before it: after a loss of power the memory holds anything */
};

/* volatile: whoever was here before the reset has written it, and whoever comes after the next one
 * reads it, of which a compiler knows nothing. */
static RTC_NOINIT_ATTR volatile struct record s_record;

static bool s_started;
static volatile bool s_timed; /* the timer has a task of its own */
static int64_t s_end_us;
static esp_timer_handle_t s_timer;
static bool s_can_roll_back_known;
static bool s_can_roll_back;

/*
 * Confirmed, or gone back: the timer's task and the caller's must not both. No atomic_flag: where
 * the CPU has no atomic instructions (S2, C3) GCC makes two plain ones of its test-and-set; for an
 * exchange of a word it calls ESP-IDF.
 */
static atomic_uint s_decided;

static uint32_t record_crc(const struct record *record)
{
    return esp_rom_crc32_le(0, (const uint8_t *)record, offsetof(struct record, crc));
}

/* False: there is none, or not all of it. */
static bool load_record(struct record *ret)
{
    *ret = s_record;
    return ret->magic == RECORD_MAGIC && ret->crc == record_crc(ret);
}

static void store_record(struct record record)
{
    record.crc = record_crc(&record);
    s_record = record;
}

static void drop_record(void)
{
    s_record = (struct record){0};
}

void ota_trial_request(const esp_partition_t *slot, uint32_t seconds)
{
    drop_record();
    if (seconds == 0)
        return;
    store_record(
        (struct record){.magic = RECORD_MAGIC, .slot_address = slot->address, .seconds = seconds});
}

/* false: no record, as of a factory image. */
static bool running_state(esp_ota_img_states_t *ret)
{
    return esp_ota_get_state_partition(esp_ota_get_running_partition(), ret) == ESP_OK;
}

static bool is_unproved(esp_ota_img_states_t state)
{
    return state == ESP_OTA_IMG_NEW || state == ESP_OTA_IMG_PENDING_VERIFY;
}

bool ota_trial_runs_what_is_selected(void)
{
    return esp_ota_get_boot_partition() == esp_ota_get_running_partition();
}

/* What was selected in its place, because its own record was marked or is broken, boots next. */
static bool is_another_selected(void)
{
    const esp_partition_t *boots = esp_ota_get_boot_partition();

    return boots != NULL && boots != esp_ota_get_running_partition();
}

static esp_err_t mark_invalid(void)
{
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 5, 0)
    return esp_ota_mark_app_invalid_rollback();
#else
    esp_register_shutdown_handler(drop_record);

    const esp_err_t err = esp_ota_mark_app_invalid_rollback_and_reboot();

    esp_unregister_shutdown_handler(drop_record); /* still here: a later restart is another one */
    return err;
#endif
}

/*
 * Comes back only when there is nothing to go back to. The record must not stay: the old image may
 * be one that does not know it, and what that puts into this slot would go back at its first start.
 * A record of otadata that was erased and could not be written again leaves the old one selected.
 */
static esp_err_t go_back(void)
{
    const esp_err_t err = is_another_selected() ? ESP_OK : mark_invalid();

    if (is_another_selected()) {
        drop_record();
        esp_restart();
    }
    ESP_LOGE(s_tag, "no way back, so this image runs on: %s", esp_err_to_name(err));
    return err;
}

static void on_time_up(void *arg)
{
    (void)arg;
    if (atomic_exchange(&s_decided, 1) != 0) {
        esp_timer_start_once(s_timer, SECOND_US); /* a confirmation is on its way, and may fail */
        return;
    }
    if (s_timed) { /* else it was confirmed while this call was on its way */
        ESP_LOGW(s_tag, "not confirmed in time: back to the old image");
        go_back();
        s_timed = false;
        drop_record();
    }
    atomic_store(&s_decided, 0);
}

static void start_trial(struct record record)
{
    const esp_timer_create_args_t args = {.callback = on_time_up, .name = "ota_trial"};
    const int64_t length_us = record.seconds * SECOND_US;

    record.started = 1;
    store_record(record);
    s_timed = true;
    s_end_us = esp_timer_get_time() + length_us;

    esp_err_t err = esp_timer_create(&args, &s_timer);

    if (err == ESP_OK)
        err = esp_timer_start_once(s_timer, (uint64_t)length_us);
    if (err != ESP_OK) /* a reset ends the trial all the same, and the host can confirm */
        ESP_LOGE(s_tag, "no timer for the trial: %s", esp_err_to_name(err));
    ESP_LOGI(s_tag, "on trial for %u s", (unsigned)record.seconds);
}

/*
 * The boot loader in the field may be older than this firmware. One that knows rollback has turned
 * NEW into PENDING_VERIFY before the first boot; one that does not leaves NEW as it is.
 */
static void learn_of_boot_loader(esp_ota_img_states_t state)
{
    s_can_roll_back_known = is_unproved(state);
    s_can_roll_back = state == ESP_OTA_IMG_PENDING_VERIFY;
}

void ota_device_start(void)
{
    esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
    struct record record;

    if (s_started)
        return;
    s_started = true;

    /* UNDEFINED: this application was built without rollback, and goes back all the same. */
    const bool unproved =
        running_state(&state) && (is_unproved(state) || state == ESP_OTA_IMG_UNDEFINED);

    learn_of_boot_loader(state);
    if (!load_record(&record) || !unproved ||
        record.slot_address != esp_ota_get_running_partition()->address) {
        drop_record();
    } else if (record.started == 0) {
        start_trial(record);
    } else {
        ESP_LOGW(s_tag, "reset before it was confirmed: back to the old image");
        go_back();
        drop_record();
    }
}

bool ota_trial_is_timed(void)
{
    return s_timed;
}

bool ota_device_on_trial(void)
{
    esp_ota_img_states_t state;

    return s_timed || (running_state(&state) && state == ESP_OTA_IMG_PENDING_VERIFY);
}

int32_t ota_device_trial_left(void)
{
    if (!s_timed)
        return -1;

    const int64_t left = (s_end_us - esp_timer_get_time() + SECOND_US - 1) / SECOND_US;

    if (left > INT32_MAX)
        return INT32_MAX;
    return left > 0 ? (int32_t)left : 0;
}

bool ota_device_can_roll_back(bool *ret)
{
    if (s_can_roll_back_known)
        *ret = s_can_roll_back;
    return s_can_roll_back_known;
}

esp_err_t ota_trial_mark_valid(const esp_partition_t *selected)
{
    const esp_err_t err = esp_ota_mark_app_valid_cancel_rollback();
    esp_ota_img_states_t state;

    if (esp_ota_get_state_partition(selected, &state) != ESP_OK || state != ESP_OTA_IMG_VALID)
        return err != ESP_OK ? err : ESP_FAIL;
    if (err != ESP_OK)
        ESP_LOGW(s_tag, "the secure version was not burnt: %s", esp_err_to_name(err));
    return ESP_OK;
}

static esp_err_t mark_valid(void)
{
    const esp_err_t err = ota_trial_runs_what_is_selected()
                              ? ota_trial_mark_valid(esp_ota_get_running_partition())
                              : ESP_ERR_INVALID_STATE;

    if (err == ESP_OK)
        ESP_LOGI(s_tag, "the running image is confirmed");
    else
        ESP_LOGE(s_tag, "the running image is not confirmed: %s", esp_err_to_name(err));
    return err;
}

esp_err_t ota_device_confirm(void)
{
    esp_ota_img_states_t state;

    if (s_timed || !running_state(&state) || state != ESP_OTA_IMG_PENDING_VERIFY ||
        ota_restart_is_due())
        return ESP_OK;
    return mark_valid();
}

static bool is_running_version(const char *version)
{
    const char *running = esp_app_get_description()->version;
    const size_t room = sizeof(esp_app_get_description()->version);

    return version != NULL && strlen(version) <= room && strncmp(running, version, room) == 0;
}

/* The record goes last: power or a reset before that finds an image that is valid, and drops it. */
static enum ota_device_code confirm_now(esp_err_t *ret_err)
{
    esp_ota_img_states_t state;

    *ret_err = ESP_OK;
    if (atomic_exchange(&s_decided, 1) != 0)
        return OTA_DEVICE_RESTARTING; /* its time was up just now */
    /* What is not selected would not come back after a reset: mark_valid() refuses. */
    if (!ota_trial_runs_what_is_selected() || (running_state(&state) && is_unproved(state)))
        *ret_err = mark_valid();
    if (*ret_err == ESP_OK) {
        if (s_timer != NULL)
            esp_timer_stop(s_timer);
        s_timed = false;
        drop_record();
    }
    atomic_store(&s_decided, 0);
    return *ret_err == ESP_OK ? OTA_DEVICE_DONE : OTA_DEVICE_SELECT_FAILED;
}

enum ota_device_code ota_trial_confirm(const char *version, esp_err_t *ret_err)
{
    *ret_err = ESP_OK;
    if (ota_restart_is_due())
        return OTA_DEVICE_RESTARTING;
    if (!is_running_version(version))
        return OTA_DEVICE_WRONG_VERSION;
    return confirm_now(ret_err);
}

static void roll_back(void)
{
    go_back();
}

enum ota_device_code ota_trial_roll_back(esp_err_t *ret_err)
{
    *ret_err = ESP_OK;
    if (ota_restart_is_due())
        return OTA_DEVICE_RESTARTING;
    if (!ota_trial_runs_what_is_selected() || !esp_ota_check_rollback_is_possible())
        return OTA_DEVICE_NO_ROLLBACK;
    *ret_err = ota_restart_prepare();
    if (*ret_err != ESP_OK)
        return OTA_DEVICE_SELECT_FAILED;
    ota_restart_after(ROLLBACK_DELAY_MS, roll_back);
    return OTA_DEVICE_DONE;
}
