/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <string.h>

#include "esp_app_desc.h"
#include "esp_ota_ops.h"
#include "ota_device.h"
#include "sdkconfig.h"

/* Tells a host that has only the file what this firmware understands: it looks for these bytes. */
static const char s_extension_marker[] = "esp-hosted-ota-ext-1";

static bool s_can_roll_back_known;
static bool s_can_roll_back;

/*
 * The boot loader in the field may be older than this firmware. One that knows rollback has turned
 * NEW into PENDING_VERIFY before the first boot; one that does not leaves NEW as it is.
 */
void identity_init(void)
{
    esp_ota_img_states_t state;

    /* Nobody reads the marker here, and the linker drops what nobody refers to (--gc-sections,
     * which heeds no attribute "used"): so this refers to it. */
    __asm__ volatile("" : : "r"(s_extension_marker));

    if (esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) != ESP_OK)
        return;
    s_can_roll_back_known = state == ESP_OTA_IMG_NEW || state == ESP_OTA_IMG_PENDING_VERIFY;
    s_can_roll_back = state == ESP_OTA_IMG_PENDING_VERIFY;
}

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
        .can_roll_back_known = s_can_roll_back_known,
        .can_roll_back = s_can_roll_back,
        .features = 0, /* the bits of the extension come with its parts */
    };
}

void identity_release(struct release *ret)
{
    const esp_app_desc_t *app = esp_app_get_description();
    char version[sizeof(app->version) + 1] = "";

    memcpy(version, app->version, sizeof(app->version)); /* which may have no NUL */
    if (!release_parse(version, ret))
        *ret = (struct release){.name = "FG"};
}
