/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_CTRL_MSG_H
#define HOST_CTRL_MSG_H
/* Requests and replies of the control path as the host means them, whatever the dialect. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hosted/device.h"
#include "serial_tlv.h"

enum ctrl_command {
    CTRL_GET_MAC,
    CTRL_GET_MODE,
    CTRL_SET_MODE,
    CTRL_GET_AP,
    CTRL_CONNECT,
    CTRL_DISCONNECT,
    CTRL_SCAN,
    CTRL_SET_MAC,
    CTRL_OTA_BEGIN,
    CTRL_OTA_WRITE,
    CTRL_OTA_END,
    /* The ctrl dialect alone has these. */
    CTRL_GET_VERSION,
    CTRL_SET_HEARTBEAT,
    CTRL_SET_FEATURE,
};

struct ctrl_request {
    enum ctrl_command command;
    /* A packed Request of hosted_extension.proto, borrowed; NULL: none, as always towards stock
     * firmware. Rides on GET_MODE and the three of an update. */
    const uint8_t *extension;
    size_t extension_len;
    union {
        enum hosted_mode mode; /* GET_MAC, SET_MODE */
        struct {
            enum hosted_mode mode;
            const char *mac;
        } set_mac;
        struct hosted_network network; /* CONNECT; texts are never NULL here */
        struct {
            const void *data;
            size_t len;
            uint64_t offset; /* in the image; for messages, the stock protocol has none */
        } write;
        struct {
            bool enable;
            unsigned seconds;
        } heartbeat;
        struct {
            enum hosted_feature feature;
            bool enable;
        } feature;
    };
};

/* What the result says where the dialects agree that it is more than yes or no. */
enum ctrl_outcome {
    CTRL_OK,
    CTRL_REFUSED,
    CTRL_NOT_CONNECTED, /* GET_AP */
    CTRL_NO_AP_FOUND,   /* CONNECT */
    CTRL_BAD_PASSWORD,  /* CONNECT */
};

/* As long as a whole message can be: so that no reply loses its code to its text. */
#define CTRL_EXTENSION_MAX SERIAL_TLV_MAX_BYTES

#define CTRL_VERSION_BYTES sizeof(((struct hosted_identity *)NULL)->version)

/* To be given to ctrl_reply_free(). */
struct ctrl_reply {
    enum ctrl_command command; /* of the request that it answers */
    int32_t uid;               /* of that request; 0: the firmware or its dialect has none */
    enum ctrl_outcome outcome;
    int32_t code;         /* the result as the device sent it */
    size_t extension_len; /* of a packed Reply; 0: there is none */
    uint8_t extension[CTRL_EXTENSION_MAX];
    union {
        char mac[HOSTED_MAC_CHARS + 1]; /* GET_MAC */
        struct {
            int mode;
            struct hosted_identity identity;
            char version[CTRL_VERSION_BYTES]; /* the identity's, as it came */
            unsigned window;                  /* likewise */
        } mode;                               /* GET_MODE */
        struct hosted_ap ap;                  /* GET_AP */
        struct {
            struct hosted_ap *list; /* owned */
            size_t count;
        } scan;                          /* SCAN */
        char version[HOSTED_TEXT_BYTES]; /* GET_VERSION: "FG-1.0.0.0.0"; printable */
    };
};

/* What came from the ESP32: a reply, or an event that nobody asked for. */
struct ctrl_message {
    bool is_event;
    union {
        struct ctrl_reply reply;
        struct hosted_event event;
    };
};

/* "write at 574,000", for messages. */
#define CTRL_REQUEST_NAME_BYTES 48
const char *ctrl_request_name(const struct ctrl_request *request,
                              char buf[CTRL_REQUEST_NAME_BYTES]);

/* "write" */
const char *ctrl_command_name(enum ctrl_command command);

/* Frees what the reply owns, not the reply. */
void ctrl_reply_free(struct ctrl_reply *reply);

#endif
