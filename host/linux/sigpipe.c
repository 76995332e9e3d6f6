/* SPDX-License-Identifier: Apache-2.0 */
#include "sigpipe.h"

#include <time.h>

static sigset_t only_sigpipe(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

static bool is_pending(void)
{
    sigset_t pending;

    sigemptyset(&pending);
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

void sigpipe_hold(struct sigpipe_guard *guard)
{
    const sigset_t set = only_sigpipe();

    guard->pending = is_pending();
    pthread_sigmask(SIG_BLOCK, &set, &guard->before);
}

/* A SIGPIPE is the thread's own that wrote. */
void sigpipe_release(const struct sigpipe_guard *guard)
{
    const sigset_t set = only_sigpipe();

    if (!guard->pending && is_pending())
        sigtimedwait(&set, NULL, &(const struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
