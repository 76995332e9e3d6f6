/* SPDX-License-Identifier: Apache-2.0 */
#include "wifi.h"

#include <stdlib.h>
#include <string.h>

#include "hosted/netif.h"
#include "json.h"
#include "station.h"

static cJSON *new_result(void)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddNumberToObject(object, "status", HOSTED_DONE);
    return object;
}

int wifi_connect(struct cli_context *context)
{
    char mac[HOSTED_MAC_CHARS + 1];
    struct hosted_fault fault;

    if (!context->options.json)
        return station_connect(context);
    if (station_join(context, mac, &fault) < 0)
        return json_fail(&fault);

    const char *ssid = context->options.ssid;
    cJSON *object = new_result();

    json_add_bytes(object, "ssid", ssid, strlen(ssid));
    cJSON_AddStringToObject(object, "interface", HOSTED_STATION_INTERFACE);
    cJSON_AddStringToObject(object, "mac", mac);
    return json_print(object, HOSTED_DONE);
}

int wifi_disconnect(struct cli_context *context)
{
    struct hosted_fault fault;

    if (!context->options.json)
        return station_disconnect(context);
    if (station_leave(context, &fault) < 0)
        return json_fail(&fault);
    return json_print(new_result(), HOSTED_DONE);
}

int wifi_status(struct cli_context *context)
{
    struct hosted_ap ap = {0};
    struct hosted_fault fault;

    if (!context->options.json)
        return station_status(context);
    if (station_ap(context, &ap, &fault) < 0)
        return json_fail(&fault);

    cJSON *object = new_result();

    json_add_ap(cJSON_AddObjectToObject(object, "network"), &ap);
    return json_print(object, HOSTED_DONE);
}

int wifi_scan(struct cli_context *context)
{
    struct hosted_ap *list = NULL;
    struct hosted_fault fault;

    if (!context->options.json)
        return station_scan(context);

    const int count = station_find(context, &list, &fault);

    if (count < 0)
        return json_fail(&fault);

    cJSON *object = new_result();
    cJSON *networks = cJSON_AddArrayToObject(object, "networks");

    for (int i = 0; i < count; i++) {
        cJSON *network = cJSON_CreateObject();

        json_add_ap(network, &list[i]);
        cJSON_AddItemToArray(networks, network);
    }
    free(list);
    return json_print(object, HOSTED_DONE);
}
