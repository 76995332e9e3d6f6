/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_ROUTES_H
#define HOSTEDD_ROUTES_H
/*
 * What becomes of that which bus, control device and network interface bring. Nothing here waits:
 * the caller says when a descriptor may have something, and when time has passed.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bus_link.h"
#include "control_pty.h"
#include "daemon.h"
#include "observer.h"
#include "serial_cutter.h"

struct routes {
    const struct daemon_options *options;

    struct bus_link link;
    bool waiting_said;
    bool heard; /* the ESP32 has said something since the bus is up */
    bool mcu_said;

    struct control_pty control;
    struct serial_cutter cutter;
    bool pty_readable;    /* it may have more: set by the caller, cleared once read to the end */
    uint64_t quiet_at_ms; /* when bytes that are no whole message yet will be handed on */

    struct observer observer;
    int tap; /* -1: none */
    bool carrier;
};

/* Connects, sends and forwards what is due. Before every wait. */
void routes_run(struct routes *routes);

/* How long the wait may be, in milliseconds; -1: until a descriptor has something. */
int routes_timeout(const struct routes *routes);

/* Whether frames wait for the bus: then the network interface does, too. */
bool routes_bus_is_busy(const struct routes *routes);

void routes_on_bus(struct routes *routes);

/* 0, or -errno when the interface has gone. */
int routes_on_tap(struct routes *routes);

#endif
