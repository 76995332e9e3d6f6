/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_NETIF_H
#define HOSTED_NETIF_H
/* The network interface that belongs to the ESP32's station: ethsta0. Linux only. */
#include "hosted/fault.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HOSTED_STATION_INTERFACE "ethsta0"

/*
 * Gives the interface the hardware address `mac` ("aa:bb:cc:dd:ee:ff"), for which it is taken down
 * if it has another one, and takes it up; its other flags stay as they are. 0, -ENODEV (no such
 * interface), -EPERM, or what the kernel said; always HOSTED_LOCAL.
 */
int hosted_netif_up(const char *interface, const char *mac, struct hosted_fault *fault);
int hosted_netif_down(const char *interface, struct hosted_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
