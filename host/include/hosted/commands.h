/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_COMMANDS_H
#define HOSTED_COMMANDS_H
/*
 * The commands of the ESP-Hosted OTA specification, with its names and results: SUCCESS or FAILURE.
 * Each opens the control device ($ESP_HOSTED_DEVICE, else /dev/esps0), except that from
 * esp_ota_begin() to esp_ota_end() or a failure it stays open and locked. One thread at a time.
 * For reasons, progress and checks of the image use hosted/update.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hosted/device.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SUCCESS 0
#define FAILURE (-1)

/* Device, timeout and dialect of all further commands; strings are borrowed. NULL: defaults. */
void commands_configure(const struct hosted_options *options);

/* Why the last command failed; never NULL, valid until the next one. */
const struct hosted_fault *commands_last_fault(void);

/* Has the ESP32 prepare its spare slot for an image: stock firmware erases it here, for seconds. */
int esp_ota_begin(void);
/* Sends the next `len` bytes of the image, of any number, and waits until they are written. */
int esp_ota_write(const void *data, size_t len);
/* Has the ESP32 verify the image and select it for the next boot, 5 s later. Only after all
 * writes have succeeded: otherwise FAILURE, and nothing is sent. */
int esp_ota_end(void);

/* `mode` 1: station, 2: soft access point. `mac` takes "aa:bb:cc:dd:ee:ff" and its NUL. */
int wifi_get_mac(int mode, char mac[HOSTED_MAC_CHARS + 1]);
int wifi_set_mac(int mode, const char *mac);

/* Mode: 0 none, 1 station, 2 soft access point, 3 both. */
int wifi_get_mode(int *mode);
int wifi_set_mode(int mode);

int wifi_set_ap_config(const struct hosted_network *network); /* joins it */
int wifi_get_ap_config(struct hosted_ap *ap);                 /* FAILURE: not connected */
int wifi_disconnect_ap(void);

/* The number of access points in *list, which the caller frees with free(); or FAILURE. */
int wifi_ap_scan_list(struct hosted_ap **list);

/* Brings an interface up with the MAC of the ESP32's station or soft access point, and down. */
int interface_up(int mode, const char *interface);
int interface_down(const char *interface);

#ifdef __cplusplus
}
#endif

#endif
