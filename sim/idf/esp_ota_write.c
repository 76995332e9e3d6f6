/* SPDX-License-Identifier: Apache-2.0 */
/* esp_ota_begin() to esp_ota_end(): what stock firmware updates with. */
#include <stdlib.h>

#include "chip.h"
#include "esp_ota_ops.h"
#include "image_verify.h"

#define IMAGE_MAGIC 0xe9

/* A handle lives until end or abort; a begin that is followed by neither leaks one, as it does
 * on the chip. */
struct ota_session {
    esp_ota_handle_t handle;
    const esp_partition_t *partition;
    size_t written;
    bool erase_on_the_way;
    struct ota_session *next;
};

static struct ota_session *s_sessions;
static esp_ota_handle_t s_last_handle;

static struct ota_session **find(esp_ota_handle_t handle)
{
    struct ota_session **at = &s_sessions;

    while (*at != NULL && (*at)->handle != handle)
        at = &(*at)->next;
    return at;
}

static void drop(struct ota_session **at)
{
    struct ota_session *session = *at;

    *at = session->next;
    free(session);
}

static bool is_slot(const esp_partition_t *partition)
{
    return partition->type == ESP_PARTITION_TYPE_APP &&
           partition->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
           partition->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MAX;
}

/* From v6.1 on a slot takes one update at a time. */
static bool is_open(const esp_partition_t *partition)
{
    const struct ota_session *session = s_sessions;

    while (session != NULL && session->partition != partition)
        session = session->next;
    return session != NULL;
}

static esp_err_t check_target(const esp_partition_t *partition)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_ota_img_states_t state;

    if (partition->type != ESP_PARTITION_TYPE_APP)
        return ESP_OK; /* v5.5: a data partition may be written, too */
    if (!is_slot(partition))
        return ESP_ERR_INVALID_ARG;
    if (partition == running)
        return ESP_ERR_OTA_PARTITION_CONFLICT;
    if (the_chip.application_rollback && esp_ota_get_state_partition(running, &state) == ESP_OK &&
        state == ESP_OTA_IMG_PENDING_VERIFY)
        return ESP_ERR_OTA_ROLLBACK_INVALID_STATE;
    return ESP_OK;
}

static esp_err_t erase_for(const esp_partition_t *partition, size_t image_size)
{
    size_t size = partition->size;

    if (image_size == OTA_WITH_SEQUENTIAL_WRITES)
        return ESP_OK;
    if (image_size != 0 && image_size != OTA_SIZE_UNKNOWN)
        size = (image_size + partition->erase_size - 1) / partition->erase_size *
               partition->erase_size;
    return esp_partition_erase_range(partition, 0, size);
}

esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t image_size,
                        esp_ota_handle_t *out_handle)
{
    struct ota_session *session;
    esp_err_t err;

    if (partition == NULL || out_handle == NULL)
        return ESP_ERR_INVALID_ARG;
    partition = esp_partition_verify(partition);
    if (partition == NULL)
        return ESP_ERR_NOT_FOUND;
    err = check_target(partition);
    if (err != ESP_OK)
        return err;

    if (the_chip.idf >= CHIP_IDF(6, 1) && is_open(partition))
        return ESP_ERR_OTA_ALREADY_IN_PROGRESS;

    session = calloc(1, sizeof(*session));
    if (session == NULL)
        return ESP_ERR_NO_MEM;
    session->partition = partition;
    session->erase_on_the_way = image_size == OTA_WITH_SEQUENTIAL_WRITES;
    session->handle = ++s_last_handle;
    session->next = s_sessions;
    s_sessions = session;
    *out_handle = session->handle; /* valid, and to be aborted, also if the erase fails (v5.5) */

    err = erase_for(partition, image_size);
    if (err == ESP_OK && the_chip.application_rollback && is_slot(partition))
        esp_ota_invalidate_inactive_ota_data_slot();
    return err;
}

/* Every sector that the next `size` bytes enter, but for one that was entered before. */
static esp_err_t erase_ahead(const struct ota_session *session, size_t size)
{
    const size_t sector = session->partition->erase_size;
    const size_t from = (session->written + sector - 1) / sector * sector;
    const size_t to = (session->written + size + sector - 1) / sector * sector;

    return to > from ? esp_partition_erase_range(session->partition, from, to - from) : ESP_OK;
}

esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size)
{
    struct ota_session *session = *find(handle);
    esp_err_t err = ESP_OK;

    if (data == NULL)
        return ESP_ERR_INVALID_ARG;
    if (size == 0)
        return ESP_OK;
    if (session == NULL)
        return ESP_ERR_INVALID_ARG;
    if (session->erase_on_the_way)
        err = erase_ahead(session, size);
    if (err != ESP_OK)
        return err;
    if (session->written == 0 && *(const uint8_t *)data != IMAGE_MAGIC &&
        session->partition->type == ESP_PARTITION_TYPE_APP)
        return ESP_ERR_OTA_VALIDATE_FAILED;
    err = esp_partition_write(session->partition, session->written, data, size);
    if (err == ESP_OK)
        session->written += size;
    return err;
}

static esp_err_t validate(const struct ota_session *session)
{
    const esp_partition_t *partition = session->partition;
    struct image_info info;

    if (session->written == 0)
        return ESP_ERR_INVALID_ARG;
    if (partition->type != ESP_PARTITION_TYPE_APP)
        return ESP_OK;
    return image_verify(&the_chip.flash, the_chip.model, partition->address, partition->size,
                        IMAGE_USE_VERIFY, &info) == IMAGE_OK
               ? ESP_OK
               : ESP_ERR_OTA_VALIDATE_FAILED;
}

esp_err_t esp_ota_end(esp_ota_handle_t handle)
{
    struct ota_session **at = find(handle);
    esp_err_t err;

    if (*at == NULL)
        return ESP_ERR_NOT_FOUND;
    err = validate(*at);
    drop(at);
    return err;
}

esp_err_t esp_ota_abort(esp_ota_handle_t handle)
{
    struct ota_session **at = find(handle);

    if (*at == NULL)
        return ESP_ERR_NOT_FOUND;
    drop(at);
    return ESP_OK;
}
