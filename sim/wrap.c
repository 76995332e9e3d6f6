/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator's eyes on an update. The linker (--wrap) sends the calls of the update engines
 * through here, so that neither firmware knows of it: ota_device_*() of our own, esp_ota_*() of
 * stock's.
 */
#include <stdbool.h>

#include "esp_ota_ops.h"
#include "ota_device.h"
#include "update_watch.h"

/* The linker's names: __real_X is the function, __wrap_X what its callers get. */
#define WRAPPED(type, name, ...)                                                                   \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

WRAPPED(enum ota_device_code, ota_device_begin, const struct ota_device_image *image);
WRAPPED(enum ota_device_code, ota_device_append, const void *data, size_t len);
WRAPPED(enum ota_device_code, ota_device_write, uint32_t offset, uint32_t run_end, const void *data,
        size_t len);
WRAPPED(enum ota_device_code, ota_device_end, const struct ota_device_end *end);
WRAPPED(void, ota_restart_after, uint32_t ms, void (*action)(void));

enum ota_device_code __wrap_ota_device_begin(const struct ota_device_image *image)
{
    const enum ota_device_code code = __real_ota_device_begin(image);

    if (code == OTA_DEVICE_DONE)
        update_watch_begin(ota_device_slot()->label);
    return code;
}

enum ota_device_code __wrap_ota_device_append(const void *data, size_t len)
{
    const uint32_t offset = ota_device_next();
    const enum ota_device_code code = __real_ota_device_append(data, len);

    if (code == OTA_DEVICE_DONE)
        update_watch_write(offset, (uint32_t)len);
    return code;
}

/* A repeat is done, too, and writes nothing. */
enum ota_device_code __wrap_ota_device_write(uint32_t offset, uint32_t run_end, const void *data,
                                             size_t len)
{
    const uint32_t before = ota_device_next();
    const enum ota_device_code code = __real_ota_device_write(offset, run_end, data, len);

    if (code == OTA_DEVICE_DONE && ota_device_next() != before)
        update_watch_write(offset, (uint32_t)len);
    return code;
}

/* What was refused without ending the update is no end, and neither is a repeated one. */
enum ota_device_code __wrap_ota_device_end(const struct ota_device_end *end)
{
    const bool was_open = ota_device_is_open();
    const enum ota_device_code code = __real_ota_device_end(end);
    const esp_err_t err = ota_device_last_fault()->esp_err;

    if (code == OTA_DEVICE_DONE && was_open)
        update_watch_end(ESP_OK);
    else if (code != OTA_DEVICE_DONE && !ota_device_is_open())
        update_watch_end(err != ESP_OK ? err : ESP_ERR_INVALID_STATE);
    return code;
}

/* The timer that is armed in here is the restart that the world waits for. */
void __wrap_ota_restart_after(uint32_t ms, void (*action)(void))
{
    update_watch_expect_restart();
    __real_ota_restart_after(ms, action);
}

esp_err_t __real_esp_ota_begin(const esp_partition_t *partition, size_t image_size,
                               esp_ota_handle_t *out_handle);
esp_err_t __wrap_esp_ota_begin(const esp_partition_t *partition, size_t image_size,
                               esp_ota_handle_t *out_handle);
esp_err_t __real_esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size);
esp_err_t __wrap_esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size);
esp_err_t __real_esp_ota_end(esp_ota_handle_t handle);
esp_err_t __wrap_esp_ota_end(esp_ota_handle_t handle);
esp_err_t __real_esp_ota_set_boot_partition(const esp_partition_t *partition);
esp_err_t __wrap_esp_ota_set_boot_partition(const esp_partition_t *partition);

static uint32_t s_written;
static bool s_ended; /* the image is valid; selecting it makes the end of the update */

esp_err_t __wrap_esp_ota_begin(const esp_partition_t *partition, size_t image_size,
                               esp_ota_handle_t *out_handle)
{
    const esp_err_t rc = __real_esp_ota_begin(partition, image_size, out_handle);

    s_written = 0;
    s_ended = false;
    if (rc == ESP_OK)
        update_watch_begin(partition->label);
    return rc;
}

esp_err_t __wrap_esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size)
{
    const esp_err_t rc = __real_esp_ota_write(handle, data, size);

    if (rc == ESP_OK) {
        update_watch_write(s_written, (uint32_t)size);
        s_written += (uint32_t)size;
    }
    return rc;
}

esp_err_t __wrap_esp_ota_end(esp_ota_handle_t handle)
{
    const esp_err_t rc = __real_esp_ota_end(handle);

    s_ended = rc == ESP_OK;
    if (rc != ESP_OK)
        update_watch_end(rc);
    return rc;
}

esp_err_t __wrap_esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    const esp_err_t rc = __real_esp_ota_set_boot_partition(partition);

    if (s_ended)
        update_watch_end(rc);
    s_ended = false;
    return rc;
}
