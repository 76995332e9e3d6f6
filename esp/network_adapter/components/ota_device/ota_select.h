/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_SELECT_H
#define OTA_SELECT_H
/* Which slot boots next. Each is an answer of the engine. */
#include <stdbool.h>
#include <stdint.h>

#include "ota_device.h"

/*
 * Below eFuse, or below what runs: once selected without a trial, an image has ESP-IDF burn the
 * number of what runs, and would be refused at its start.
 */
bool ota_select_is_too_old(uint32_t secure_version);

/* See ota_device_begin(): the boot loader may have fallen back. */
enum ota_device_code ota_select_mend(void);

/* Has the image in `slot` verified, selects it, and marks it as `end` (NULL: a stock host's) wants
 * it. Refused, the slot is not selected, or not any more. */
enum ota_device_code ota_select_slot(const esp_partition_t *slot, const struct ota_device_end *end);

#endif
