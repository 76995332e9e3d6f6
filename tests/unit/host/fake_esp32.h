/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP32_H
#define FAKE_ESP32_H
/*
 * A link with an ESP32 at its end that answers every request with success, unless a test says
 * otherwise. No thread and no waiting: what has not been put into the queue never comes, and a wait
 * for it ends at once with -ETIMEDOUT, with the library's clock at its end. Its messages are put
 * together by hand, not by the library.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device_internal.h"
#include "link.h"

#define FAKE_MESSAGE_MAX 512

enum fake_number {
    FAKE_GET_MAC = 0,
    FAKE_GET_MODE = 2,
    FAKE_SET_MODE = 4,
    FAKE_GET_AP = 6,
    FAKE_CONNECT = 8,
    FAKE_DISCONNECT = 14,
    FAKE_SCAN = 18,
    FAKE_SET_MAC = 22,
    FAKE_BEGIN = 28,
    FAKE_WRITE = 30,
    FAKE_END = 32,
};

/* What it speaks. Whatever comes for another endpoint gets no answer. */
enum fake_dialect {
    FAKE_CLASSIC,
    FAKE_CTRL,
    FAKE_MCU,
};

struct fake_rule;

struct fake_esp32 {
    struct link link;
    enum fake_dialect dialect;
    bool closed;
    char endpoints[1024];   /* of the requests in order: c control, r ctrlResp, m RPCRsp */
    int64_t asked_ms[1024]; /* when they came, by the library's clock */
    bool talks;             /* answers whatever comes for another endpoint with this: */
    uint8_t talk[FAKE_MESSAGE_MAX];
    size_t talk_len;
    char release[16];      /* ctrl: "FG-1.0.0.0.2" is answered to get_version; "": silence */
    unsigned requests;     /* that came in */
    uint8_t numbers[1024]; /* classic's also for those of ctrl */
    uint8_t last[SERIAL_TLV_MAX_BYTES]; /* the last one, as it was on the wire */
    size_t last_len;
    bool last_wait_had_cancel;
    int64_t longest_wait_ms; /* of the waits that ended without an answer */
    uint8_t *image;          /* what the writes carried */
    size_t image_len;
    char log[4096]; /* what the client said, a line each */

    struct fake_rule *rules;
    struct fake_segment *queue; /* one receive takes from one segment */
    size_t piece;               /* bytes that a receive gives at most; 0: no limit */
};

struct fake_esp32 *fake_new(void);
void fake_free(struct fake_esp32 *fake);

/* For ctrl_client.log. */
void fake_log(void *ctx, const char *line);

/* A device of the library over this link; closed with hosted_close() before fake_free(). */
struct hosted_device *fake_device(struct fake_esp32 *fake, const struct hosted_options *options);

/* Instead of success the `nth` (from 1; 0: every) request of this number gets these bytes; called
 * again, it gets those too, for a receive of their own. No bytes: silence. */
void fake_answer(struct fake_esp32 *fake, enum fake_number number, unsigned nth, const void *bytes,
                 size_t len);

/* ... gets the result `code` and nothing else. */
void fake_result(struct fake_esp32 *fake, enum fake_number number, unsigned nth, int code);

/* ... is followed by this failure of the link. */
void fake_failure(struct fake_esp32 *fake, enum fake_number number, unsigned nth, int error);

/* Bytes that are in the queue already. */
void fake_stale(struct fake_esp32 *fake, const void *bytes, size_t len);

/* How many requests of this number have come. */
unsigned fake_count(const struct fake_esp32 *fake, enum fake_number number);

/* One reply of the classic dialect; returns its length. `payload` NULL: no submessage at all. */
size_t fake_reply(uint8_t buf[FAKE_MESSAGE_MAX], enum fake_number request, const void *payload,
                  size_t payload_len);
size_t fake_reply_code(uint8_t buf[FAKE_MESSAGE_MAX], enum fake_number request, int code);

/* An event of ctrl without content: 301 the ESP32 has started, 302 a heartbeat. */
size_t fake_event(uint8_t buf[FAKE_MESSAGE_MAX], unsigned number);

/* Wi-Fi mode 1 and an identity: ESP32, 2.3.1 from ota_0, a slot of `slot_bytes`. */
size_t fake_reply_identity(uint8_t buf[FAKE_MESSAGE_MAX], uint8_t chip_id, uint32_t slot_bytes);

#endif
