/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_app_desc.h"

#include "chip.h"
#include "esp_ota_ops.h"
#include "sdkconfig.h"

uint16_t sim_firmware_chip_id(void)
{
    return the_chip.model->id;
}

const esp_app_desc_t *esp_app_get_description(void)
{
    static esp_app_desc_t s_description;

    if (s_description.magic_word != ESP_APP_DESC_MAGIC_WORD &&
        esp_ota_get_partition_description(esp_ota_get_running_partition(), &s_description) !=
            ESP_OK)
        s_description = (esp_app_desc_t){0};
    return &s_description;
}
