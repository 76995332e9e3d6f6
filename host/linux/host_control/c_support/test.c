/* SPDX-License-Identifier: Apache-2.0 */
/* test.out, the C tool of the ESP-Hosted specification. */
#include "station.h"

static const struct cli_command commands[] = {
    {"ota", "IMAGE_OR_URL", "update the ESP32's firmware; '-' reads standard input", cli_update,
     true},
    {"sta_connect", NULL, "join a Wi-Fi network and bring ethsta0 up", station_connect, false},
    {"sta_disconnect", NULL, "leave it and take ethsta0 down", station_disconnect, false},
    {"sta_status", NULL, "which access point the ESP32 is connected to", station_status, false},
    {"scan", NULL, "which access points are in reach", station_scan, false},
    {"get_mac", NULL, "MAC address of the ESP32's station", station_get_mac, false},
    {"get_mode", NULL, "Wi-Fi mode of the ESP32", station_get_mode, false},
    {NULL, NULL, NULL, NULL, false},
};

static const struct cli_program program = {
    .name = "test.out",
    .purpose = "Controls an ESP32 that runs ESP-Hosted.",
    .commands = commands,
    .own_options = station_options,
};

int main(int argc, char **argv)
{
    return cli_main(&program, argc, argv);
}
