/* SPDX-License-Identifier: Apache-2.0 */
/* The Wi-Fi driver's settings. */
#include "esp_wifi.h"

#include <ctype.h>
#include <string.h>

#include "esp_mac.h"
#include "timers.h"
#include "wifi_driver.h"
#include "world.h"

ESP_EVENT_DEFINE_BASE(WIFI_EVENT);

struct wifi_driver wifi_driver;

static bool has_station(wifi_mode_t mode)
{
    return mode == WIFI_MODE_STA || mode == WIFI_MODE_APSTA;
}

static bool has(wifi_mode_t mode, wifi_interface_t interface)
{
    return interface == WIFI_IF_STA ? has_station(mode)
                                    : mode == WIFI_MODE_AP || mode == WIFI_MODE_APSTA;
}

esp_err_t wifi_driver_check_station(void)
{
    if (!wifi_driver.initialised)
        return ESP_ERR_WIFI_NOT_INIT;
    if (!wifi_driver.started)
        return ESP_ERR_WIFI_NOT_STARTED;
    return has_station(wifi_driver.mode) ? ESP_OK : ESP_ERR_WIFI_MODE;
}

void wifi_driver_post(wifi_event_t event, const void *data, size_t size)
{
    esp_event_post(WIFI_EVENT, event, data, size, portMAX_DELAY);
}

void wifi_driver_arm(struct sim_timer *timer, int64_t us)
{
    const int64_t delay_us = world->clock.mode == SIM_CLOCK_NONE ? 0 : us;

    sim_timer_arm(timer, SIM_TIMER_WORLD, world_now_us() + delay_us);
}

esp_err_t esp_wifi_init(const wifi_init_config_t *config)
{
    if (config == NULL || config->magic != WIFI_INIT_CONFIG_MAGIC)
        return ESP_ERR_INVALID_ARG;
    if (wifi_driver.initialised)
        return ESP_OK;
    wifi_driver = (struct wifi_driver){
        .initialised = true,
        .mode = WIFI_MODE_STA,
        .power_save = WIFI_PS_MIN_MODEM,
    };
    esp_read_mac(wifi_driver.mac[WIFI_IF_STA], ESP_MAC_WIFI_STA);
    esp_read_mac(wifi_driver.mac[WIFI_IF_AP], ESP_MAC_WIFI_SOFTAP);
    return ESP_OK;
}

esp_err_t esp_wifi_deinit(void)
{
    if (!wifi_driver.initialised)
        return ESP_ERR_WIFI_NOT_INIT;
    if (wifi_driver.started)
        return ESP_ERR_WIFI_NOT_STOPPED;
    wifi_driver.initialised = false;
    return ESP_OK;
}

static void switch_station(bool before, bool after)
{
    if (before == after)
        return;
    wifi_station_power(after);
    wifi_driver_post(after ? WIFI_EVENT_STA_START : WIFI_EVENT_STA_STOP, NULL, 0);
}

esp_err_t esp_wifi_set_mode(wifi_mode_t mode)
{
    if (!wifi_driver.initialised)
        return ESP_ERR_WIFI_NOT_INIT;
    if ((unsigned)mode > WIFI_MODE_APSTA) /* the chips of this project have no NAN mode */
        return ESP_ERR_INVALID_ARG;
    if (wifi_driver.started)
        switch_station(has_station(wifi_driver.mode), has_station(mode));
    wifi_driver.mode = mode;
    return ESP_OK;
}

esp_err_t esp_wifi_get_mode(wifi_mode_t *mode)
{
    if (!wifi_driver.initialised)
        return ESP_ERR_WIFI_NOT_INIT;
    if (mode == NULL)
        return ESP_ERR_INVALID_ARG;
    *mode = wifi_driver.mode;
    return ESP_OK;
}

esp_err_t esp_wifi_start(void)
{
    if (!wifi_driver.initialised)
        return ESP_ERR_WIFI_NOT_INIT;
    if (!wifi_driver.started)
        switch_station(false, has_station(wifi_driver.mode));
    wifi_driver.started = true;
    return ESP_OK;
}

esp_err_t esp_wifi_stop(void)
{
    if (!wifi_driver.initialised)
        return ESP_ERR_WIFI_NOT_INIT;
    if (wifi_driver.started)
        switch_station(has_station(wifi_driver.mode), false);
    wifi_driver.started = false;
    return ESP_OK;
}

esp_err_t esp_wifi_set_ps(wifi_ps_type_t type)
{
    if (!wifi_driver.initialised)
        return ESP_ERR_WIFI_NOT_INIT;
    if ((unsigned)type > WIFI_PS_MAX_MODEM)
        return ESP_ERR_INVALID_ARG;
    wifi_driver.power_save = type;
    return ESP_OK;
}

esp_err_t esp_wifi_get_ps(wifi_ps_type_t *type)
{
    if (!wifi_driver.initialised)
        return ESP_ERR_WIFI_NOT_INIT;
    if (type == NULL)
        return ESP_ERR_INVALID_ARG;
    *type = wifi_driver.power_save;
    return ESP_OK;
}

static esp_err_t check_interface(wifi_interface_t interface, const void *argument)
{
    if (!wifi_driver.initialised)
        return ESP_ERR_WIFI_NOT_INIT;
    if (argument == NULL)
        return ESP_ERR_INVALID_ARG;
    return interface == WIFI_IF_STA || interface == WIFI_IF_AP ? ESP_OK : ESP_ERR_WIFI_IF;
}

esp_err_t esp_wifi_set_mac(wifi_interface_t ifx, const uint8_t mac[6])
{
    const esp_err_t rc = check_interface(ifx, mac);

    if (rc != ESP_OK)
        return rc;
    if (!has(wifi_driver.mode, ifx))
        return ESP_ERR_WIFI_MODE;
    if ((mac[0] & 1) != 0 || memcmp(mac, wifi_driver.mac[1 - (int)ifx], 6) == 0)
        return ESP_ERR_WIFI_MAC;
    memcpy(wifi_driver.mac[ifx], mac, 6);
    return ESP_OK;
}

esp_err_t esp_wifi_get_mac(wifi_interface_t ifx, uint8_t mac[6])
{
    const esp_err_t rc = check_interface(ifx, mac);

    if (rc == ESP_OK)
        memcpy(mac, wifi_driver.mac[ifx], 6);
    return rc;
}

static size_t hex_digits(const uint8_t password[64])
{
    size_t digits = 0;

    while (digits < 64 && isxdigit(password[digits]))
        digits++;
    return digits;
}

/* 8 to 63 characters, or 64 hexadecimal digits: the key itself. */
static bool is_password(const uint8_t password[64])
{
    const size_t len = strnlen((const char *)password, 64);

    return len == 0 || (len >= 8 && (len < 64 || hex_digits(password) == 64));
}

esp_err_t esp_wifi_set_config(wifi_interface_t interface, wifi_config_t *conf)
{
    const esp_err_t rc = check_interface(interface, conf);

    if (rc != ESP_OK)
        return rc;
    if (!has(wifi_driver.mode, interface))
        return ESP_ERR_WIFI_MODE;
    if (interface == WIFI_IF_STA && wifi_station_is_connecting())
        return ESP_ERR_WIFI_STATE;
    if (!is_password(interface == WIFI_IF_STA ? conf->sta.password : conf->ap.password))
        return ESP_ERR_WIFI_PASSWORD;
    wifi_driver.config[interface] = *conf;
    return ESP_OK;
}

esp_err_t esp_wifi_get_config(wifi_interface_t interface, wifi_config_t *conf)
{
    const esp_err_t rc = check_interface(interface, conf);

    if (rc == ESP_OK)
        *conf = wifi_driver.config[interface];
    return rc;
}

/* Settings are forgotten at a reset either way: NVS is not modelled. */
esp_err_t esp_wifi_set_storage(wifi_storage_t storage)
{
    if (!wifi_driver.initialised)
        return ESP_ERR_WIFI_NOT_INIT;
    return storage == WIFI_STORAGE_FLASH || storage == WIFI_STORAGE_RAM ? ESP_OK
                                                                        : ESP_ERR_INVALID_ARG;
}
