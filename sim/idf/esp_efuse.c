/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_efuse.h"

#include "chip.h"

#define SECURE_VERSION_BITS 16 /* CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD, most chips' */

uint32_t esp_efuse_read_secure_version(void)
{
    return the_chip.secure_version;
}

bool esp_efuse_check_secure_version(uint32_t secure_version)
{
    return secure_version >= the_chip.secure_version;
}

esp_err_t esp_efuse_update_secure_version(uint32_t secure_version)
{
    if (secure_version > SECURE_VERSION_BITS)
        return ESP_ERR_INVALID_ARG;
    if (secure_version > the_chip.secure_version)
        the_chip.secure_version = secure_version;
    return ESP_OK;
}
