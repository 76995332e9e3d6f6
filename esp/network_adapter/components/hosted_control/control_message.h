/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MESSAGE_H
#define CONTROL_MESSAGE_H
/* Requests and replies as the handlers see them, whatever dialect they travelled in. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
};

/* Pointers lead into the message that was received: gone after the handler. */
struct control_request {
    struct control_origin origin;
    enum control_op op;
    bool unusable; /* it is clear what is asked, but not for what: the rest is not valid */
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
    uint32_t features;
};

struct control_reply {
    struct control_origin origin;
    enum control_op op;
    int32_t result; /* enum control_result */
    union {         /* valid on success only */
        char mac[CONTROL_MAC_CHARS + 1];
        struct {
            int32_t value;
            struct control_identity identity;
        } mode;
        struct control_ap ap;
        struct {
            const struct control_ap *list;
            size_t count;
        } scan;
    };
};

/* One way of speaking on the wire. */
struct control_dialect {
    const char *endpoint;
    /* 0, or -EBADMSG: no request that this dialect knows, so that there is no reply to it either.
     * Pointers in *ret stay valid until the next call. */
    int (*decode)(const uint8_t *data, size_t len, struct control_request *ret);
    /* Bytes written, or -EMSGSIZE. */
    int (*encode)(const struct control_reply *reply, uint8_t *buf, size_t size);
};

extern const struct control_dialect control_dialect_classic;

#endif
