/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_TRIAL_H
#define OTA_TRIAL_H
/*
 * The trial of a new image: with a time, which its record in RTC memory asks for; or without, and
 * then the first answer confirms. RTC memory is kept over every reset but a loss of power.
 */
#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"
#include "ota_device.h"

/*
 * The image in `slot` shall be on trial for so long from its start; 0 seconds takes the record
 * away. To be written before the slot is selected: a reset between the two then leaves a record for
 * a slot that does not run, which the next start drops. The other way round it would leave a
 * selected image without its record, which the first answer would confirm.
 */
void ota_trial_request(const esp_partition_t *slot, uint32_t seconds);

/* Whether a trial with a time runs. */
bool ota_trial_is_timed(void);

/* Whether the selected image is the running one: after a fallback of the boot loader, what acts on
 * the selected one must not be called. */
bool ota_trial_runs_what_is_selected(void);

/*
 * Marks the selected slot, which is to be named, and looks whether the bits have taken: the flash
 * calls that no error. A secure version that could not be burnt is none either: the image is marked
 * before that, and the boot loader burns it at the next start.
 */
esp_err_t ota_trial_mark_valid(const esp_partition_t *selected);

/* What ota_device_confirm_version() and ota_device_rollback() do without a session. *ret_err is
 * ESP-IDF's code behind a refusal. */
enum ota_device_code ota_trial_confirm(const char *version, esp_err_t *ret_err);
enum ota_device_code ota_trial_roll_back(esp_err_t *ret_err);

#endif
