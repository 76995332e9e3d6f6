/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INHIBIT_H
#define CLI_INHIBIT_H
/* No suspend and no shutdown in the middle of an update, where logind decides about both. */

struct hosted_cancel;

/*
 * Asks logind, by systemd-inhibit, for a lock ("block") against both, in the name of `who`, which
 * is shown to whoever asks for a shutdown. Returns a descriptor: to be closed, by the end of the
 * process too, when they may be again. -errno if there is no bus, no systemd-inhibit, no logind, no
 * right, or no answer for 2 s: then there is no lock, which is no reason not to update. `cancel`
 * may be NULL.
 */
int cli_inhibit(const char *who, const struct hosted_cancel *cancel);

#endif
