/* SPDX-License-Identifier: Apache-2.0 */
#include "air.h"

#include <string.h>
#include <unistd.h>

static const struct air_station *s_station;

void air_set_station(const struct air_station *station)
{
    s_station = station;
}

static enum air_answer ask(const struct air_ap *ap, const char *password)
{
    if ((ap->security == AIR_OPEN) != (password[0] == '\0'))
        return AIR_OTHER_SECURITY;
    if (ap->security != AIR_OPEN && strcmp(ap->password, password) != 0)
        return AIR_WRONG_PASSWORD;
    return AIR_JOINED;
}

enum air_answer air_join(struct air *air, const char *ssid, const uint8_t *bssid,
                         const char *password)
{
    enum air_answer best = AIR_NOT_FOUND;

    air->joined = AIR_NO_AP;
    for (int i = 0; i < air->count; i++) {
        const struct air_ap *ap = &air->aps[i];

        if (ap->off || strcmp(ap->ssid, ssid) != 0 ||
            (bssid != NULL && memcmp(ap->bssid, bssid, sizeof(ap->bssid)) != 0))
            continue;

        const enum air_answer answer = ask(ap, password);

        if (answer == AIR_JOINED) {
            if (air->joined == AIR_NO_AP || ap->rssi > air->aps[air->joined].rssi)
                air->joined = i;
            best = AIR_JOINED;
        } else if (best == AIR_NOT_FOUND || best == AIR_OTHER_SECURITY) {
            best = answer;
        }
    }
    return best;
}

void air_leave(struct air *air)
{
    air->joined = AIR_NO_AP;
}

void air_send(const struct air *air, const uint8_t *ethernet, size_t len)
{
    if (air->joined == AIR_NO_AP || air->aps[air->joined].tap < 0)
        return;
    /* A TAP that is down or full loses the frame, as a wire does. */
    (void)!write(air->aps[air->joined].tap, ethernet, len);
}

void air_receive(const struct air *air, int ap)
{
    uint8_t frame[AIR_FRAME_BYTES];
    const ssize_t len = read(air->aps[ap].tap, frame, sizeof(frame));

    if (len > 0 && ap == air->joined && s_station != NULL)
        s_station->on_frame(frame, (size_t)len);
}

void air_discard_received(const struct air *air)
{
    uint8_t frame[AIR_FRAME_BYTES];

    if (air->joined == AIR_NO_AP || air->aps[air->joined].tap < 0)
        return;
    while (read(air->aps[air->joined].tap, frame, sizeof(frame)) > 0)
        continue;
}

int air_switch(struct air *air, const char *ssid, bool on)
{
    int found = 0;

    for (int i = 0; i < air->count; i++) {
        if (strcmp(air->aps[i].ssid, ssid) != 0)
            continue;
        air->aps[i].off = !on;
        found++;
        if (!on && air->joined == i) {
            air_leave(air);
            if (s_station != NULL)
                s_station->on_lost();
        }
    }
    return found;
}
