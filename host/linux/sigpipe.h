/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SIGPIPE_H
#define HOST_SIGPIPE_H
/*
 * Keeps SIGPIPE from a process whose TLS library writes into a connection that has gone, without a
 * change to how the process handles it.
 */
#include <signal.h>
#include <stdbool.h>

struct sigpipe_guard {
    sigset_t before;
    bool pending; /* already then: it is not ours */
};

/* In one thread, and not one inside the other. */
void sigpipe_hold(struct sigpipe_guard *guard);
void sigpipe_release(const struct sigpipe_guard *guard);

#endif
