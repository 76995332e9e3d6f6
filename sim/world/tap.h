/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_TAP_H
#define SIM_TAP_H
/*
 * The wire behind an access point: the TAP interface `name` of this process's network namespace,
 * created if it is not there. Returns a descriptor (non-blocking, closed by exec) or -errno.
 */
int tap_open(const char *name);

#endif
