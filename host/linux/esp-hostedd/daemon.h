/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_DAEMON_H
#define HOSTEDD_DAEMON_H
/* Bus on one side, control device and network interface on the other, until a signal ends it. */
#include <sys/types.h>

#include "bus.h"

struct daemon_options {
    struct bus *bus;
    const char *bus_name;     /* for messages */
    const char *control_path; /* the control device is to be found there */
    gid_t control_group;      /* who may use it besides this user; CONTROL_PTY_NO_GROUP: nobody */
    const char *tap_name;     /* NULL: no network interface */
};

/*
 * Serves until SIGTERM, SIGINT or SIGHUP. Returns 0 then, or -errno when something of this host
 * fails, said on standard error; an ESP32 that is away is no failure.
 */
int daemon_serve(const struct daemon_options *options);

#endif
