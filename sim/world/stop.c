/* SPDX-License-Identifier: Apache-2.0 */
#include "stop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t s_requested;
static sigset_t s_while_waiting;

static void on_signal(int number)
{
    (void)number;
    s_requested = 1;
}

void stop_install(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t held_back;

    sigemptyset(&held_back);
    sigaddset(&held_back, SIGTERM);
    sigaddset(&held_back, SIGINT);
    sigprocmask(SIG_BLOCK, &held_back, &s_while_waiting);
    sigdelset(&s_while_waiting, SIGTERM); /* after an exec they were blocked already */
    sigdelset(&s_while_waiting, SIGINT);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

bool stop_requested(void)
{
    return s_requested != 0;
}

int stop_poll(struct pollfd *fds, nfds_t count, int64_t timeout_us)
{
    const struct timespec timeout = {
        .tv_sec = timeout_us / 1000000,
        .tv_nsec = timeout_us % 1000000 * 1000,
    };
    const int ready = ppoll(fds, count, timeout_us < 0 ? NULL : &timeout, &s_while_waiting);

    return ready < 0 ? -errno : ready;
}
