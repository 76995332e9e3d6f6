/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_TAP_H
#define HOSTEDD_TAP_H
/* The network interface of the ESP32's station: one Ethernet frame per read() and write(). */
#include <stdbool.h>

#define TAP_CLONE_DEVICE "/dev/net/tun"

/* Ethernet without checksum; the drivers of ESP-Hosted carry no more, a VLAN tag included. */
#define TAP_MIN_BYTES 14
#define TAP_MAX_BYTES 1514

/*
 * Makes the interface `name`, or takes the TAP interface of that name that is there, without
 * carrier. Returns a non-blocking descriptor (close() removes an interface that was made here), or
 * -errno with *ret_step naming what failed.
 */
int tap_open(const char *name, const char **ret_step);

/* -errno where the kernel is older than 5.0; carrier is then always on. */
int tap_set_carrier(int tap, bool on);

#endif
