/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <stddef.h>

#include "hosted/update.h"

static const char *name_of(const char *const *names, size_t count, unsigned number)
{
    return number < count ? names[number] : "unknown";
}

#define NAME_OF(names, number) name_of(names, sizeof(names) / sizeof((names)[0]), number)

const char *cli_encryption_name(enum hosted_encryption encryption)
{
    static const char *const names[] = {
        [HOSTED_OPEN] = "open",
        [HOSTED_WEP] = "WEP",
        [HOSTED_WPA_PSK] = "WPA",
        [HOSTED_WPA2_PSK] = "WPA2",
        [HOSTED_WPA_WPA2_PSK] = "WPA/WPA2",
        [HOSTED_WPA2_ENTERPRISE] = "WPA2 enterprise",
        [HOSTED_WPA3_PSK] = "WPA3",
        [HOSTED_WPA2_WPA3_PSK] = "WPA2/WPA3",
    };

    return NAME_OF(names, encryption);
}

const char *cli_mode_name(enum hosted_mode mode)
{
    static const char *const names[] = {
        [HOSTED_MODE_NONE] = "none",
        [HOSTED_MODE_STATION] = "station",
        [HOSTED_MODE_ACCESS_POINT] = "access point",
        [HOSTED_MODE_BOTH] = "station and access point",
    };

    return NAME_OF(names, mode);
}

const char *cli_event_name(enum hosted_event_kind kind)
{
    static const char *const names[] = {
        [HOSTED_EVENT_INIT] = "init",           [HOSTED_EVENT_HEARTBEAT] = "heartbeat",
        [HOSTED_EVENT_CONNECTED] = "connected", [HOSTED_EVENT_DISCONNECTED] = "disconnected",
        [HOSTED_EVENT_OTHER] = "other",
    };

    return NAME_OF(names, kind);
}

const char *cli_chip_name(uint16_t chip_id)
{
    const char *name = hosted_chip_name(chip_id);

    return name != NULL ? name : "unknown chip";
}
