/* SPDX-License-Identifier: Apache-2.0 */
#include "ota_commands.h"

#include "esp_log.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "ota_device.h"

/* The specification's: time enough for the reply to arrive and for the host to let go. */
#define RESTART_DELAY_US (5 * 1000 * 1000)

static const char s_tag[] = "ota";

static esp_timer_handle_t s_restart_timer;
static bool s_restarting; /* the new image is selected, and soon runs */

static void restart(void *arg)
{
    (void)arg;
    esp_restart();
}

/* Made before the new image is selected: a refusal after that would be a lie. */
static esp_err_t prepare_restart(void)
{
    const esp_timer_create_args_t args = {.callback = restart, .name = "ota_restart"};

    return s_restart_timer != NULL ? ESP_OK : esp_timer_create(&args, &s_restart_timer);
}

static esp_err_t end(void)
{
    esp_err_t err = prepare_restart();

    if (err == ESP_OK)
        err = ota_device_end();
    if (err != ESP_OK)
        return err;
    s_restarting = true;
    err = esp_timer_start_once(s_restart_timer, RESTART_DELAY_US);
    if (err != ESP_OK) /* the image is selected all the same: the next reset boots it */
        ESP_LOGW(s_tag, "restart timer: %s", esp_err_to_name(err));
    return ESP_OK;
}

/*
 * A host may begin before it asks anything else. That it reached this firmware is as good a proof
 * as an answer, and a firmware on probation may not erase what it would fall back to.
 *
 * Between an end and the restart there is no begin: it would erase the image that was just
 * selected, and the restart would cut the update.
 */
static esp_err_t begin(void)
{
    if (s_restarting)
        return ESP_ERR_INVALID_STATE;

    const esp_err_t err = ota_device_confirm();

    return err == ESP_OK ? ota_device_begin() : err;
}

void ota_commands_handle(const struct control_request *request, struct control_reply *reply)
{
    esp_err_t err;

    if (request->op == CONTROL_OTA_BEGIN)
        err = begin();
    else if (request->op == CONTROL_OTA_WRITE)
        err = request->ota_write.len > 0
                  ? ota_device_write(request->ota_write.data, request->ota_write.len)
                  : ESP_ERR_INVALID_ARG;
    else
        err = end();
    reply->result = err == ESP_OK ? CONTROL_SUCCESS : CONTROL_FAILURE;
}
