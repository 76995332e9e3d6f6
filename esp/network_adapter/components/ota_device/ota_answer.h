/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_ANSWER_H
#define OTA_ANSWER_H
/* The answers of the engine: each returns its code, and is what ota_device_last_fault() says. */
#include <stdint.h>

#include "esp_err.h"
#include "ota_device.h"

enum ota_device_code ota_answer(enum ota_device_code code);

/* With ESP-IDF's own code behind it. */
enum ota_device_code ota_answer_err(enum ota_device_code code, esp_err_t err);

/* With words of its own, which stay valid. */
enum ota_device_code ota_answer_text(enum ota_device_code code, const char *text);

/* Of what writes the boot selection, which is in the `record` of otadata. */
enum ota_device_code ota_answer_selection(enum ota_device_code code, esp_err_t err,
                                          uint32_t record);

/* For the flash work, which fills it in itself. */
struct ota_device_fault *ota_answer_fault(void);

#endif
