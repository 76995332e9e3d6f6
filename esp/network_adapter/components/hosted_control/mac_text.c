/* SPDX-License-Identifier: Apache-2.0 */
#include "mac_text.h"

#include <stdio.h>
#include <string.h>

void mac_to_text(const uint8_t mac[6], char text[CONTROL_MAC_CHARS + 1])
{
    snprintf(text, CONTROL_MAC_CHARS + 1, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool mac_from_text(const char *text, uint8_t mac[6])
{
    if (strlen(text) != CONTROL_MAC_CHARS)
        return false;
    for (int i = 0; i < 6; i++, text += 3) {
        const int high = hex_value(text[0]);
        const int low = hex_value(text[1]);

        if (high < 0 || low < 0 || text[2] != (i < 5 ? ':' : '\0'))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
