/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_DESCRIPTOR_H
#define HOST_DESCRIPTOR_H

/*
 * The same open file as `fd` under a number above 2, close-on-exec: in a process that runs with
 * standard input, output or error closed, what anybody prints would go into it. `fd` itself if it
 * is above 2, else it is closed; -errno if it is negative (as errno says) or if there is none left.
 */
int descriptor_above_standard(int fd);

#endif
