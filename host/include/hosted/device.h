/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTED_DEVICE_H
#define HOSTED_DEVICE_H
/*
 * One ESP32 behind its control device: the requests that a host can make of it.
 *
 * Every function that can fail returns 0 (or a count) or a negative errno value and then fills
 * *fault. `ret_` outputs are written on success only. Common to all calls on an open device:
 *
 *   -ETIMEDOUT   no answer in time                              HOSTED_NO_ANSWER
 *   -ENODEV      the control device has gone                    HOSTED_NO_ANSWER
 *   -EREMOTEIO   the ESP32 refused; fault->device_code          HOSTED_REFUSED
 *   -ECANCELED   options.cancel was requested                   HOSTED_LOCAL
 *
 * A device may be used by one thread at a time. No function prints, exits or changes a signal.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hosted/fault.h"

#ifdef __cplusplus
extern "C" {
#endif

enum hosted_dialect {
    HOSTED_DIALECT_AUTO = 0, /* found out: see hosted_open() */
    HOSTED_DIALECT_CLASSIC,  /* ESP-Hosted-FG up to February 2022, endpoint "control" */
    HOSTED_DIALECT_CTRL,     /* ESP-Hosted-FG since then, endpoints "ctrlResp" and "ctrlEvnt" */
    HOSTED_DIALECT_MCU,      /* ESP-Hosted-MCU, endpoint "RPCRsp": recognised, and not served */
};

/* "classic", "ctrl", "mcu"; "auto" for what is not known. */
const char *hosted_dialect_name(enum hosted_dialect dialect);

/*
 * A way to stop a call from a signal handler or another thread. hosted_cancel_request() is
 * async-signal-safe and stays in force; the others are not and does not.
 */
struct hosted_cancel;
int hosted_cancel_new(struct hosted_cancel **ret); /* 0, -ENOMEM, or from eventfd(2) */
void hosted_cancel_request(struct hosted_cancel *cancel);
bool hosted_cancel_requested(const struct hosted_cancel *cancel);
void hosted_cancel_free(struct hosted_cancel *cancel); /* accepts NULL */

#define HOSTED_SSID_BYTES 32
#define HOSTED_MAC_CHARS  17 /* "aa:bb:cc:dd:ee:ff" */
#define HOSTED_TEXT_BYTES 80

enum hosted_encryption {
    HOSTED_OPEN = 0,
    HOSTED_WEP = 1,
    HOSTED_WPA_PSK = 2,
    HOSTED_WPA2_PSK = 3,
    HOSTED_WPA_WPA2_PSK = 4,
    HOSTED_WPA2_ENTERPRISE = 5,
    HOSTED_WPA3_PSK = 6,
    HOSTED_WPA2_WPA3_PSK = 7,
};

/* What an ESP32 says without being asked; the ctrl dialect alone has events. */
enum hosted_event_kind {
    HOSTED_EVENT_INIT,         /* it has started: whatever it was told before is forgotten */
    HOSTED_EVENT_HEARTBEAT,    /* hosted_set_heartbeat() asked for it */
    HOSTED_EVENT_CONNECTED,    /* the station has joined a network */
    HOSTED_EVENT_DISCONNECTED, /* it has left one, or could not join it */
    HOSTED_EVENT_OTHER,        /* one of those that this library has no use for */
};

struct hosted_event {
    enum hosted_event_kind kind;
    int number;                       /* HEARTBEAT: counts up; OTHER: its number on the wire */
    char ssid[HOSTED_SSID_BYTES + 1]; /* CONNECTED, DISCONNECTED: any bytes, and a NUL */
    size_t ssid_len;
    char bssid[HOSTED_MAC_CHARS + 1];
    int channel;                       /* CONNECTED */
    enum hosted_encryption encryption; /* CONNECTED */
    int reason;                        /* DISCONNECTED: wifi_err_reason_t of ESP-IDF */
    int rssi;                          /* DISCONNECTED: dBm */
};

/* All zero is a good start. */
struct hosted_options {
    const char *path; /* NULL: $ESP_HOSTED_DEVICE, else /dev/esps0 */
    enum hosted_dialect dialect;
    unsigned timeout_s; /* longest wait for one reply; 0: 30, and longer for the erase of a slot */
    struct hosted_cancel *cancel;             /* borrowed; NULL: cannot be stopped */
    void (*log)(void *ctx, const char *line); /* what happens on the wire; NULL: nobody listens */
    void *log_ctx;
    /* Events, as they are read: during any call on the device, in its thread. NULL: not of
     * interest. It must not call anything on the device. */
    void (*event)(void *ctx, const struct hosted_event *event);
    void *event_ctx;
};

struct hosted_device; /* opaque */

/*
 * Opens the control device and locks it against every other process that uses this library
 * (flock on the node itself). Asks nothing of the ESP32. To be closed by hosted_close().
 *
 * With HOSTED_DIALECT_AUTO the first request finds out what the firmware speaks. Old firmware
 * restarts when it is asked in another dialect than its own, so the oldest one is tried first, and
 * the next only after 4.6 s of silence. That it was ctrl is kept under /run until the ESP32 or the
 * device node starts anew, is silent, or is updated: then the next request costs no time.
 *   -ENOENT, -EACCES, -ENXIO …  the node cannot be opened       HOSTED_NO_ANSWER
 *   -EBUSY  another process holds it; the text names it        HOSTED_BUSY
 */
int hosted_open(const struct hosted_options *options, struct hosted_device **ret,
                struct hosted_fault *fault);
void hosted_close(struct hosted_device *device); /* accepts NULL */

/* The path that is open, for messages. */
const char *hosted_path(const struct hosted_device *device);

/* What came in since the device was opened and was not asked for. */
struct hosted_counters {
    uint64_t bytes;    /* that are no message; dropped */
    uint64_t messages; /* dropped: late, doubled, another's, of another dialect */
    uint64_t events;
};

/* Never NULL. */
const struct hosted_counters *hosted_counters(const struct hosted_device *device);

/* What this project's firmware says of itself; stock firmware says nothing. */
struct hosted_identity {
    bool known;            /* false: everything below is meaningless */
    uint16_t chip_id;      /* as in the image header */
    uint32_t slot_bytes;   /* of the slot that the next update goes to */
    char running_slot[17]; /* partition label */
    char project[33];
    char version[33];
    int can_roll_back; /* of the boot loader: 1, 0, -1 not known yet */
    uint32_t features; /* HOSTED_CAN_..., or-ed */
    bool on_trial;     /* the running image is not confirmed yet */
};

/* Bits of hosted_identity.features. */
#define HOSTED_CAN_SESSION 1  /* an update says what it is; refusals have reasons */
#define HOSTED_CAN_DIGESTS 2  /* what the slot holds already need not be sent */
#define HOSTED_CAN_TRIAL   4  /* a new image goes back by itself unless it is confirmed */
#define HOSTED_CAN_WINDOW  16 /* several writes may be on their way */

/* What the ESP32 said at its last answer to hosted_get_mode(), which every other request asks first
 * after an open and after a silence. Never NULL; not known before that. */
const struct hosted_identity *hosted_identity(const struct hosted_device *device);

/* What the ESP32 was found to speak, or was said to; HOSTED_DIALECT_AUTO: not known yet. */
enum hosted_dialect hosted_dialect(const struct hosted_device *device);

enum hosted_mode {
    HOSTED_MODE_NONE = 0,
    HOSTED_MODE_STATION = 1,
    HOSTED_MODE_ACCESS_POINT = 2,
    HOSTED_MODE_BOTH = 3,
};

struct hosted_ap {
    char ssid[HOSTED_SSID_BYTES + 1]; /* any bytes, and a NUL behind them */
    size_t ssid_len;
    char bssid[HOSTED_MAC_CHARS + 1];
    int rssi; /* dBm */
    int channel;
    enum hosted_encryption encryption;
};

struct hosted_network {
    const char *ssid;     /* 1 to 32 bytes */
    const char *password; /* 8 to 64 bytes, or 5 (WEP); NULL or "": open network */
    const char *bssid;    /* "aa:bb:cc:dd:ee:ff"; NULL or "" for any */
    bool wpa3;            /* the ESP32 may use WPA3 */
    int listen_interval;  /* beacons; 0: the usual 3 */
};

/* The Wi-Fi mode and, where `ret_identity` is not NULL, who answers. */
int hosted_get_mode(struct hosted_device *device, enum hosted_mode *ret_mode,
                    struct hosted_identity *ret_identity, struct hosted_fault *fault);
int hosted_set_mode(struct hosted_device *device, enum hosted_mode mode,
                    struct hosted_fault *fault);

/* What the ESP32 knows of an image that it may boot. */
enum hosted_slot_state {
    HOSTED_SLOT_NONE = 0, /* no record, as of a factory image */
    HOSTED_SLOT_NEW,      /* selected, not started yet; or the boot loader knows no trial */
    HOSTED_SLOT_PENDING,  /* on trial */
    HOSTED_SLOT_VALID,
    HOSTED_SLOT_INVALID,   /* rolled back on demand, or by its own timer */
    HOSTED_SLOT_ABORTED,   /* rolled back by the boot loader */
    HOSTED_SLOT_UNDEFINED, /* selected by a firmware that knows no rollback */
};

struct hosted_slot {
    char label[17];
    uint32_t bytes;
    bool running;
    bool boots_next;
    bool update_next; /* the next update goes here */
    enum hosted_slot_state state;
    bool has_image; /* false: what follows is empty */
    char project[33];
    char version[33];
    uint32_t secure_version;
    uint8_t elf_sha256[32]; /* which build it is */
};

#define HOSTED_SLOTS_MAX 17 /* that a partition table can have: factory, ota_0 to ota_15 */

struct hosted_slots {
    size_t count;
    struct hosted_slot slots[HOSTED_SLOTS_MAX];
    int64_t session_next; /* bytes that an open update has; -1: none is open */
    int trial_left_s;     /* of a trial with a time; -1: none runs */
};

/* -ENOTSUP (HOSTED_REFUSED): the firmware has not HOSTED_CAN_SESSION. */
int hosted_get_status(struct hosted_device *device, struct hosted_slots *ret,
                      struct hosted_fault *fault);

/*
 * Ends the trial of the running image, if its version is `version` (NULL: whichever runs); of one
 * that is confirmed already this is no failure. -ENOTSUP (HOSTED_REFUSED): the firmware has not
 * HOSTED_CAN_TRIAL; -EREMOTEIO: it runs another version.
 */
int hosted_confirm(struct hosted_device *device, const char *version, struct hosted_fault *fault);

/* `mode` says whose: HOSTED_MODE_STATION or HOSTED_MODE_ACCESS_POINT. -EINVAL: neither, no MAC. */
int hosted_get_mac(struct hosted_device *device, enum hosted_mode mode,
                   char ret_mac[HOSTED_MAC_CHARS + 1], struct hosted_fault *fault);
int hosted_set_mac(struct hosted_device *device, enum hosted_mode mode, const char *mac,
                   struct hosted_fault *fault);

/* Whether a network can be asked for: 0, or -EINVAL (HOSTED_USAGE) and which of the above is not.
 */
int hosted_network_check(const struct hosted_network *network, struct hosted_fault *fault);

/*
 * Joins a network; returns once the ESP32 says how that ended.
 *   -EINVAL  the lengths above do not hold; nothing was sent    HOSTED_USAGE
 *   -ENOENT  no access point of this name is in reach           HOSTED_REFUSED
 *   -EACCES  the password is wrong                              HOSTED_REFUSED
 */
int hosted_connect(struct hosted_device *device, const struct hosted_network *network,
                   struct hosted_fault *fault);
int hosted_disconnect(struct hosted_device *device, struct hosted_fault *fault);

/* -ENOTCONN: the station is not connected (HOSTED_REFUSED). */
int hosted_get_ap(struct hosted_device *device, struct hosted_ap *ret, struct hosted_fault *fault);

/*
 * The release that the firmware says it is, "FG-1.0.0.0.0"; printable. Only the ctrl dialect has a
 * question for it, and firmware before July 2024 does not answer that: *ret is "" then, which is no
 * failure.
 */
int hosted_get_version(struct hosted_device *device, char ret[HOSTED_TEXT_BYTES],
                       struct hosted_fault *fault);

/*
 * Has the ESP32 send heartbeats every `seconds` (it takes 10 to 3600), or none for 0. -ENOTSUP: the
 * dialect has none (HOSTED_REFUSED), as with the next one.
 */
int hosted_set_heartbeat(struct hosted_device *device, unsigned seconds,
                         struct hosted_fault *fault);

enum hosted_feature {
    HOSTED_FEATURE_WIFI = 1,
    HOSTED_FEATURE_BLUETOOTH = 2,
};

/* Switches a part of the ESP32 on or off. */
int hosted_set_feature(struct hosted_device *device, enum hosted_feature feature, bool enable,
                       struct hosted_fault *fault);

/* Waits until the ESP32 says something, at most `timeout_ms`: options.event gets it. 0, or
 * -ETIMEDOUT. */
int hosted_listen(struct hosted_device *device, unsigned timeout_ms, struct hosted_fault *fault);

/* Returns how many access points are in *ret, which the caller frees with free(). */
int hosted_scan(struct hosted_device *device, struct hosted_ap **ret, struct hosted_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
