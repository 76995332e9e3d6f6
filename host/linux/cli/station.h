/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STATION_H
#define STATION_H
/* The Wi-Fi of the ESP32's station: for the tools to say in their ways, and as text. */
#include "cli.h"

/*
 * Joins the network that the options name, and brings ethsta0 up with the ESP32's MAC address,
 * which is left in `ret_mac`. Says its steps on stdout, unless --quiet or --json is given.
 */
int station_join(struct cli_context *context, char ret_mac[HOSTED_MAC_CHARS + 1],
                 struct hosted_fault *fault);

/* Leaves the network and takes ethsta0 down. */
int station_leave(struct cli_context *context, struct hosted_fault *fault);

/* As hosted_get_ap() and hosted_scan(), on the device of the options. */
int station_ap(struct cli_context *context, struct hosted_ap *ret, struct hosted_fault *fault);
int station_find(struct cli_context *context, struct hosted_ap **ret, struct hosted_fault *fault);

/* Commands: they print text and return the exit status. */
int station_connect(struct cli_context *context);
int station_disconnect(struct cli_context *context);
int station_status(struct cli_context *context);
int station_scan(struct cli_context *context);
int station_get_mac(struct cli_context *context);
int station_get_mode(struct cli_context *context);

#endif
