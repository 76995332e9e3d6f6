/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <string.h>

#include "esp_app_desc.h"
#include "esp_ota_ops.h"
#include "ota_device.h"
#include "ota_extension.h"
#include "sdkconfig.h"

void identity_read(struct control_identity *ret)
{
    const esp_partition_t *slot = ota_device_slot();
    const esp_app_desc_t *app = esp_app_get_description();

    *ret = (struct control_identity){
        .chip_id = CONFIG_IDF_FIRMWARE_CHIP_ID,
        .slot_size = slot != NULL ? slot->size : 0,
        .running_slot = esp_ota_get_running_partition()->label,
        .project = app->project_name,
        .version = app->version,
        .on_trial = ota_device_on_trial(),
        .features = ota_extension_features(),
        .window = ota_extension_window(),
    };
    ret->can_roll_back_known = ota_device_can_roll_back(&ret->can_roll_back);
}

void identity_release(struct release *ret)
{
    const esp_app_desc_t *app = esp_app_get_description();
    char version[sizeof(app->version) + 1] = "";

    memcpy(version, app->version, sizeof(app->version)); /* which may have no NUL */
    if (!release_parse(version, ret))
        *ret = (struct release){.name = "FG"};
}
