/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STATION_H
#define STATION_H
/* The Wi-Fi commands of test.out; each returns the exit status. */
#include "cli.h"

extern const struct cli_option station_options[];

int station_connect(struct cli_context *context);
int station_disconnect(struct cli_context *context);
int station_status(struct cli_context *context);
int station_scan(struct cli_context *context);
int station_get_mac(struct cli_context *context);
int station_get_mode(struct cli_context *context);

#endif
