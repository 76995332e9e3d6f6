/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_AIR_H
#define SIM_AIR_H
/*
 * The air around the antenna: access points from --aps FILE, each with a TAP as the wire behind it.
 * They stay over resets of the chip; that a station is associated with one does not.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AIR_MAX_APS     32
#define AIR_FRAME_BYTES 1600 /* Ethernet, of a 1500 byte MTU and some more */
#define AIR_NO_AP       (-1)

enum air_security {
    AIR_OPEN,
    AIR_WPA2,
    AIR_WPA3,
};

struct air_ap {
    char ssid[33];
    uint8_t bssid[6];
    uint8_t channel;
    int8_t rssi; /* dBm */
    enum air_security security;
    char password[65];
    char tap_name[16];
    int tap;  /* -1: nothing behind it */
    bool off; /* switched off by ap-off */
};

struct air {
    struct air_ap aps[AIR_MAX_APS];
    int count;
    int joined; /* index of the AP that the station is associated with, or AIR_NO_AP */
};

/*
 * Reads the file (design: a JSON list of objects) and opens the TAPs. NULL: an empty air.
 * Returns 0, or -errno with a sentence for the user in `why`.
 */
int air_load(struct air *air, const char *path, char *why, size_t size);

/* What a station that tries to join meets. */
enum air_answer {
    AIR_JOINED,
    AIR_NOT_FOUND,
    AIR_OTHER_SECURITY, /* found, but one of the two wants a password and the other has none */
    AIR_WRONG_PASSWORD,
};

/*
 * Associates the station with the strongest access point of that name that lets it in, and with
 * none other than `bssid` where that is not NULL. `password` "" is none.
 */
enum air_answer air_join(struct air *air, const char *ssid, const uint8_t *bssid,
                         const char *password);

/* The station goes away. */
void air_leave(struct air *air);

/* What a station hears. Called from the main loop. */
struct air_station {
    void (*on_frame)(const uint8_t *ethernet, size_t len); /* from the TAP of its AP */
    void (*on_lost)(void);                                 /* its AP vanished */
};

/* Replaces the station (of this chip, until its reset); NULL: the radio is off. */
void air_set_station(const struct air_station *station);

/* One Ethernet frame of the associated station to the wire behind its AP. */
void air_send(const struct air *air, const uint8_t *ethernet, size_t len);

/* Takes one frame from the TAP of `ap` and gives it to the station if that is associated there. */
void air_receive(const struct air *air, int ap);

/* Throws away what has arrived for the station so far. */
void air_discard_received(const struct air *air);

/* Switches access points of that name on or off. Returns how many there are. */
int air_switch(struct air *air, const char *ssid, bool on);

#endif
