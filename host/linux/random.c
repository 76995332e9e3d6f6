/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/random.h>

#include "link.h"

uint32_t random_number(void)
{
    uint32_t number;

    /* Early in the boot of a host there may be none yet: the clock does then. */
    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
        number = (uint32_t)clock_ms();
    return number;
}
