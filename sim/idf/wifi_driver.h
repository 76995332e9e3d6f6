/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_WIFI_DRIVER_H
#define SIM_WIFI_DRIVER_H
/* What the three files of the Wi-Fi driver share: driver, station, scan. */
#include <stdbool.h>
#include <stdint.h>

#include "esp_wifi.h"

struct wifi_driver {
    bool initialised, started;
    wifi_mode_t mode;
    wifi_ps_type_t power_save;
    wifi_config_t config[2]; /* by wifi_interface_t */
    uint8_t mac[2][6];
};

extern struct wifi_driver wifi_driver;

/* ESP_OK when there is a station that can act. */
esp_err_t wifi_driver_check_station(void);

void wifi_driver_post(wifi_event_t event, const void *data, size_t size);

/* `us` from now, by itself; at once where nothing takes time. */
struct sim_timer;
void wifi_driver_arm(struct sim_timer *timer, int64_t us);

/* The mode changes: what the station was doing ends. */
void wifi_station_power(bool on);
bool wifi_station_is_connecting(void);

/* How the driver describes an access point. */
struct air_ap;
void wifi_describe_ap(const struct air_ap *ap, wifi_ap_record_t *ret);

#endif
