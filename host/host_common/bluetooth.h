/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_BLUETOOTH_H
#define HOST_BLUETOOTH_H
/* The ESP32's other service; it lies with the operating system (host/linux/bluetooth.c). */
#include "hosted/fault.h"

/*
 * Whether the host uses a Bluetooth adapter that may be the ESP32's, over the bus that the update
 * of `path` needs. 0 if not, or if that cannot be known; -EBUSY (HOSTED_BUSY) with the advice.
 */
int bluetooth_check(const char *path, struct hosted_fault *fault);

#endif
