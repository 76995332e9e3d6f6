/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_IDF_VERSION_H
#define ESP_IDF_VERSION_H
/* The release whose calls are here: components/esp_common. Tests set another one, to compile what
 * the firmware does on that; the calls that it has not are then not declared. */

#ifndef ESP_IDF_VERSION_MAJOR
#define ESP_IDF_VERSION_MAJOR 5
#define ESP_IDF_VERSION_MINOR 5
#define ESP_IDF_VERSION_PATCH 1
#endif

#define ESP_IDF_VERSION_VAL(major, minor, patch) (((major) << 16) | ((minor) << 8) | (patch))
#define ESP_IDF_VERSION                                                                            \
    ESP_IDF_VERSION_VAL(ESP_IDF_VERSION_MAJOR, ESP_IDF_VERSION_MINOR, ESP_IDF_VERSION_PATCH)

#endif
