/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_DEVICE_H
#define OTA_DEVICE_H
/*
 * The update on the ESP32's side: one engine for every dialect and extension.
 *
 * Erases the next slot just ahead of the data, so that begin answers at once and no call blocks
 * longer than one block erase; reads back what it has programmed; selects the slot by
 * esp_ota_set_boot_partition(), which verifies the whole image first. The running slot is never
 * written: whatever happens before ota_device_end() has returned OTA_DEVICE_DONE, the old firmware
 * boots.
 *
 * No task, no lock, no heap for a write: call everything from one task. One update at a time; there
 * is no handle, because a chip has one next slot.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_app_desc.h"
#include "esp_err.h"
#include "esp_partition.h"

#define OTA_DEVICE_DIGEST_BYTES 32
#define OTA_DEVICE_MAX_DIGESTS  64

/* Why not. The numbers are those of the wire: hosted_extension.proto, Code. */
enum ota_device_code {
    OTA_DEVICE_DONE = 0,
    OTA_DEVICE_NOT_UNDERSTOOD = 1,
    OTA_DEVICE_IN_PROGRESS = 2,
    OTA_DEVICE_NO_SLOT = 3,
    OTA_DEVICE_TOO_LARGE = 4,
    OTA_DEVICE_WRONG_CHIP = 5,
    OTA_DEVICE_OLD_SECURE_VERSION = 6,
    OTA_DEVICE_NOT_CONFIRMED = 7,
    OTA_DEVICE_VETO = 8,
    OTA_DEVICE_RESTARTING = 9,
    OTA_DEVICE_NO_SESSION = 10,
    OTA_DEVICE_WRONG_OFFSET = 11,
    OTA_DEVICE_NOT_AN_IMAGE = 12,
    OTA_DEVICE_ERASE_FAILED = 13,
    OTA_DEVICE_PROGRAM_FAILED = 14,
    OTA_DEVICE_FLASH_DIFFERS = 15,
    OTA_DEVICE_READ_FAILED = 16,
    OTA_DEVICE_WRONG_DIGEST = 17,
    OTA_DEVICE_INVALID_IMAGE = 18,
    OTA_DEVICE_SELECT_FAILED = 19,
    OTA_DEVICE_WRONG_VERSION = 20,
    OTA_DEVICE_NO_ROLLBACK = 21,
    OTA_DEVICE_TOO_SHORT = 22,
};

/* More about what the last call that returned a code said. */
struct ota_device_fault {
    enum ota_device_code code;
    esp_err_t esp_err; /* ESP-IDF's own code behind it; ESP_OK: none */
    uint32_t address;  /* in the flash chip: where it failed; 0: that is not what failed */
    const char *text;  /* the veto's words, or what was too much; else NULL */
};
const struct ota_device_fault *ota_device_last_fault(void);

/* For whoever also refuses by itself, with these codes: nothing was said yet. */
void ota_device_forget_fault(void);

/*
 * To be called first of all, before radio, bus and endpoint: an image on trial whose time is up, or
 * that was reset within it, goes back to the old one here (then it does not return). Once; a second
 * call does nothing.
 */
void ota_device_start(void);

/* To be called about once a second: a session that was silent for a minute ends. */
void ota_device_tick(void);

/* Why the application will not have an update now, or NULL to let it go ahead: a short text such
 * as "a Bluetooth connection is open", which must stay valid. Called at every begin. */
typedef const char *(*ota_device_veto)(void *ctx);

/* Replaces the veto; NULL takes it away. */
void ota_device_set_veto(ota_device_veto veto, void *ctx);

/* What a host has said of the image before it sends it. */
struct ota_device_image {
    bool chip_id_known;
    bool secure_version_known;
    uint32_t chip_id; /* as in the image header */
    uint32_t secure_version;
    uint32_t size;         /* 0: not known */
    const uint8_t *sha256; /* of the `size` bytes; NULL: not known. Borrowed for the call */
};

/*
 * Starts an update of the next slot; an unfinished one is dropped. Nothing of the slot is erased
 * yet. `image` is NULL for a host of the stock protocol, whose begin also confirms a running image
 * on probation, unless a trial with a time runs: that it has reached this firmware is as good a
 * proof as an answer.
 *
 * The refusals, in this order: RESTARTING, NO_SLOT, NOT_CONFIRMED, WRONG_CHIP, TOO_LARGE,
 * OLD_SECURE_VERSION, VETO. SELECT_FAILED: see the last paragraph.
 *
 * When the boot loader has fallen back, otadata still names the image that did not boot. Then begin
 * makes the running slot the selected one again: selecting the other slot would else repeat its
 * sequence number, and with equal ones the record of the trial is lost. Power that goes meanwhile
 * leaves otadata with the image that did not boot, or with nothing: in both cases the boot loader
 * falls back again. (From a factory image, whose selection erases both records, an older image that
 * the remaining record names may boot.)
 */
enum ota_device_code ota_device_begin(const struct ota_device_image *image);

/*
 * Appends `len` bytes, as the stock protocol does.
 *   NO_SESSION, TOO_LARGE, NOT_AN_IMAGE (the first byte), ERASE_FAILED, PROGRAM_FAILED,
 *   FLASH_DIFFERS, READ_FAILED
 * All but NO_SESSION end the update: the old firmware stays bootable.
 */
enum ota_device_code ota_device_append(const void *data, size_t len);

/*
 * Writes `len` bytes that belong at `offset`. A write that lies before ota_device_next() was taken
 * already: DONE, and nothing is written. One that begins behind it leaves the sectors between as
 * they are; both ends of the gap must be multiples of 4096. What fits neither way is WRONG_OFFSET,
 * which leaves the update open, as NOT_UNDERSTOOD (no data) does; the other codes as of append.
 *
 * Up to `run_end` the image follows without a gap, or has ended: nothing behind it, rounded up to a
 * sector, is erased. What is below the end of this write counts as that.
 */
enum ota_device_code ota_device_write(uint32_t offset, uint32_t run_end, const void *data,
                                      size_t len);

/*
 * The SHA-256 of blocks of the open update's slot, as they are in flash: of `count` (1 to
 * OTA_DEVICE_MAX_DIGESTS) blocks of `block` (4096 or 65536) bytes from `offset` (a multiple of it)
 * on, the last one cut at `end` (0: the slot's). *ret_count are in `ret`: fewer where the image
 * ends, and where a request would read more than 1 MiB.
 *   NO_SESSION, NOT_UNDERSTOOD, TOO_LARGE (end is behind the slot), READ_FAILED
 */
enum ota_device_code ota_device_digests(uint32_t offset, uint32_t block, uint32_t count,
                                        uint32_t end, uint8_t *ret, size_t *ret_count);

#define OTA_DEVICE_MAX_TRIAL_SECONDS 86400u /* a day: a longer one would be none */

struct ota_device_end {
    uint32_t size;          /* the image is the slot's first so many bytes; 0: what begin said, or
                               all that was written */
    const uint8_t *sha256;  /* of these; NULL: what begin said, or nothing to compare */
    uint32_t trial_seconds; /* at most OTA_DEVICE_MAX_TRIAL_SECONDS; 0: the first answer of the new
                               firmware confirms it */
    bool no_trial;          /* it is confirmed from the start */
};

/*
 * Has the image verified, selects its slot for the next boot, and restarts the chip five seconds
 * later. `end` is NULL for a host of the stock protocol. A second call with the same size and
 * digest meanwhile is answered as the first.
 *   NO_SESSION, RESTARTING (another image was selected)
 *   TOO_SHORT       and the update stays open, as with NOT_UNDERSTOOD (the trial is too long) and
 *                   TOO_LARGE (of `size`)
 *   WRONG_DIGEST, READ_FAILED, OLD_SECURE_VERSION, INVALID_IMAGE, SELECT_FAILED, and the codes of
 *                   append: the slot is not selected, or not any more
 */
enum ota_device_code ota_device_end(const struct ota_device_end *end);

/* Drops an open update, if any. What was written stays in the slot, unselected. */
void ota_device_abort(void);

/* Whether an update is open: what would disturb it is to be refused with IN_PROGRESS. */
bool ota_device_is_open(void);

/* The slot of the open update or, without one, the slot that begin would take; NULL if none. */
const esp_partition_t *ota_device_slot(void);

/* The offset that is wanted next; 0 without an open update. */
uint32_t ota_device_next(void);

/*
 * Confirms the running image if it is on probation (ESP_OTA_IMG_PENDING_VERIFY); free when it is
 * not, and nothing while a trial with a time runs. To be called when the firmware has proved
 * itself, by its first answer to the host.
 */
esp_err_t ota_device_confirm(void);

/*
 * Confirms the running image, also one on a trial with a time, if it is the version that the host
 * expects.
 *   IN_PROGRESS, RESTARTING, WRONG_VERSION, SELECT_FAILED
 */
enum ota_device_code ota_device_confirm_version(const char *version);

/*
 * Goes back to the firmware before, a second later. An update that has begun to erase has taken it
 * away, and its record with it: what it wrote was on no trial.
 *   IN_PROGRESS, RESTARTING, NO_ROLLBACK, SELECT_FAILED
 */
enum ota_device_code ota_device_rollback(void);

/* Whether the running image is not confirmed yet. */
bool ota_device_on_trial(void);

/* Seconds left of a trial with a time; -1: none runs. */
int32_t ota_device_trial_left(void);

/* Whether the boot loader knows rollback. Returns false while that is not known: only the first
 * boot of an image tells. */
bool ota_device_can_roll_back(bool *ret);

/* SlotState of hosted_extension.proto. */
enum ota_device_state {
    OTA_DEVICE_STATE_NONE = 0,
    OTA_DEVICE_STATE_NEW = 1,
    OTA_DEVICE_STATE_PENDING = 2,
    OTA_DEVICE_STATE_VALID = 3,
    OTA_DEVICE_STATE_INVALID = 4,
    OTA_DEVICE_STATE_ABORTED = 5,
    OTA_DEVICE_STATE_UNDEFINED = 6,
};

struct ota_device_slot_status {
    const esp_partition_t *partition;
    bool running;
    bool boots_next;
    bool update_next;
    enum ota_device_state state;
    bool has_image;
    esp_app_desc_t app; /* with has_image; its texts may lack their NUL */
};

/* A factory slot and 16 others. */
#define OTA_DEVICE_MAX_SLOTS 17

/* The n-th application slot, from 0, factory first; false when there are no more. */
bool ota_device_slot_status(unsigned n, struct ota_device_slot_status *ret);

#endif
