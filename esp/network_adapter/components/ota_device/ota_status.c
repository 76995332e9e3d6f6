/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "esp_ota_ops.h"
#include "ota_device.h"

static enum ota_device_state state_of(const esp_partition_t *slot)
{
    esp_ota_img_states_t state;

    if (esp_ota_get_state_partition(slot, &state) != ESP_OK)
        return OTA_DEVICE_STATE_NONE;
    switch (state) {
    case ESP_OTA_IMG_NEW:
        return OTA_DEVICE_STATE_NEW;
    case ESP_OTA_IMG_PENDING_VERIFY:
        return OTA_DEVICE_STATE_PENDING;
    case ESP_OTA_IMG_VALID:
        return OTA_DEVICE_STATE_VALID;
    case ESP_OTA_IMG_INVALID:
        return OTA_DEVICE_STATE_INVALID;
    case ESP_OTA_IMG_ABORTED:
        return OTA_DEVICE_STATE_ABORTED;
    default:
        return OTA_DEVICE_STATE_UNDEFINED;
    }
}

/* In the order of the slots' numbers, whatever the table's is. */
static const esp_partition_t *find_slot(unsigned n)
{
    const esp_partition_t *slot =
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY, NULL);

    if (slot != NULL && n == 0)
        return slot;
    n -= slot != NULL ? 1 : 0;
    for (unsigned i = 0; i < 16; i++) {
        slot = esp_partition_find_first(
            ESP_PARTITION_TYPE_APP,
            (esp_partition_subtype_t)(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + i), NULL);
        if (slot != NULL && n == 0)
            return slot;
        n -= slot != NULL ? 1 : 0;
    }
    return NULL;
}

bool ota_device_slot_status(unsigned n, struct ota_device_slot_status *ret)
{
    const esp_partition_t *slot = find_slot(n);
    const esp_partition_t *running = esp_ota_get_running_partition();

    if (slot == NULL)
        return false;
    memset(ret, 0, sizeof(*ret));
    ret->partition = slot;
    ret->running = slot == running;
    ret->boots_next = slot == esp_ota_get_boot_partition();
    ret->update_next = slot != running && slot == ota_device_slot();
    ret->state = state_of(slot);
    ret->has_image = esp_ota_get_partition_description(slot, &ret->app) == ESP_OK;
    return true;
}
