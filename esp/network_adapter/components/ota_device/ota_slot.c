/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_slot.h"

#include <string.h>

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "ota_sha256.h"

#define PAGE_BYTES 256u  /* no program command crosses the end of one */
#define READ_BYTES 4096u /* a call that reads costs 80 us besides: once a write, once a sector */

#define MAX_GAP_BYTES (1u << 20) /* hashed within a write: what a host waits for, half a second */

static const char s_tag[] = "ota_slot";

static const esp_partition_t *s_slot;
static uint32_t s_erased;
static bool s_touched;

/* What is read back, and what is hashed: too much for a task's stack, and never at once. */
static uint8_t s_read[READ_BYTES];

/*
 * The hash that runs along: of the first `to` bytes of the slot as they were read from flash, which
 * nothing changes any more, since offsets only grow. From the first write on: before it the host
 * asks for digests, which are to have the chip's SHA engine. A host that asks for many behind it
 * has found much of the image in the slot: all that would have to be read again in any case.
 */
static struct {
    bool wanted;
    bool begun;
    uint32_t to;
    struct ota_sha256 sha256;
} s_along;

void ota_slot_stop_hash(void)
{
    if (s_along.begun)
        ota_sha256_abort(&s_along.sha256);
    s_along.begun = s_along.wanted = false;
    s_along.to = 0;
}

void ota_slot_free_engine(void)
{
    if (s_along.begun)
        ota_slot_stop_hash();
}

void ota_slot_hash_along(void)
{
    s_along.wanted = true;
}

void ota_slot_open(const esp_partition_t *slot)
{
    ota_slot_stop_hash();
    s_slot = slot;
    s_erased = 0;
    s_touched = false;
}

bool ota_slot_is_touched(void)
{
    return s_touched;
}

uint32_t ota_slot_erased(void)
{
    return s_erased;
}

void ota_slot_skip_to(uint32_t offset)
{
    if (s_erased < offset)
        s_erased = offset;
}

static enum ota_device_code fail(enum ota_device_code code, esp_err_t err,
                                 const esp_partition_t *where, uint32_t offset,
                                 struct ota_device_fault *fault)
{
    *fault = (struct ota_device_fault){
        .code = code,
        .esp_err = err,
        .address = where->address + offset,
    };
    ESP_LOGE(s_tag, "flash at 0x%x: code %d, %s", (unsigned)fault->address, (int)code,
             esp_err_to_name(err));
    return code;
}

/* The number of the slot that a record of otadata names, as the boot loader counts; -1: it is
 * empty, or cannot be read. */
static int recorded_slot(const esp_partition_t *otadata, unsigned sector)
{
    const uint8_t slots = esp_ota_get_app_partition_count();
    uint32_t sequence = UINT32_MAX;

    if (esp_partition_read(otadata, (size_t)sector * OTA_SLOT_SECTOR_BYTES, &sequence,
                           sizeof(sequence)) != ESP_OK ||
        sequence == UINT32_MAX || slots == 0)
        return -1;
    return (int)((sequence - 1) % slots);
}

static const esp_partition_t *find_otadata(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
}

static int number_of(const esp_partition_t *slot)
{
    return (int)slot->subtype - (int)ESP_PARTITION_SUBTYPE_APP_OTA_MIN;
}

/* The sector of the record that counts; -1: none does. */
static int sector_that_counts(const esp_partition_t *otadata)
{
    const esp_partition_t *boots = esp_ota_get_boot_partition();

    for (unsigned i = 0; boots != NULL && i < 2; i++) {
        if (recorded_slot(otadata, i) == number_of(boots))
            return (int)i;
    }
    return -1;
}

uint32_t ota_slot_record_that_counts(void)
{
    const esp_partition_t *otadata = find_otadata();

    if (otadata == NULL)
        return 0;
    return otadata->address + (sector_that_counts(otadata) == 1 ? OTA_SLOT_SECTOR_BYTES : 0);
}

uint32_t ota_slot_record_to_write(void)
{
    const esp_partition_t *otadata = find_otadata();

    if (otadata == NULL)
        return 0;
    return otadata->address + (sector_that_counts(otadata) == 0 ? OTA_SLOT_SECTOR_BYTES : 0);
}

/*
 * The slot may have a record: that was of the bytes which are about to go. As a valid one it would
 * have a rollback boot what nobody has verified, and without a trial; as one that was rolled back
 * it would be said of the new bytes. The running image is the selected one, so that the record
 * which counts is never this. (ESP-IDF's call for it came with v5.5.)
 */
static enum ota_device_code forget_record(struct ota_device_fault *fault)
{
    const esp_partition_t *otadata = find_otadata();
    const int number = number_of(s_slot);

    for (unsigned i = 0; otadata != NULL && i < 2; i++) {
        const uint32_t at = i * OTA_SLOT_SECTOR_BYTES;

        if (recorded_slot(otadata, i) != number)
            continue;

        const esp_err_t err = esp_partition_erase_range(otadata, at, OTA_SLOT_SECTOR_BYTES);

        if (err != ESP_OK)
            return fail(OTA_DEVICE_ERASE_FAILED, err, otadata, at, fault);
    }
    return OTA_DEVICE_DONE;
}

/* A whole block where one begins here and is wanted, else a sector. */
static uint32_t erase_step(uint32_t limit)
{
    const bool begins = (s_slot->address + s_erased) % OTA_SLOT_BLOCK_BYTES == 0;

    return begins && limit >= s_erased && limit - s_erased >= OTA_SLOT_BLOCK_BYTES
               ? OTA_SLOT_BLOCK_BYTES
               : OTA_SLOT_SECTOR_BYTES;
}

static enum ota_device_code erase_up_to(uint32_t end, uint32_t limit,
                                        struct ota_device_fault *fault)
{
    enum ota_device_code code = OTA_DEVICE_DONE;

    while (s_erased < end) {
        const uint32_t step = erase_step(limit);

        if (!s_touched)
            code = forget_record(fault);
        if (code != OTA_DEVICE_DONE)
            return code;
        s_touched = true;

        const esp_err_t err = esp_partition_erase_range(s_slot, s_erased, step);

        if (err != ESP_OK)
            return fail(OTA_DEVICE_ERASE_FAILED, err, s_slot, s_erased, fault);
        s_erased += step;
    }
    return OTA_DEVICE_DONE;
}

/* What was just read from flash at `offset`. Without the library's memory `end` reads it all. */
static void run_along(uint32_t offset, size_t len)
{
    if (!s_along.begun || offset != s_along.to)
        return;
    if (ota_sha256_update(&s_along.sha256, s_read, len))
        s_along.to += (uint32_t)len;
    else
        ota_slot_stop_hash();
}

/* From flash into a hash; *ret_ok is the library's. */
static enum ota_device_code hash_flash(struct ota_sha256 *sha256, uint32_t offset, uint32_t end,
                                       bool *ret_ok, struct ota_device_fault *fault)
{
    *ret_ok = true;
    while (*ret_ok && offset < end) {
        const uint32_t n = end - offset < READ_BYTES ? end - offset : READ_BYTES;
        const esp_err_t err = esp_partition_read(s_slot, offset, s_read, n);

        if (err != ESP_OK)
            return fail(OTA_DEVICE_READ_FAILED, err, s_slot, offset, fault);
        *ret_ok = ota_sha256_update(sha256, s_read, n);
        offset += n;
    }
    return OTA_DEVICE_DONE;
}

/* What was left as it is, up to `offset`. A long gap, and all behind it, is left to the end. */
static enum ota_device_code catch_up(uint32_t offset, struct ota_device_fault *fault)
{
    enum ota_device_code code;
    bool ok;

    if (s_along.wanted && !s_along.begun) {
        s_along.begun = true;
        if (!ota_sha256_init(&s_along.sha256))
            ota_slot_stop_hash();
    }
    if (!s_along.begun || offset <= s_along.to || offset - s_along.to > MAX_GAP_BYTES)
        return OTA_DEVICE_DONE;
    code = hash_flash(&s_along.sha256, s_along.to, offset, &ok, fault);
    if (code == OTA_DEVICE_DONE && ok)
        s_along.to = offset;
    else
        ota_slot_stop_hash();
    return code;
}

/* Bits that do not take are no error to the flash. The first `hashed` bytes are the image's. */
static enum ota_device_code compare(uint32_t offset, const uint8_t *data, size_t len, size_t hashed,
                                    struct ota_device_fault *fault)
{
    while (len > 0) {
        const size_t n = len < READ_BYTES ? len : READ_BYTES;
        const esp_err_t err = esp_partition_read(s_slot, offset, s_read, n);
        uint32_t same = 0;

        if (err != ESP_OK)
            return fail(OTA_DEVICE_READ_FAILED, err, s_slot, offset, fault);
        while (same < n && s_read[same] == data[same])
            same++;
        if (same < n)
            return fail(OTA_DEVICE_FLASH_DIFFERS, ESP_OK, s_slot, offset + same, fault);
        run_along(offset, n < hashed ? n : hashed);
        hashed -= n < hashed ? n : hashed;
        offset += (uint32_t)n;
        data += n;
        len -= n;
    }
    return OTA_DEVICE_DONE;
}

static bool is_blank(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != 0xff)
            return false;
    }
    return true;
}

static size_t to_page_end(uint32_t offset, size_t len)
{
    const size_t left = PAGE_BYTES - offset % PAGE_BYTES;

    return len < left ? len : left;
}

/* How many bytes lie in pages that are all blank, or all not, as the first one. */
static size_t alike(uint32_t offset, const uint8_t *data, size_t len, bool *ret_blank)
{
    size_t n = to_page_end(offset, len);

    *ret_blank = is_blank(data, n);
    while (n < len) {
        const size_t more = to_page_end(offset + (uint32_t)n, len - n);

        if (is_blank(data + n, more) != *ret_blank)
            break;
        n += more;
    }
    return n;
}

/* What is erased reads as blank already, unless it is deciphered. */
static enum ota_device_code program_pages(uint32_t offset, const uint8_t *data, size_t len,
                                          struct ota_device_fault *fault)
{
    while (len > 0) {
        bool blank;
        const size_t n = alike(offset, data, len, &blank);
        const esp_err_t err =
            blank && !s_slot->encrypted ? ESP_OK : esp_partition_write(s_slot, offset, data, n);

        if (err != ESP_OK)
            return fail(OTA_DEVICE_PROGRAM_FAILED, err, s_slot, offset, fault);
        offset += (uint32_t)n;
        data += n;
        len -= n;
    }
    return OTA_DEVICE_DONE;
}

enum ota_device_code ota_slot_program(uint32_t offset, const void *data, size_t len, size_t padding,
                                      uint32_t limit, struct ota_device_fault *fault)
{
    enum ota_device_code code = catch_up(offset, fault);

    if (code == OTA_DEVICE_DONE)
        code = erase_up_to(offset + (uint32_t)len, limit, fault);
    if (code == OTA_DEVICE_DONE)
        code = program_pages(offset, data, len, fault);
    return code == OTA_DEVICE_DONE ? compare(offset, data, len, len - padding, fault) : code;
}

enum ota_device_code ota_slot_hash(uint32_t offset, uint32_t len,
                                   uint8_t ret[OTA_DEVICE_DIGEST_BYTES],
                                   struct ota_device_fault *fault)
{
    static struct ota_sha256 sha256;
    bool ok = ota_sha256_init(&sha256);
    enum ota_device_code code = OTA_DEVICE_DONE;

    if (ok)
        code = hash_flash(&sha256, offset, offset + len, &ok, fault);
    if (code == OTA_DEVICE_DONE && ok && ota_sha256_finish(&sha256, ret))
        return OTA_DEVICE_DONE;
    ota_sha256_abort(&sha256);
    return code == OTA_DEVICE_DONE
               ? fail(OTA_DEVICE_READ_FAILED, ESP_ERR_NO_MEM, s_slot, offset, fault)
               : code;
}

enum ota_device_code ota_slot_hash_image(uint32_t size, uint8_t ret[OTA_DEVICE_DIGEST_BYTES],
                                         struct ota_device_fault *fault)
{
    enum ota_device_code code = OTA_DEVICE_DONE;
    bool ok = s_along.begun && s_along.to <= size;

    if (ok)
        code = hash_flash(&s_along.sha256, s_along.to, size, &ok, fault);
    if (code == OTA_DEVICE_DONE && ok)
        ok = ota_sha256_finish(&s_along.sha256, ret);
    ota_slot_stop_hash();
    return code == OTA_DEVICE_DONE && !ok ? ota_slot_hash(0, size, ret, fault) : code;
}
