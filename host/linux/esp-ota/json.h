/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_OTA_JSON_H
#define ESP_OTA_JSON_H
/*
 * --json: one object a line of stdout. The last line is the result and has "status", also for a
 * failure:
 *   {"status": 4, "error": "...", "message": "..."}
 * Lines before it have "event". docs/json.md says what is in them. Bytes of a device or a network
 * that are no UTF-8 are shown as \xNN.
 */
#include <cjson/cJSON.h>

#include "cli.h"

/* Adds a text that is printable already; "" becomes null. */
void json_add_text(cJSON *object, const char *name, const char *text);

/* Adds bytes that anybody may have chosen, as printable text. */
void json_add_bytes(cJSON *object, const char *name, const char *bytes, size_t len);

/* Adds a number; one that is not known, < 0, becomes null. */
void json_add_number(cJSON *object, const char *name, double number);

/* Adds what the ESP32 sees of an access point: ssid, bssid, channel, rssi, encryption. */
void json_add_ap(cJSON *object, const struct hosted_ap *ap);

/* Prints the object, ends it, and returns `status`. */
int json_print(cJSON *object, int status);

/* Prints an object that is no result at once, for who reads along, and ends it. 0, or -errno of
 * what is wrong with stdout. */
int json_print_event(cJSON *object);

/* Adds what is known of an image that was read to its end. */
void json_add_image(cJSON *object, const char *source, const struct hosted_image *image);

/* Prints the failure; returns its status. */
int json_fail(const struct hosted_fault *fault);

/* A line for one of the reasons against an update. */
void json_print_objection(const struct hosted_fault *fault);

#endif
