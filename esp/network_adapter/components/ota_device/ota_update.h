/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_UPDATE_H
#define OTA_UPDATE_H
/* The open update: ota_device.c begins and writes it, ota_end.c ends it. */
#include <stdbool.h>
#include <stdint.h>

#include "esp_partition.h"
#include "ota_device.h"

/* Flash encryption works on units of this size; plain flash does not mind. */
#define OTA_UPDATE_UNIT_BYTES 16u

struct ota_update {
    const esp_partition_t *slot;         /* NULL: no update is open */
    uint32_t taken;                      /* image bytes of the host, or left as they were */
    uint32_t programmed;                 /* of those, what is in flash: whole units */
    uint32_t limit;                      /* of erasing ahead, of the last write */
    uint8_t rest[OTA_UPDATE_UNIT_BYTES]; /* what fills no unit yet: taken - programmed bytes */
    uint32_t size;                       /* as begin said; 0: not known */
    bool has_sha256;                     /* as begin said */
    uint8_t sha256[OTA_DEVICE_DIGEST_BYTES];
    int64_t heard_us;
};

/* The update whose host has just been heard, until it is aborted; NULL: none is open. */
const struct ota_update *ota_update_hear(void);

/* Programs the last unit, filled up as erased flash would read. */
enum ota_device_code ota_update_flush(void);

#endif
