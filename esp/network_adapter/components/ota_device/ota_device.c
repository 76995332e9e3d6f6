/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_device.h"

#include <string.h>

#include "esp_log.h"
#include "esp_ota_ops.h"

#define SECTOR_BYTES 4096u
#define BLOCK_BYTES  65536u /* the flash erases this in about four sectors' time */

/* Flash encryption works on units of this size; plain flash does not mind. */
#define UNIT_BYTES 16u

#define IMAGE_MAGIC 0xe9

static const char s_tag[] = "ota_device";

static struct {
    const esp_partition_t *slot; /* NULL: no update is open */
    size_t taken;                /* image bytes of the host */
    size_t programmed;           /* of those, what is in flash: a multiple of UNIT_BYTES */
    size_t erased;               /* bytes from the start of the slot that are ready to program */
    uint8_t rest[UNIT_BYTES];    /* what does not fill a unit yet: taken - programmed bytes */
} s_update;

static ota_device_veto s_veto;
static void *s_veto_ctx;
static const char *s_veto_reason;

void ota_device_set_veto(ota_device_veto veto, void *ctx)
{
    s_veto = veto;
    s_veto_ctx = ctx;
}

const char *ota_device_veto_reason(void)
{
    return s_veto_reason;
}

static bool running_is_on_probation(const esp_partition_t *running)
{
    esp_ota_img_states_t state;

    return esp_ota_get_state_partition(running, &state) == ESP_OK &&
           state == ESP_OTA_IMG_PENDING_VERIFY;
}

/*
 * What esp_ota_begin() checks. Not taken over: that it also erases the otadata sector of the slot
 * (ESP-IDF 5.5 with rollback). Until the new image is selected that entry is the record of what the
 * slot held; a boot loader that reads it meets a damaged image and falls back, as it does after a
 * power cut anyway.
 */
esp_err_t ota_device_begin(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    const esp_partition_t *next = esp_ota_get_next_update_partition(NULL);

    ota_device_abort();
    s_veto_reason = NULL;
    if (next == NULL)
        return ESP_ERR_NOT_FOUND;
    if (next == running)
        return ESP_ERR_OTA_PARTITION_CONFLICT;
    if (running_is_on_probation(running))
        return ESP_ERR_OTA_ROLLBACK_INVALID_STATE;
    if (s_veto != NULL)
        s_veto_reason = s_veto(s_veto_ctx);
    if (s_veto_reason != NULL) {
        ESP_LOGW(s_tag, "update refused: %s", s_veto_reason);
        return ESP_ERR_NOT_ALLOWED;
    }

    s_update.slot = next;
    ESP_LOGI(s_tag, "update of %s begins", next->label);
    return ESP_OK;
}

/* A whole block where one begins here and lies in the slot, else a sector. */
static size_t erase_step(void)
{
    const size_t at = s_update.slot->address + s_update.erased;
    const size_t left = s_update.slot->size - s_update.erased;

    return at % BLOCK_BYTES == 0 && left >= BLOCK_BYTES ? BLOCK_BYTES : SECTOR_BYTES;
}

static esp_err_t erase_up_to(size_t end)
{
    while (s_update.erased < end) {
        const size_t step = erase_step();
        const esp_err_t err = esp_partition_erase_range(s_update.slot, s_update.erased, step);

        if (err != ESP_OK)
            return err;
        s_update.erased += step;
    }
    return ESP_OK;
}

static esp_err_t program(const void *data, size_t len)
{
    esp_err_t err = erase_up_to(s_update.programmed + len);

    if (err == ESP_OK)
        err = esp_partition_write(s_update.slot, s_update.programmed, data, len);
    if (err == ESP_OK)
        s_update.programmed += len;
    return err;
}

/* Fills the unit that was begun; programs it once it is full. Moves *data and *len on. */
static esp_err_t complete_rest(const uint8_t **data, size_t *len)
{
    const size_t held = s_update.taken - s_update.programmed;
    const size_t missing = held > 0 ? UNIT_BYTES - held : 0;
    const size_t n = *len < missing ? *len : missing;

    memcpy(s_update.rest + held, *data, n);
    s_update.taken += n;
    *data += n;
    *len -= n;
    return n > 0 && n == missing ? program(s_update.rest, UNIT_BYTES) : ESP_OK;
}

static esp_err_t append(const uint8_t *data, size_t len)
{
    esp_err_t err = complete_rest(&data, &len);
    const size_t whole = len - len % UNIT_BYTES;

    if (err == ESP_OK && whole > 0)
        err = program(data, whole);
    if (err != ESP_OK)
        return err;
    memcpy(s_update.rest, data + whole, len - whole);
    s_update.taken += len;
    return ESP_OK;
}

esp_err_t ota_device_write(const void *data, size_t len)
{
    esp_err_t err = ESP_OK;

    if (s_update.slot == NULL)
        return ESP_ERR_INVALID_STATE;
    if (len == 0)
        return ESP_OK;
    if (len > s_update.slot->size - s_update.taken)
        err = ESP_ERR_INVALID_SIZE;
    else if (s_update.taken == 0 && *(const uint8_t *)data != IMAGE_MAGIC)
        err = ESP_ERR_OTA_VALIDATE_FAILED;
    else
        err = append(data, len);

    if (err != ESP_OK) {
        ESP_LOGE(s_tag, "write at %u failed: %s", (unsigned)s_update.taken, esp_err_to_name(err));
        ota_device_abort();
    }
    return err;
}

/* The last unit, filled up as erased flash would read. */
static esp_err_t flush_rest(void)
{
    const size_t held = s_update.taken - s_update.programmed;

    if (held == 0)
        return ESP_OK;
    memset(s_update.rest + held, 0xff, UNIT_BYTES - held);
    return program(s_update.rest, UNIT_BYTES);
}

esp_err_t ota_device_end(void)
{
    const esp_partition_t *slot = s_update.slot;
    esp_err_t err = ESP_ERR_INVALID_STATE;

    if (slot != NULL && s_update.taken > 0)
        err = flush_rest();
    if (slot != NULL && err == ESP_OK)
        err = esp_ota_set_boot_partition(slot);
    if (err != ESP_OK)
        ESP_LOGE(s_tag, "update not accepted: %s", esp_err_to_name(err));
    else
        ESP_LOGI(s_tag, "%s boots next", slot->label);
    ota_device_abort();
    return err;
}

void ota_device_abort(void)
{
    memset(&s_update, 0, sizeof(s_update));
}

const esp_partition_t *ota_device_slot(void)
{
    return s_update.slot != NULL ? s_update.slot : esp_ota_get_next_update_partition(NULL);
}

size_t ota_device_written(void)
{
    return s_update.taken;
}

esp_err_t ota_device_confirm(void)
{
    if (!running_is_on_probation(esp_ota_get_running_partition()))
        return ESP_OK;

    const esp_err_t err = esp_ota_mark_app_valid_cancel_rollback();

    if (err == ESP_OK)
        ESP_LOGI(s_tag, "the running image is confirmed");
    return err;
}
