/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_COMMAND_H
#define SIM_COMMAND_H
/*
 * The commands of the control socket:
 *
 *   status           a JSON object
 *   advance SECONDS  moves a computed clock, and fires what becomes due on the way
 *   reset            as the EN pin does
 *   ap-off SSID      the access point vanishes; ap-on SSID brings it back
 *
 * The answer is "ok", the object, or "error: " and a reason.
 */

/* Runs one line of `client` and answers, an `advance` later. */
void command_run(int client, const char *line);

/* Ends the `advance` under way: everything that it made due has fired. */
void command_finish_advance(void);

#endif
