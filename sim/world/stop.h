/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_STOP_H
#define SIM_STOP_H
/*
 * SIGTERM and SIGINT end the simulator in order: they are held back everywhere but in stop_poll(),
 * the one place where the process waits. Being held back, a signal survives an exec, too.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* Call first, at every start of the process. */
void stop_install(void);

bool stop_requested(void);

/* As poll(2), but in microseconds (negative: no end), and woken by a request to stop (-EINTR). */
int stop_poll(struct pollfd *fds, nfds_t count, int64_t timeout_us);

#endif
