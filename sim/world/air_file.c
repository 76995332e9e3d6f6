/* SPDX-License-Identifier: Apache-2.0 */
/* The access points' file: JSON, read once at the start. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "air.h"
#include "mac.h"
#include "tap.h"

#define FILE_MAX_BYTES (64 * 1024)

/* Where a complaint goes, and whose it is. */
struct complaint {
    const char *path;
    int entry; /* from 1; 0: the file as a whole */
    char *why;
    size_t size;
};

static int complain(const struct complaint *to, const char *what)
{
    if (to->entry > 0)
        snprintf(to->why, to->size, "%s: access point %d: %s", to->path, to->entry, what);
    else
        snprintf(to->why, to->size, "%s: %s", to->path, what);
    return -EINVAL;
}

/* Copies the string `name`, if the object has it. Returns false when it is no string or too long.
 */
static bool take_string(const cJSON *object, const char *name, char *ret, size_t size)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    if (value == NULL || cJSON_IsNull(value))
        return true;
    if (!cJSON_IsString(value) || strlen(value->valuestring) >= size)
        return false;
    strcpy(ret, value->valuestring);
    return true;
}

/* Takes the number `name`, or `otherwise` where there is none. Returns false when out of range. */
static bool take_number(const cJSON *object, const char *name, int min, int max, int otherwise,
                        int *ret)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    if (value == NULL) {
        *ret = otherwise;
        return true;
    }
    if (!cJSON_IsNumber(value) || value->valueint < min || value->valueint > max)
        return false;
    *ret = value->valueint;
    return true;
}

static bool security_by_name(const char *name, enum air_security *ret)
{
    static const char *const names[] = {
        [AIR_OPEN] = "open", [AIR_WPA2] = "wpa2", [AIR_WPA3] = "wpa3"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            *ret = (enum air_security)i;
            return true;
        }
    }
    return false;
}

static int take_ap(const cJSON *object, const struct complaint *to, struct air_ap *ret)
{
    struct air_ap ap = {.tap = -1};
    char bssid[18] = "02:00:00:00:00:01";
    char security[8] = "";
    int channel, rssi;

    if (!take_string(object, "ssid", ap.ssid, sizeof(ap.ssid)) || ap.ssid[0] == '\0')
        return complain(to, "\"ssid\" must be a string of 1 to 32 bytes");
    if (!take_string(object, "bssid", bssid, sizeof(bssid)) || mac_parse(bssid, ap.bssid) < 0)
        return complain(to, "\"bssid\" must look like 11:22:33:44:55:66");
    if (!take_number(object, "channel", 1, 14, 1, &channel))
        return complain(to, "\"channel\" must be 1 to 14");
    if (!take_number(object, "rssi", -127, 0, -50, &rssi))
        return complain(to, "\"rssi\" must be -127 to 0");
    if (!take_string(object, "password", ap.password, sizeof(ap.password)))
        return complain(to, "\"password\" must be a string of up to 64 bytes");
    strcpy(security, ap.password[0] != '\0' ? "wpa2" : "open");
    if (!take_string(object, "security", security, sizeof(security)) ||
        !security_by_name(security, &ap.security))
        return complain(to, "\"security\" must be open, wpa2 or wpa3");
    if ((ap.security == AIR_OPEN) != (ap.password[0] == '\0'))
        return complain(to, "\"password\" goes with wpa2 and wpa3, and not with open");
    if (!take_string(object, "tap", ap.tap_name, sizeof(ap.tap_name)))
        return complain(to, "\"tap\" must be the name of an interface");
    ap.channel = (uint8_t)channel;
    ap.rssi = (int8_t)rssi;
    *ret = ap;
    return 0;
}

/* A TAP has one owner; two access points of one network would need a bridge. */
static int open_tap(struct air *air, int ap, const struct complaint *to)
{
    struct air_ap *const opened = &air->aps[ap];
    char what[96];

    if (opened->tap_name[0] == '\0')
        return 0;
    for (int i = 0; i < ap; i++) {
        if (strcmp(air->aps[i].tap_name, opened->tap_name) == 0)
            return complain(to, "another access point has this \"tap\" already");
    }

    opened->tap = tap_open(opened->tap_name);
    if (opened->tap >= 0)
        return 0;
    snprintf(what, sizeof(what), "TAP %s: %s", opened->tap_name, strerror(-opened->tap));
    complain(to, what);
    return opened->tap;
}

static int take_list(struct air *air, const cJSON *list, struct complaint *to)
{
    const cJSON *object;

    if (!cJSON_IsArray(list))
        return complain(to, "this is not a JSON list of access points");
    cJSON_ArrayForEach(object, list)
    {
        to->entry = air->count + 1;
        if (air->count == AIR_MAX_APS)
            return complain(to, "there is room for 32");

        int rc = take_ap(object, to, &air->aps[air->count]);

        if (rc == 0)
            rc = open_tap(air, air->count, to);
        if (rc < 0)
            return rc;
        air->count++;
    }
    return 0;
}

int air_load(struct air *air, const char *path, char *why, size_t size)
{
    struct complaint to = {.path = path, .why = why, .size = size};

    air->count = 0;
    air->joined = AIR_NO_AP;
    if (path == NULL)
        return 0;

    FILE *const file = fopen(path, "re");

    if (file == NULL) {
        const int rc = -errno;

        complain(&to, strerror(-rc));
        return rc;
    }

    char *const text = malloc(FILE_MAX_BYTES);
    const size_t len = text != NULL ? fread(text, 1, FILE_MAX_BYTES, file) : 0;
    cJSON *const list = cJSON_ParseWithLength(text, len);
    const int rc = take_list(air, list, &to);

    cJSON_Delete(list);
    free(text);
    fclose(file);
    return rc;
}
