/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTA_SLAVE_H
#define OTA_SLAVE_H
/* Between the handlers of a protobuf-c control path, as upstream's slave_control.c is one, and the
 * update component. README.md shows the lines that call this. */
#include <protobuf-c/protobuf-c.h>

#include "ota_extension.h"

/*
 * Begin, write or end: `request` is the request's submessage or NULL, `reply` the reply's, already
 * initialised. `data` are the image bytes of a write. True: the reply's `resp` is success.
 * What is attached to the reply lasts until the next call.
 */
bool ota_slave_answer(enum ota_extension_carrier carrier, const ProtobufCMessage *request,
                      const void *data, size_t len, ProtobufCMessage *reply);

/* The Wi-Fi mode request, after the handler has filled in its own reply. */
void ota_slave_answer_mode(const ProtobufCMessage *request, ProtobufCMessage *reply);

/* For a command that would disturb an update. True: one is open, so refuse; the reply says why. */
bool ota_slave_refuses(ProtobufCMessage *reply);

#endif
