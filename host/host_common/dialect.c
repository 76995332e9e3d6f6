/* SPDX-License-Identifier: Apache-2.0 */
#include "dialect.h"

#include <string.h>

static const struct dialect *const dialects[] = {&dialect_classic, &dialect_ctrl, &dialect_mcu};

#define COUNT (sizeof(dialects) / sizeof(dialects[0]))

const struct dialect *dialect_find(enum hosted_dialect id)
{
    for (size_t i = 0; i < COUNT; i++)
        if (dialects[i]->id == id)
            return dialects[i];
    return NULL;
}

static bool is_endpoint(const struct serial_tlv *message, const char *name)
{
    return name != NULL && message->endpoint_len == strlen(name) &&
           memcmp(message->endpoint, name, message->endpoint_len) == 0;
}

const struct dialect *dialect_of_message(const struct serial_tlv *message)
{
    for (size_t i = 0; i < COUNT; i++)
        if (is_endpoint(message, dialects[i]->endpoint) ||
            is_endpoint(message, dialects[i]->event_endpoint))
            return dialects[i];
    return NULL;
}

const char *hosted_dialect_name(enum hosted_dialect dialect)
{
    switch (dialect) {
    case HOSTED_DIALECT_CLASSIC:
        return "classic";
    case HOSTED_DIALECT_CTRL:
        return "ctrl";
    case HOSTED_DIALECT_MCU:
        return "mcu";
    case HOSTED_DIALECT_AUTO:
        break;
    }
    return "auto";
}
