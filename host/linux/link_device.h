/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_LINK_DEVICE_H
#define HOST_LINK_DEVICE_H
/* The control device: a character device of upstream's kernel module, or a pty of esp-hostedd. */
#include "link.h"

/* A link over an open, non-blocking descriptor, which it takes over, also when it fails. */
int link_device_new(int fd, struct link **ret);

#endif
