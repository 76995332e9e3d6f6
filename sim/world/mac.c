/* SPDX-License-Identifier: Apache-2.0 */
#include "mac.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAC_CHARS 17

int mac_parse(const char *text, uint8_t ret[6])
{
    uint8_t mac[6];

    if (strlen(text) != MAC_CHARS)
        return -EINVAL;
    for (int i = 0; i < 6; i++) {
        const char *const byte = text + (size_t)3 * i;

        if (!isxdigit((unsigned char)byte[0]) || !isxdigit((unsigned char)byte[1]) ||
            byte[2] != (i < 5 ? ':' : '\0'))
            return -EINVAL;
        mac[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
    memcpy(ret, mac, sizeof(mac));
    return 0;
}
