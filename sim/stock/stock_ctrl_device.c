/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl stock firmware: heartbeat, switching Wi-Fi off and on, version. */
#include <string.h>

#include "esp_app_desc.h"
#include "esp_timer.h"
#include "stock_ctrl.h"

#define HEARTBEAT_MIN_S 10
#define HEARTBEAT_MAX_S 3600

static esp_timer_handle_t s_heartbeat; /* NULL: off */
static int32_t s_beats;

/* Counted before it is sent: the first is number 1. */
static void beat(void *arg)
{
    (void)arg;
    stock_ctrl_send_heartbeat(++s_beats);
}

static void stop_heartbeat(void)
{
    if (s_heartbeat != NULL)
        esp_timer_delete(s_heartbeat);
    s_heartbeat = NULL;
    s_beats = 0;
}

static esp_err_t start_heartbeat(int32_t seconds)
{
    const esp_timer_create_args_t args = {.callback = beat};
    const int32_t at_least = seconds < HEARTBEAT_MIN_S ? HEARTBEAT_MIN_S : seconds;
    const int32_t period_s = at_least > HEARTBEAT_MAX_S ? HEARTBEAT_MAX_S : at_least;
    const esp_err_t rc = esp_timer_create(&args, &s_heartbeat);

    return rc == ESP_OK ? esp_timer_start_periodic(s_heartbeat, (uint64_t)period_s * 1000000) : rc;
}

bool stock_ctrl_set_heartbeat(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    static HostedCtrl__RespOnly payload;

    if (request->payload_case != HOSTED_CTRL__MESSAGE__PAYLOAD_REQ_SET_HEARTBEAT)
        stock_panic("heartbeat: the payload is not looked for before it is read");
    hosted_ctrl__resp_only__init(&payload);
    stop_heartbeat();
    if (request->req_set_heartbeat->enable &&
        start_heartbeat(request->req_set_heartbeat->seconds) != ESP_OK)
        payload.resp = STOCK_FAILURE;
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_SET_HEARTBEAT;
    reply->resp_set_heartbeat = &payload;
    return true;
}

/* What the driver answers is not looked at. */
static void switch_wifi(bool on)
{
    const wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();
    wifi_mode_t mode;
    const bool is_on = esp_wifi_get_mode(&mode) != ESP_ERR_WIFI_NOT_INIT;

    if (on && !is_on) {
        esp_wifi_init(&config);
        esp_wifi_set_storage(WIFI_STORAGE_FLASH);
        esp_wifi_set_mode(WIFI_MODE_NULL);
        esp_wifi_start();
    } else if (!on && is_on) {
        esp_wifi_stop();
        esp_wifi_deinit();
    }
}

static int32_t set_feature(uint32_t feature, bool enable)
{
    switch (feature) {
    case HOSTED_CTRL__FEATURE__WIFI:
        switch_wifi(enable);
        return STOCK_SUCCESS;
    case HOSTED_CTRL__FEATURE__BLUETOOTH: /* built without */
        return enable ? STOCK_FAILURE : STOCK_SUCCESS;
    default: /* the network split is a question; as built by default it is answered with no */
        return STOCK_FAILURE;
    }
}

bool stock_ctrl_set_feature(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    static HostedCtrl__RespOnly payload;

    if (request->payload_case != HOSTED_CTRL__MESSAGE__PAYLOAD_REQ_SET_FEATURE)
        stock_panic("feature: the payload is not looked for before it is read");
    hosted_ctrl__resp_only__init(&payload);
    payload.resp = set_feature(request->req_set_feature->feature, request->req_set_feature->enable);
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_SET_FEATURE;
    reply->resp_set_feature = &payload;
    return true;
}

void stock_ctrl_release(struct release *ret)
{
    const esp_app_desc_t *const description = esp_app_get_description();
    char version[sizeof(description->version) + 1] = "";

    memcpy(version, description->version, sizeof(description->version));
    if (!release_parse(version, ret))
        *ret = (struct release){.name = "FG"};
}

bool stock_ctrl_get_version(const HostedCtrl__Message *request, HostedCtrl__Message *reply)
{
    static HostedCtrl__RespGetVersion payload;
    static struct release release;

    (void)request;
    stock_ctrl_release(&release);
    hosted_ctrl__resp_get_version__init(&payload);
    payload.name = release.name;
    payload.major1 = release.numbers[0];
    payload.major2 = release.numbers[1];
    payload.minor = release.numbers[2];
    payload.patch1 = release.numbers[3];
    payload.patch2 = release.numbers[4];
    reply->payload_case = HOSTED_CTRL__MESSAGE__PAYLOAD_RESP_GET_VERSION;
    reply->resp_get_version = &payload;
    return true;
}
