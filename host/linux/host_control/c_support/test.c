/* SPDX-License-Identifier: Apache-2.0 */
/* test.out, the C tool of the ESP-Hosted specification. */
#include "station.h"

static const struct cli_command commands[] = {
    {"ota", "IMAGE_OR_URL", CLI_DEVICE | CLI_SOURCE | CLI_IMAGE | CLI_UPDATE,
     "update the ESP32's firmware; '-' reads standard input", cli_update, true},
    {"sta_connect", NULL, CLI_DEVICE | CLI_STATION, "join a Wi-Fi network and bring ethsta0 up",
     station_connect, false},
    {"sta_disconnect", NULL, CLI_DEVICE, "leave it and take ethsta0 down", station_disconnect,
     false},
    {"sta_status", NULL, CLI_DEVICE, "which access point the ESP32 is connected to", station_status,
     false},
    {"scan", NULL, CLI_DEVICE, "which access points are in reach", station_scan, false},
    {"get_mac", NULL, CLI_DEVICE, "MAC address of the ESP32's station", station_get_mac, false},
    {"get_mode", NULL, CLI_DEVICE, "Wi-Fi mode of the ESP32", station_get_mode, false},
    {NULL, NULL, 0, NULL, NULL, false},
};

static const struct cli_program program = {
    .name = "test.out",
    .purpose = "Controls an ESP32 that runs ESP-Hosted.",
    .commands = commands,
};

int main(int argc, char **argv)
{
    return cli_main(&program, argc, argv);
}
