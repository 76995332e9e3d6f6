/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_err.h"

#include <stdio.h>
#include <stdlib.h>

#include "esp_image_format.h"
#include "esp_ota_ops.h"

#define NAME(code) {code, #code}

static const struct {
    esp_err_t code;
    const char *name;
} names[] = {
    NAME(ESP_OK),
    NAME(ESP_FAIL),
    NAME(ESP_ERR_NO_MEM),
    NAME(ESP_ERR_INVALID_ARG),
    NAME(ESP_ERR_INVALID_STATE),
    NAME(ESP_ERR_INVALID_SIZE),
    NAME(ESP_ERR_NOT_FOUND),
    NAME(ESP_ERR_NOT_SUPPORTED),
    NAME(ESP_ERR_TIMEOUT),
    NAME(ESP_ERR_NOT_ALLOWED),
    NAME(ESP_ERR_FLASH_OP_FAIL),
    NAME(ESP_ERR_IMAGE_FLASH_FAIL),
    NAME(ESP_ERR_IMAGE_INVALID),
    NAME(ESP_ERR_OTA_PARTITION_CONFLICT),
    NAME(ESP_ERR_OTA_SELECT_INFO_INVALID),
    NAME(ESP_ERR_OTA_VALIDATE_FAILED),
    NAME(ESP_ERR_OTA_SMALL_SEC_VER),
    NAME(ESP_ERR_OTA_ROLLBACK_FAILED),
    NAME(ESP_ERR_OTA_ROLLBACK_INVALID_STATE),
    NAME(ESP_ERR_OTA_ALREADY_IN_PROGRESS),
};

const char *esp_err_to_name(esp_err_t code)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].code == code)
            return names[i].name;
    }
    return "UNKNOWN ERROR";
}

void sim_error_check(esp_err_t code, const char *file, int line)
{
    if (code == ESP_OK)
        return;
    fprintf(stderr, "%s:%d: ESP_ERROR_CHECK: %s\n", file, line, esp_err_to_name(code));
    abort();
}
