/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MESSAGE_H
#define CONTROL_MESSAGE_H
/* Requests, replies and events as the handlers see them, whatever dialect they travel in. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "release.h"

enum control_op {
    CONTROL_GET_MAC,
    CONTROL_SET_MAC,
    CONTROL_GET_MODE,
    CONTROL_SET_MODE,
    CONTROL_GET_AP,
    CONTROL_CONNECT,
    CONTROL_DISCONNECT,
    CONTROL_SCAN,
    CONTROL_OTA_BEGIN,
    CONTROL_OTA_WRITE,
    CONTROL_OTA_END,
    CONTROL_SET_HEARTBEAT,
    CONTROL_SET_FEATURE,
    CONTROL_GET_VERSION,
    CONTROL_UNSUPPORTED, /* a known message that this firmware has no part for: always refused */
};

/* `resp` on the wire, the same in every dialect. */
enum control_result {
    CONTROL_FAILURE = -1,
    CONTROL_SUCCESS = 0,
    CONTROL_NOT_CONNECTED = 1,
    CONTROL_NO_AP_FOUND = 2,
    CONTROL_WRONG_PASSWORD = 3,
};

/* What SET_FEATURE is about, in the numbers of the wire; others are refused. */
enum control_feature {
    CONTROL_FEATURE_WIFI = 1,
    CONTROL_FEATURE_BLUETOOTH = 2,
    CONTROL_FEATURE_NETWORK_SPLIT = 3, /* asks whether it is on */
};

#define CONTROL_SSID_BYTES     32
#define CONTROL_PASSWORD_BYTES 64
#define CONTROL_MAC_CHARS      17 /* "aa:bb:cc:dd:ee:ff" */

/* More are not reported: the reply must fit the drivers' 4096 bytes. */
#define CONTROL_SCAN_MAX 32

struct control_dialect;

/* Where a request came from, so that its reply finds back. */
struct control_origin {
    const struct control_dialect *dialect;
    int message; /* the request's number in that dialect */
    int32_t uid; /* what the host put on it, in dialects that have it; 0: nothing */
};

/* Pointers lead into the message that was received: gone after the handler. */
struct control_request {
    struct control_origin origin;
    enum control_op op;
    bool unusable; /* it is clear what is asked, but not for what: the rest is not valid */
    /* GET_MODE and the update messages: a packed Request of hosted_extension.proto; NULL: none. */
    const uint8_t *extension;
    size_t extension_len;
    union {
        int32_t mode; /* GET_MAC, SET_MODE: wifi_mode_t */
        struct {
            int32_t mode;
            char text[CONTROL_MAC_CHARS + 1];
        } set_mac;
        struct {
            char ssid[CONTROL_SSID_BYTES + 1];
            char password[CONTROL_PASSWORD_BYTES + 1];
            char bssid[CONTROL_MAC_CHARS + 1]; /* empty: any */
            bool wpa3;
            int32_t listen_interval;
        } connect;
        struct {
            const uint8_t *data;
            size_t len;
        } ota_write;
        struct {
            bool enable;
            int32_t seconds;
        } heartbeat;
        struct {
            uint32_t number; /* enum control_feature */
            bool enable;
        } feature;
    };
};

struct control_ap {
    char ssid[CONTROL_SSID_BYTES + 1];
    char bssid[CONTROL_MAC_CHARS + 1];
    int32_t rssi;
    int32_t channel;
    int32_t encryption; /* wifi_auth_mode_t */
};

struct control_identity {
    uint32_t chip_id;
    uint32_t slot_size;
    const char *running_slot;
    const char *project;
    const char *version;
    bool can_roll_back_known;
    bool can_roll_back;
    bool on_trial;
    uint32_t features;
    uint32_t window;
};

struct control_reply {
    struct control_origin origin;
    enum control_op op;
    int32_t result; /* enum control_result */
    /* A packed Reply of hosted_extension.proto, where the message has room for one; NULL: none.
     * Borrowed until the reply is encoded. */
    const uint8_t *extension;
    size_t extension_len;
    union {                              /* valid on success only */
        char mac[CONTROL_MAC_CHARS + 1]; /* GET_MAC, and CONNECT of a connect_by_event dialect */
        struct {
            int32_t value;
            struct control_identity identity;
        } mode;
        struct control_ap ap;
        struct {
            const struct control_ap *list;
            size_t count;
        } scan;
        struct release release;
    };
};

enum control_event_kind {
    CONTROL_EVENT_INIT,      /* the chip has started */
    CONTROL_EVENT_HEARTBEAT, /* for a host that asked for it */
    CONTROL_EVENT_DISCONNECTED,
    CONTROL_EVENT_CONNECTED,
};

/* What the host is told without having asked. */
struct control_event {
    enum control_event_kind kind;
    union {
        int32_t heartbeat; /* which, from 1 */
        struct {
            uint8_t ssid[CONTROL_SSID_BYTES];
            size_t ssid_len;
            char bssid[CONTROL_MAC_CHARS + 1];
            uint32_t reason;     /* DISCONNECTED: wifi_err_reason_t */
            int32_t rssi;        /* DISCONNECTED */
            uint32_t channel;    /* CONNECTED */
            int32_t encryption;  /* CONNECTED: wifi_auth_mode_t */
            int32_t association; /* CONNECTED: the number that the access point gave */
        } station;
    };
};

/* Room for the TLVs of any dialect's INIT event. */
#define CONTROL_INIT_MAX_BYTES 24

struct hosted_control_port;

/* One way of speaking on the wire. */
struct control_dialect {
    const char *endpoint;
    const char *event_endpoint; /* NULL: it has no events */
    int32_t initial_mode;       /* wifi_mode_t in which its hosts find the chip after its start */
    bool connect_by_event;      /* a connect is answered at once, its outcome is an event */
    /* 0, or -EBADMSG: no request that this dialect knows, so that there is no reply to it either.
     * Pointers in *ret stay valid until the next call. */
    int (*decode)(const uint8_t *data, size_t len, struct control_request *ret);
    /* Both: bytes written, or -EMSGSIZE. */
    int (*encode)(const struct control_reply *reply, uint8_t *buf, size_t size);
    int (*encode_event)(const struct control_event *event, uint8_t *buf, size_t size);
    /* Writes the TLVs that its drivers look for in the private INIT event; returns their length. */
    size_t (*put_init)(const struct hosted_control_port *port, uint8_t buf[CONTROL_INIT_MAX_BYTES]);
};

#endif
