/* SPDX-License-Identifier: Apache-2.0 */
#include "extended_esp32.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "hosted_classic.pb-c.h"
#include "serial_tlv.h"

#define DIGESTS_MAX 64

static uint8_t s_digests[DIGESTS_MAX * SHA256_DIGEST_LENGTH];
static HostedExtension__Status s_status = HOSTED_EXTENSION__STATUS__INIT; /* no slot of interest */

static void answer_write(struct extended_esp32 *fake, const HostedExtension__Write *write,
                         const ProtobufCBinaryData *data, HostedExtension__Reply *reply)
{
    const unsigned nth = fake->seen[HOSTED_EXTENSION__REQUEST__WHAT_WRITE] - 1;

    if (nth < EXTENDED_KEPT)
        fake->writes[nth] =
            (struct extended_write){write->offset, write->run_end, (uint32_t)data->len};
    if (!fake->open) {
        reply->code = HOSTED_EXTENSION__CODE__NO_SESSION;
    } else if (write->offset + data->len > EXTENDED_SLOT_BYTES) {
        reply->code = HOSTED_EXTENSION__CODE__TOO_LARGE;
    } else if (write->offset > fake->next && (write->offset % 4096 || fake->next % 4096)) {
        reply->code = HOSTED_EXTENSION__CODE__WRONG_OFFSET;
    } else if (write->offset >= fake->next && data->len > 0) { /* else it was taken before */
        memcpy(fake->slot + write->offset, data->data, data->len);
        fake->next = write->offset + (uint32_t)data->len;
    }
}

static void answer_digests(struct extended_esp32 *fake, const HostedExtension__Digests *asked,
                           HostedExtension__Reply *reply)
{
    const unsigned nth = fake->seen[HOSTED_EXTENSION__REQUEST__WHAT_DIGESTS] - 1;
    const uint32_t end = asked->has_end ? asked->end : EXTENDED_SLOT_BYTES;
    uint32_t at = asked->offset;
    size_t count = 0;

    if (nth < EXTENDED_KEPT)
        fake->digests[nth] =
            (struct extended_digests){asked->offset, asked->block, asked->count, asked->end};
    for (; count < asked->count && count < DIGESTS_MAX && at < end; at += asked->block) {
        const uint32_t len = end - at < asked->block ? end - at : asked->block;

        SHA256(fake->slot + at, len, s_digests + SHA256_DIGEST_LENGTH * count++);
    }
    reply->has_digests = true;
    reply->digests.data = s_digests;
    reply->digests.len = SHA256_DIGEST_LENGTH * count;
}

static void answer_end(struct extended_esp32 *fake, const HostedExtension__End *end,
                       HostedExtension__Reply *reply)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];

    SHA256(fake->slot, end->size, digest);
    if (!fake->open)
        reply->code = HOSTED_EXTENSION__CODE__NO_SESSION;
    else if (end->has_sha256 && memcmp(digest, end->sha256.data, sizeof(digest)) != 0)
        reply->code = HOSTED_EXTENSION__CODE__WRONG_DIGEST;
    fake->open = false;
}

/* Returns how often the reply goes out. */
static int answer(struct extended_esp32 *fake, const HostedExtension__Request *request,
                  const ProtobufCBinaryData *data, HostedExtension__Reply *reply)
{
    fake->seen[request->what_case]++;
    reply->has_code = true;
    switch (request->what_case) {
    case HOSTED_EXTENSION__REQUEST__WHAT_BEGIN:
        fake->open = true;
        fake->next = 0;
        break;
    case HOSTED_EXTENSION__REQUEST__WHAT_WRITE:
        answer_write(fake, request->write, data, reply);
        break;
    case HOSTED_EXTENSION__REQUEST__WHAT_DIGESTS:
        answer_digests(fake, request->digests, reply);
        break;
    case HOSTED_EXTENSION__REQUEST__WHAT_END:
        answer_end(fake, request->end, reply);
        break;
    case HOSTED_EXTENSION__REQUEST__WHAT_STATUS:
        reply->status = &s_status;
        break;
    case HOSTED_EXTENSION__REQUEST__WHAT_ABORT:
        fake->open = false;
        break;
    default:
        break;
    }
    reply->has_next = fake->open;
    reply->next = fake->next;
    return fake->on != NULL ? fake->on(fake, request, reply) : 1;
}

static void send_reply(struct extended_esp32 *fake, const HostedClassic__Message *reply)
{
    const size_t len = hosted_classic__message__get_packed_size(reply);
    uint8_t *at = fake->queue + fake->queued;
    const int head = serial_tlv_head("control", len, at, sizeof(fake->queue) - fake->queued);

    hosted_classic__message__pack(reply, at + head);
    fake->queued += (size_t)head + len;
}

/* The identity, and with it the reply to what rode on the question. */
static void send_mode(struct extended_esp32 *fake, HostedClassic__Message *message,
                      const ProtobufCBinaryData *extension)
{
    HostedExtension__Identity identity = HOSTED_EXTENSION__IDENTITY__INIT;
    HostedClassic__RespGetMode mode = HOSTED_CLASSIC__RESP_GET_MODE__INIT;

    identity.has_chip_id = identity.has_slot_size = identity.has_features = true;
    identity.slot_size = EXTENDED_SLOT_BYTES;
    identity.running_slot = (char *)"ota_0";
    identity.project = (char *)"test";
    identity.version = (char *)"1.0.0";
    identity.has_can_roll_back = identity.can_roll_back = true;
    identity.features = fake->features;
    mode.has_mode = true;
    mode.mode = 1;
    mode.identity = &identity;
    mode.has_extension = extension->len > 0;
    mode.extension = *extension;
    message->resp_get_mode = &mode;
    send_reply(fake, message);
    message->resp_get_mode = NULL;
}

static void send_answer(struct extended_esp32 *fake, int32_t request, int32_t code,
                        const ProtobufCBinaryData *extension)
{
    HostedClassic__Message message = HOSTED_CLASSIC__MESSAGE__INIT;
    HostedClassic__RespOnly resp = HOSTED_CLASSIC__RESP_ONLY__INIT;

    message.has_msg = true;
    message.msg = request + 1;
    message.payload_case = (HostedClassic__Message__PayloadCase)(request + 11);
    if (message.payload_case == HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_MODE) {
        send_mode(fake, &message, extension);
        return;
    }
    resp.has_resp = true;
    resp.resp = code;
    resp.has_extension = extension->len > 0;
    resp.extension = *extension;
    message.resp_ota_end = &resp; /* all of an update share a place in the union */
    send_reply(fake, &message);
}

static void handle(struct extended_esp32 *fake, const HostedClassic__Message *in)
{
    const bool writes = in->payload_case == HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_OTA_WRITE;
    const ProtobufCBinaryData none = {0};
    const ProtobufCBinaryData packed = in->payload_case == 0 ? none
                                       : writes              ? in->req_ota_write->extension
                                                             : in->req_get_mode->extension;
    HostedExtension__Request *request =
        hosted_extension__request__unpack(NULL, packed.len, packed.data);
    HostedExtension__Reply reply = HOSTED_EXTENSION__REPLY__INIT;
    static uint8_t bytes[4096];
    ProtobufCBinaryData extension = {.data = bytes};
    int times = 1;

    if (packed.len > 0) {
        times = answer(fake, request, writes ? &in->req_ota_write->data : &none, &reply);
        extension.len = times == EXTENDED_PLAIN ? 0 : hosted_extension__reply__pack(&reply, bytes);
        times = times == EXTENDED_PLAIN ? 1 : times;
    } else {
        fake->questions++;
    }
    for (; times > 0; times--)
        send_answer(fake, in->msg, reply.code != HOSTED_EXTENSION__CODE__DONE ? -1 : 0, &extension);
    hosted_extension__request__free_unpacked(request, NULL);
}

static int extended_send(struct link *link, const void *message, size_t len, int64_t deadline_ms)
{
    struct extended_esp32 *fake = (struct extended_esp32 *)link;
    struct serial_tlv tlv;

    (void)deadline_ms;
    if (serial_tlv_parse(message, len, &tlv) != (int)len)
        return -EBADMSG;

    HostedClassic__Message *in = hosted_classic__message__unpack(NULL, tlv.data_len, tlv.data);

    if (in == NULL)
        return -EBADMSG;
    handle(fake, in);
    hosted_classic__message__free_unpacked(in, NULL);
    return 0;
}

static ssize_t extended_take(struct link *link, void *buf, size_t size)
{
    struct extended_esp32 *fake = (struct extended_esp32 *)link;
    const size_t len = fake->queued < size ? fake->queued : size;

    memcpy(buf, fake->queue, len);
    fake->queued -= len;
    memmove(fake->queue, fake->queue + len, fake->queued);
    return (ssize_t)len;
}

static ssize_t extended_receive(struct link *link, void *buf, size_t size, int64_t deadline_ms,
                                const struct hosted_cancel *cancel)
{
    const ssize_t got = extended_take(link, buf, size);

    return got > 0 ? got : clock_wait(cancel, deadline_ms);
}

static void extended_close(struct link *link)
{
    (void)link;
}

struct extended_esp32 *extended_new(void)
{
    static const struct link_ops ops = {
        .send = extended_send,
        .receive = extended_receive,
        .take = extended_take,
        .close = extended_close,
    };
    struct extended_esp32 *fake = calloc(1, sizeof(*fake));

    fake->link.ops = &ops;
    fake->features = HOSTED_CAN_SESSION | HOSTED_CAN_DIGESTS;
    memset(fake->slot, 0xff, sizeof(fake->slot));
    return fake;
}

void extended_free(struct extended_esp32 *fake)
{
    free(fake);
}

static void keep_line(void *ctx, const char *line)
{
    struct extended_esp32 *fake = ctx;

    if (strlen(fake->log) + strlen(line) + 2 < sizeof(fake->log)) {
        strcat(fake->log, line);
        strcat(fake->log, "\n");
    }
}

struct hosted_device *extended_device(struct extended_esp32 *fake)
{
    const struct hosted_options options = {.log = keep_line, .log_ctx = fake};
    struct hosted_device *device = NULL;

    return device_new(&options, "/dev/fake", &fake->link, &device, NULL) == 0 ? device : NULL;
}
