/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_efuse.h"

#include <errno.h>

#include "chip.h"

uint32_t esp_efuse_read_secure_version(void)
{
    return chip_secure_version(&the_chip);
}

bool esp_efuse_check_secure_version(uint32_t secure_version)
{
    return secure_version >= chip_secure_version(&the_chip);
}

esp_err_t esp_efuse_update_secure_version(uint32_t secure_version)
{
    switch (chip_burn_secure_version(&the_chip, secure_version)) {
    case 0:
        return ESP_OK;
    case -EINVAL:
        return ESP_ERR_INVALID_ARG;
    default:
        return ESP_FAIL;
    }
}
