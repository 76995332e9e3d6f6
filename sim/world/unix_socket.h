/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_UNIX_SOCKET_H
#define SIM_UNIX_SOCKET_H
/*
 * Listens at `path` with a Unix socket of `type`, non-blocking, closed by exec. A socket that a
 * dead process left there is replaced; one that somebody listens at is not (-EADDRINUSE), and
 * neither is any other file. Returns the descriptor or -errno.
 */
int unix_socket_listen(const char *path, int type);

#endif
