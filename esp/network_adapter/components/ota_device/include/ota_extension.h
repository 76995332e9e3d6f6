/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_EXTENSION_H
#define OTA_EXTENSION_H
/*
 * The update's extension of the control protocol, hosted_extension.proto: packed Request in, engine
 * (ota_device.h), packed Reply out. No heap: what a request can need is static, and one that would
 * need more is not understood.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ota_device.h"

struct ProtobufCMessage;

/*
 * So many writes of the host may be unanswered: to be granted by who knows that the transport keeps
 * them, or holds them back without loss, while the flash is written. Else it is one.
 */
void ota_extension_grant_window(uint32_t writes);
uint32_t ota_extension_window(void);

/* Identity.features of this component. */
uint32_t ota_extension_features(void);

/* Fields of a submessage: Request and Reply; but Identity and Reply in the Wi-Fi mode's reply. */
#define OTA_EXTENSION_TAG            100u
#define OTA_EXTENSION_TAG_IDENTITY   100u
#define OTA_EXTENSION_TAG_MODE_REPLY 101u

/* Room for any Reply, and for any Identity. */
#define OTA_EXTENSION_REPLY_BYTES    2560u
#define OTA_EXTENSION_IDENTITY_BYTES 160u

/* The message that a request came on: Begin, Write and End each have their own, all others come on
 * the Wi-Fi mode request. */
enum ota_extension_carrier {
    OTA_EXTENSION_ON_BEGIN,
    OTA_EXTENSION_ON_WRITE,
    OTA_EXTENSION_ON_END,
    OTA_EXTENSION_ON_MODE,
};

struct ota_extension_request {
    enum ota_extension_carrier carrier;
    const uint8_t *bytes; /* a packed Request */
    size_t len;
    const uint8_t *data; /* ON_WRITE: the image bytes of the stock message */
    size_t data_len;
};

/*
 * Does what is asked and writes the packed Reply; returns its length, 0 when it does not fit, which
 * it does in OTA_EXTENSION_REPLY_BYTES. The code is also in *ret_code: the stock part of an update
 * message's reply says success for OTA_DEVICE_DONE only.
 */
size_t ota_extension_handle(const struct ota_extension_request *request, uint8_t *reply,
                            size_t size, enum ota_device_code *ret_code);

/* A Reply of the application's own, such as OTA_DEVICE_IN_PROGRESS for a command that would disturb
 * an open update. `text` may be NULL. Returns as above. */
size_t ota_extension_refuse(enum ota_device_code code, const char *text, uint8_t *reply,
                            size_t size);

/* The packed Identity; returns as above. */
size_t ota_extension_identity(uint8_t *buf, size_t size);

/*
 * For a firmware whose own messages do not know the fields: finds the bytes of field `tag` among a
 * decoded submessage's unknown fields. Both borrow from it. False: it is not there.
 */
bool ota_extension_find(const struct ProtobufCMessage *message, uint32_t tag,
                        const uint8_t **ret_bytes, size_t *ret_len);

/* One field to attach, with the memory for it. `packed` has OTA_EXTENSION_HEAD_BYTES for the
 * length, and behind them the `len` bytes. */
#define OTA_EXTENSION_HEAD_BYTES 2
struct ota_extension_field {
    uint32_t tag;
    uint8_t *packed;
    size_t len;
};

#define OTA_EXTENSION_MAX_FIELDS 2

/*
 * Attaches fields to a message that is about to be packed and has no unknown fields of its own.
 * There are 1 or 2 `fields`, whose memory must last until then. Returns false, with the
 * message as it was, when one is longer than OTA_EXTENSION_REPLY_BYTES. What is attached lies in
 * static memory: take it away with ota_extension_detach() before the message is freed.
 */
bool ota_extension_attach(struct ProtobufCMessage *message,
                          const struct ota_extension_field *fields, size_t count);
void ota_extension_detach(struct ProtobufCMessage *message);

#endif
