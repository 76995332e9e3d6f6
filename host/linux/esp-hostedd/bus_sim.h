/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_BUS_SIM_H
#define HOSTEDD_BUS_SIM_H
/* The bus of esp32-sim: a Unix SOCK_SEQPACKET socket, one packet a frame. */
#include <sys/un.h>

#include "bus.h"

struct bus_sim {
    struct bus bus;
    struct sockaddr_un address;
    int fd; /* -1 while closed */
};

/* 0, or -ENAMETOOLONG for a path that no socket address can hold. */
int bus_sim_init(struct bus_sim *sim, const char *path);

#endif
