/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_DEVICE_H
#define OTA_DEVICE_H
/*
 * The update on the ESP32's side: one engine for every dialect and extension.
 *
 * Erases the next slot block by block just ahead of the data, so that begin answers at once and no
 * call blocks longer than one block erase; selects the slot by esp_ota_set_boot_partition(), which
 * verifies the whole image first. The running slot is never written: whatever happens before
 * ota_device_end() has returned ESP_OK, the old firmware boots.
 *
 * No task, no lock, no heap: call everything from one task. One update at a time; there is no
 * handle, because a chip has one next slot.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"

#ifndef ESP_ERR_NOT_ALLOWED /* ESP-IDF has it from v5.2 on */
#define ESP_ERR_NOT_ALLOWED 0x10D
#endif

/* Why the application will not have an update now, or NULL to let it go ahead: a short text such
 * as "a Bluetooth connection is open", which must stay valid. Called at every begin. */
typedef const char *(*ota_device_veto)(void *ctx);

/* Replaces the veto; NULL takes it away. */
void ota_device_set_veto(ota_device_veto veto, void *ctx);

/*
 * Starts an update of the next slot; an unfinished one is dropped. Nothing is erased yet.
 *   ESP_ERR_NOT_FOUND                  the table has no slot to update
 *   ESP_ERR_OTA_PARTITION_CONFLICT     the next slot is the running one
 *   ESP_ERR_OTA_ROLLBACK_INVALID_STATE the running image is not confirmed yet
 *   ESP_ERR_NOT_ALLOWED                the veto said no; ota_device_veto_reason() has its words
 */
esp_err_t ota_device_begin(void);

/* The words of the veto that refused the last begin, else NULL. */
const char *ota_device_veto_reason(void);

/*
 * Appends `len` bytes. After an error the update is over: write and end are refused until begin.
 *   ESP_ERR_INVALID_STATE       no update is open
 *   ESP_ERR_INVALID_SIZE        the slot is full; nothing of this call was written
 *   ESP_ERR_OTA_VALIDATE_FAILED the first byte is not an image's
 *   others                      from esp_partition_erase_range() and esp_partition_write()
 */
esp_err_t ota_device_write(const void *data, size_t len);

/*
 * Has the image verified and selects its slot for the next boot; the caller restarts the chip.
 *   ESP_ERR_INVALID_STATE       no update is open, or nothing was written
 *   ESP_ERR_OTA_VALIDATE_FAILED the image is damaged, cut, or for another chip
 *   others                      from esp_ota_set_boot_partition()
 * The update is over in every case.
 */
esp_err_t ota_device_end(void);

/* Drops an open update, if any. What was written stays in the slot, unselected. */
void ota_device_abort(void);

/* The slot of the open update or, without one, the slot that begin would take; NULL if none. */
const esp_partition_t *ota_device_slot(void);

/* Image bytes taken since begin; 0 without an open update. */
size_t ota_device_written(void);

/*
 * Confirms the running image if it is on probation (ESP_OTA_IMG_PENDING_VERIFY); free when it is
 * not. To be called when the firmware has proved itself, by its first answer to the host.
 */
esp_err_t ota_device_confirm(void);

#endif
