/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DHCP_H
#define DHCP_H
#include "hosted/fault.h"

/*
 * Has the first of udhcpc, dhclient and dhcpcd that is installed get an address for `interface`,
 * and waits for it; what it says goes to stderr. 0; -ENOENT: none of them is there; -EIO: it
 * failed. Always HOSTED_LOCAL.
 */
int dhcp_run(const char *interface, struct hosted_fault *fault);

#endif
