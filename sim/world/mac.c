/* SPDX-License-Identifier: Apache-2.0 */
#include "mac.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int mac_parse(const char *text, uint8_t ret[6])
{
    unsigned byte[6];
    int end = 0;

    if (strlen(text) != 17
        || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3],
                  &byte[4], &byte[5], &end) != 6
        || end != 17)
        return -EINVAL;
    for (int i = 0; i < 6; i++)
        ret[i] = (uint8_t)byte[i];
    return 0;
}
