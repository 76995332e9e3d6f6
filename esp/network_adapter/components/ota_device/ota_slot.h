/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_SLOT_H
#define OTA_SLOT_H
/* The flash work of an update: erase ahead, program, read back, hash. */
#include "ota_device.h"

#define OTA_SLOT_SECTOR_BYTES 4096u
#define OTA_SLOT_BLOCK_BYTES  65536u /* the flash erases this in about four sectors' time */

/* Begins with nothing erased. NULL: closes. */
void ota_slot_open(const esp_partition_t *slot);

/* Whether anything was erased since open. */
bool ota_slot_is_touched(void);

/* Up to here the slot is erased, and ready to program. */
uint32_t ota_slot_erased(void);

/* The sectors before `offset`, a multiple of a sector, stay as they are. */
void ota_slot_skip_to(uint32_t offset);

/*
 * Where the record of otadata lies that counts, or that the next selection of another slot writes:
 * a selection that fails, fails there. To be asked before. 0: there is no otadata.
 */
uint32_t ota_slot_record_that_counts(void);
uint32_t ota_slot_record_to_write(void);

/*
 * From the next write on what is programmed, and what is skipped on the way, is hashed as it lies
 * in flash, so that ota_slot_hash_image() finds little to do. From then on it holds the SHA engine
 * of an ESP32 until that call, free, stop or open: what is hashed beside it is left to the CPU, at
 * a quarter of the speed.
 */
void ota_slot_hash_along(void);
void ota_slot_stop_hash(void);

/* The engine is wanted for more than a little: a hash that runs along is given up, so that the end
 * reads it all. One that was not begun yet still will be. */
void ota_slot_free_engine(void);

/*
 * Erases what is needed, up to `limit` where whole blocks pay, programs but for blank pages, and
 * compares all of it. The last `padding` bytes are no part of the image. On failure *fault has
 * code, error and address.
 */
enum ota_device_code ota_slot_program(uint32_t offset, const void *data, size_t len, size_t padding,
                                      uint32_t limit, struct ota_device_fault *fault);

/* The SHA-256 of what is in flash. */
enum ota_device_code ota_slot_hash(uint32_t offset, uint32_t len,
                                   uint8_t ret[OTA_DEVICE_DIGEST_BYTES],
                                   struct ota_device_fault *fault);

/* The same of the first `size` bytes, of which only those are read that were not hashed yet: all of
 * them, if more were. No hash runs along any more. */
enum ota_device_code ota_slot_hash_image(uint32_t size, uint8_t ret[OTA_DEVICE_DIGEST_BYTES],
                                         struct ota_device_fault *fault);

#endif
