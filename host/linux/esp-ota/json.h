/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESP_OTA_JSON_H
#define ESP_OTA_JSON_H
/*
 * --json: one object on one line of stdout, also for a failure:
 *   {"status": 4, "error": "...", "message": "..."}
 * Bytes of a device or a network that are no UTF-8 are shown as \xNN.
 */
#include <cjson/cJSON.h>

#include "cli.h"

/* Adds a text that is printable already; "" becomes null. */
void json_add_text(cJSON *object, const char *name, const char *text);

/* Prints the object, ends it, and returns `status`. */
int json_print(cJSON *object, int status);

/* Prints the failure; returns its status. */
int json_fail(const struct hosted_fault *fault);

#endif
