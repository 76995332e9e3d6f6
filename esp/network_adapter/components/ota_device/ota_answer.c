/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_answer.h"

#include "esp_log.h"

static const char s_tag[] = "ota_device";

static struct ota_device_fault s_fault;

const struct ota_device_fault *ota_device_last_fault(void)
{
    return &s_fault;
}

void ota_device_forget_fault(void)
{
    s_fault = (struct ota_device_fault){0};
}

struct ota_device_fault *ota_answer_fault(void)
{
    return &s_fault;
}

enum ota_device_code ota_answer_err(enum ota_device_code code, esp_err_t err)
{
    s_fault = (struct ota_device_fault){.code = code, .esp_err = err};
    if (code != OTA_DEVICE_DONE)
        ESP_LOGW(s_tag, "refused: code %d, %s", (int)code, esp_err_to_name(err));
    return code;
}

enum ota_device_code ota_answer(enum ota_device_code code)
{
    return ota_answer_err(code, ESP_OK);
}

enum ota_device_code ota_answer_text(enum ota_device_code code, const char *text)
{
    s_fault = (struct ota_device_fault){.code = code, .text = text};
    ESP_LOGW(s_tag, "refused: code %d, %s", (int)code, text);
    return code;
}

enum ota_device_code ota_answer_selection(enum ota_device_code code, esp_err_t err, uint32_t record)
{
    ota_answer_err(code, err);
    if (code == OTA_DEVICE_SELECT_FAILED)
        s_fault.address = record;
    return code;
}
