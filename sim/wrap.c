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
esp_err_t __real_ota_device_begin(void);
esp_err_t __wrap_ota_device_begin(void);
esp_err_t __real_ota_device_write(const void *data, size_t len);
esp_err_t __wrap_ota_device_write(const void *data, size_t len);
esp_err_t __real_ota_device_end(void);
esp_err_t __wrap_ota_device_end(void);

esp_err_t __wrap_ota_device_begin(void)
{
    const esp_err_t rc = __real_ota_device_begin();

    if (rc == ESP_OK)
        update_watch_begin(ota_device_slot()->label);
    return rc;
}

esp_err_t __wrap_ota_device_write(const void *data, size_t len)
{
    const size_t offset = ota_device_written();
    const esp_err_t rc = __real_ota_device_write(data, len);

    if (rc == ESP_OK)
        update_watch_write((uint32_t)offset, (uint32_t)len);
    return rc;
}

esp_err_t __wrap_ota_device_end(void)
{
    const esp_err_t rc = __real_ota_device_end();

    update_watch_end(rc);
    return rc;
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
