/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "cancel.h"
#include "link.h"

int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int clock_wait(const struct hosted_cancel *cancel, int64_t deadline_ms)
{
    return cancel_wait_fd(cancel, -1, 0, deadline_ms);
}
