/* SPDX-License-Identifier: Apache-2.0 */
#include "extended_esp32.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "hosted_classic.pb-c.h"
#include "hosted_ctrl.pb-c.h"
#include "serial_tlv.h"

#define DIGESTS_MAX  64
#define SECTOR_BYTES 4096u

static uint8_t s_digests[DIGESTS_MAX * SHA256_DIGEST_LENGTH];
static HostedExtension__Status s_status = HOSTED_EXTENSION__STATUS__INIT; /* no slot of interest */

/* As our firmware: what was erased ahead is no sector that could stay as it is. */
static bool can_skip_to(const struct extended_esp32 *fake, uint32_t offset)
{
    return fake->next % SECTOR_BYTES == 0 && offset % SECTOR_BYTES == 0 && offset >= fake->erased;
}

static void erase_up_to(struct extended_esp32 *fake, uint32_t end)
{
    const uint32_t to = (end + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES;

    if (to > fake->erased && to <= EXTENDED_SLOT_BYTES) {
        memset(fake->slot + fake->erased, 0xff, to - fake->erased);
        fake->erased = to;
    }
}

static void take_write(struct extended_esp32 *fake, const HostedExtension__Write *write,
                       const ProtobufCBinaryData *data)
{
    const uint32_t end = write->offset + (uint32_t)data->len;

    if (fake->erased < write->offset)
        fake->erased = write->offset;
    erase_up_to(fake, write->run_end > end ? write->run_end : end);
    memcpy(fake->slot + write->offset, data->data, data->len);
    fake->next = end;
}

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
    } else if (write->offset > fake->next && !can_skip_to(fake, write->offset)) {
        reply->code = HOSTED_EXTENSION__CODE__WRONG_OFFSET;
    } else if (write->offset >= fake->next && data->len > 0) { /* else it was taken before */
        take_write(fake, write, data);
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
        fake->next = fake->erased = 0;
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

/* A message of either dialect. */
struct incoming {
    int32_t id;  /* its number */
    int32_t uid; /* ctrl */
    bool writes, asks_mode;
    ProtobufCBinaryData extension, data;
};

static void enqueue(struct extended_esp32 *fake, const ProtobufCMessage *message)
{
    const size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *at = fake->queue + fake->queued;
    const int head = serial_tlv_head(fake->ctrl ? "ctrlResp" : "control", len, at,
                                     sizeof(fake->queue) - fake->queued);

    protobuf_c_message_pack(message, at + head);
    fake->queued += (size_t)head + len;
}

static void fill_identity(const struct extended_esp32 *fake, HostedExtension__Identity *identity)
{
    hosted_extension__identity__init(identity);
    identity->has_chip_id = identity->has_slot_size = identity->has_features = true;
    identity->slot_size = EXTENDED_SLOT_BYTES;
    identity->running_slot = (char *)"ota_0";
    identity->project = (char *)"test";
    identity->version = (char *)"1.0.0";
    identity->has_can_roll_back = identity->can_roll_back = true;
    identity->features = fake->features;
    identity->has_window = fake->window > 0;
    identity->window = fake->window;
}

static void send_classic(struct extended_esp32 *fake, const struct incoming *in, int32_t code,
                         const ProtobufCBinaryData *extension)
{
    HostedClassic__Message message = HOSTED_CLASSIC__MESSAGE__INIT;
    HostedClassic__RespOnly resp = HOSTED_CLASSIC__RESP_ONLY__INIT;
    HostedClassic__RespGetMode mode = HOSTED_CLASSIC__RESP_GET_MODE__INIT;
    HostedExtension__Identity identity;

    fill_identity(fake, &identity);
    message.has_msg = true;
    message.msg = in->id + 1;
    message.payload_case = (HostedClassic__Message__PayloadCase)(in->id + 11);
    resp.has_resp = mode.has_mode = true;
    resp.resp = code;
    mode.mode = 1;
    mode.identity = &identity;
    resp.has_extension = mode.has_extension = extension->len > 0;
    resp.extension = mode.extension = *extension;
    if (in->asks_mode)
        message.resp_get_mode = &mode;
    else
        message.resp_ota_end = &resp; /* all of an update share a place in the union */
    enqueue(fake, &message.base);
}

static void send_ctrl(struct extended_esp32 *fake, const struct incoming *in, int32_t code,
                      const ProtobufCBinaryData *extension)
{
    HostedCtrl__Message message = HOSTED_CTRL__MESSAGE__INIT;
    HostedCtrl__RespOnly resp = HOSTED_CTRL__RESP_ONLY__INIT;
    HostedCtrl__RespGetMode mode = HOSTED_CTRL__RESP_GET_MODE__INIT;
    HostedExtension__Identity identity;

    fill_identity(fake, &identity);
    message.id = in->id + 100;
    message.uid = in->uid;
    message.payload_case = (HostedCtrl__Message__PayloadCase)message.id;
    resp.resp = code;
    mode.mode = 1;
    mode.identity = &identity;
    resp.extension = mode.extension = *extension;
    if (in->asks_mode)
        message.resp_get_mode = &mode;
    else
        message.resp_ota_end = &resp;
    enqueue(fake, &message.base);
}

static void answer_extension(struct extended_esp32 *fake, const struct incoming *in,
                             const HostedExtension__Request *request)
{
    static uint8_t bytes[4096];
    HostedExtension__Reply reply = HOSTED_EXTENSION__REPLY__INIT;
    ProtobufCBinaryData extension = {.data = bytes};
    int times;

    fake->sent[request->what_case]++;
    if (fake->arrives != NULL && !fake->arrives(fake, request))
        return;
    times = answer(fake, request, &in->data, &reply);
    extension.len = times == EXTENDED_PLAIN ? 0 : hosted_extension__reply__pack(&reply, bytes);
    for (times = times == EXTENDED_PLAIN ? 1 : times; times > 0; times--)
        (fake->ctrl ? send_ctrl : send_classic)(
            fake, in, reply.code != HOSTED_EXTENSION__CODE__DONE ? -1 : 0, &extension);
}

static void handle(struct extended_esp32 *fake, const struct incoming *in)
{
    const ProtobufCBinaryData none = {0};

    if (in->writes && ++fake->out > fake->most_out)
        fake->most_out = fake->out;
    if (in->extension.len == 0) {
        fake->questions++;
        (fake->ctrl ? send_ctrl : send_classic)(fake, in, 0, &none);
        return;
    }

    HostedExtension__Request *request =
        hosted_extension__request__unpack(NULL, in->extension.len, in->extension.data);

    answer_extension(fake, in, request);
    hosted_extension__request__free_unpacked(request, NULL);
}

static int handle_classic(struct extended_esp32 *fake, const struct serial_tlv *tlv)
{
    HostedClassic__Message *message =
        hosted_classic__message__unpack(NULL, tlv->data_len, tlv->data);
    struct incoming in = {0};

    if (message == NULL)
        return -EBADMSG;
    in.id = message->msg;
    in.writes = message->payload_case == HOSTED_CLASSIC__MESSAGE__PAYLOAD_REQ_OTA_WRITE;
    in.asks_mode = message->msg + 11 == HOSTED_CLASSIC__MESSAGE__PAYLOAD_RESP_GET_MODE;
    if (in.writes)
        in.data = message->req_ota_write->data;
    if (message->payload_case != 0)
        in.extension =
            in.writes ? message->req_ota_write->extension : message->req_get_mode->extension;
    handle(fake, &in);
    hosted_classic__message__free_unpacked(message, NULL);
    return 0;
}

static int handle_ctrl(struct extended_esp32 *fake, const struct serial_tlv *tlv)
{
    HostedCtrl__Message *message = hosted_ctrl__message__unpack(NULL, tlv->data_len, tlv->data);
    struct incoming in = {0};

    if (message == NULL)
        return -EBADMSG;
    in.id = message->id;
    in.uid = message->uid;
    in.writes = message->id == HOSTED_CTRL__MESSAGE_ID__REQ_OTA_WRITE;
    in.asks_mode = message->id == HOSTED_CTRL__MESSAGE_ID__REQ_GET_MODE;
    if (in.writes)
        in.data = message->req_ota_write->data;
    in.extension = in.writes ? message->req_ota_write->extension : message->req_get_mode->extension;
    handle(fake, &in);
    hosted_ctrl__message__free_unpacked(message, NULL);
    return 0;
}

static int extended_send(struct link *link, const void *message, size_t len, int64_t deadline_ms)
{
    struct extended_esp32 *fake = (struct extended_esp32 *)link;
    struct serial_tlv tlv;

    (void)deadline_ms;
    if (serial_tlv_parse(message, len, &tlv) != (int)len)
        return -EBADMSG;
    return fake->ctrl ? handle_ctrl(fake, &tlv) : handle_classic(fake, &tlv);
}

static ssize_t extended_take(struct link *link, void *buf, size_t size)
{
    struct extended_esp32 *fake = (struct extended_esp32 *)link;
    struct serial_tlv tlv;
    const int whole = serial_tlv_parse(fake->queue, fake->queued, &tlv);
    const size_t len = whole > 0 && (size_t)whole < size ? (size_t)whole : 0;

    memcpy(buf, fake->queue, len);
    fake->queued -= len;
    memmove(fake->queue, fake->queue + len, fake->queued);
    if (len > 0 && fake->out > 0)
        fake->out--;
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
    const struct hosted_options options = {
        .dialect = fake->ctrl ? HOSTED_DIALECT_CTRL : HOSTED_DIALECT_CLASSIC,
        .log = keep_line,
        .log_ctx = fake,
    };
    struct hosted_device *device = NULL;

    return device_new(&options, "/dev/fake", &fake->link, &device, NULL) == 0 ? device : NULL;
}
