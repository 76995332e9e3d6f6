/* SPDX-License-Identifier: Apache-2.0 */
#include "ctrl_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void say(const struct ctrl_client *client,
                                                      const char *format, ...)
{
    char line[160];
    va_list args;

    if (client->log == NULL)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    client->log(client->log_ctx, line);
}

/* So long after the last reply something else may have come in. A write that follows at once, as
 * all do that need not wait for their data, is spared the look. */
#define IDLE_MS 2

/* More than any driver queues: a device that never stops talking must not hold a drain for ever. */
#define DRAIN_LIMIT_BYTES ((size_t)256 * 1024)

/* Numbers of requests begin anywhere below this and count up: the reply to a request of an earlier
 * process is none to ours. Small enough for four bytes on the wire. */
#define UID_LIMIT 0x0fffffff

void ctrl_client_init(struct ctrl_client *client, struct link *link, const struct dialect *dialect)
{
    *client = (struct ctrl_client){
        .link = link,
        .dialect = dialect,
        .uid = (int32_t)(random_number() % UID_LIMIT),
    };
}

static int32_t next_uid(int32_t uid)
{
    return uid < UID_LIMIT ? uid + 1 : 1;
}

/* How many requests ago it was. */
static int32_t age_of(const struct ctrl_client *client, int32_t uid)
{
    const int32_t age = client->uid - uid;

    return age >= 0 ? age : age + UID_LIMIT;
}

static bool is_awaited(const struct ctrl_client *client, int32_t uid)
{
    if (client->oldest_out == 0)
        return uid == client->uid;
    return uid > 0 && uid <= UID_LIMIT && age_of(client, uid) <= age_of(client, client->oldest_out);
}

bool ctrl_client_is_idle(const struct ctrl_client *client)
{
    return clock_ms() - client->replied_ms >= IDLE_MS;
}

static void take(struct ctrl_client *client, size_t n)
{
    client->unread -= n;
    memmove(client->in, client->in + n, client->unread);
}

/* Nobody asked for these bytes. */
static void drop_bytes(struct ctrl_client *client, size_t n, const char *what)
{
    say(client, "dropped %zu bytes: %s", n, what);
    client->counters.bytes += n;
    client->strays_seen = true;
    take(client, n);
}

/* Goes on to the next byte that could start a message. */
static void resynchronise(struct ctrl_client *client)
{
    size_t skip = 1;

    while (skip < client->unread && client->in[skip] != 0x01)
        skip++;
    drop_bytes(client, skip, "they are no message");
    client->in_noise = true;
}

static void drop_message(struct ctrl_client *client, const char *what)
{
    say(client, "dropped a message: %s", what);
    client->counters.messages++;
    client->strays_seen = true;
}

/* What a whole message turned out to be. */
enum verdict {
    NOTHING, /* dropped */
    REPLY,
    EMPTY_REPLY, /* to this request, and without its content */
    EVENT,
    OTHER_DIALECT,
};

/* Where there are no numbers, a late answer to a plain question must not stand for that to one with
 * an extension, nor the other way round. */
static bool is_other_question(const struct ctrl_request *request, const struct ctrl_reply *reply)
{
    return reply->command == CTRL_GET_MODE && reply->uid == 0 && reply->outcome == CTRL_OK &&
           (request->extension_len > 0) != (reply->extension_len > 0);
}

static bool is_late_write(const struct ctrl_client *client, bool empty,
                          const struct ctrl_reply *reply)
{
    return client->late != NULL && !empty && reply->command == CTRL_OTA_WRITE &&
           (reply->uid == 0 || is_awaited(client, reply->uid));
}

/* `request` is NULL where nobody waits for a reply. */
static enum verdict judge_reply(struct ctrl_client *client, const struct ctrl_request *request,
                                bool empty, const struct ctrl_reply *reply)
{
    const char *name = ctrl_command_name(reply->command);
    char what[80];

    if (request == NULL) {
        snprintf(what, sizeof(what), "a reply to %s that nobody waits for", name);
    } else if (reply->command != request->command) {
        snprintf(what, sizeof(what), "a reply to %s while waiting for one to %s", name,
                 ctrl_command_name(request->command));
    } else if (reply->uid != 0 && !is_awaited(client, reply->uid)) {
        snprintf(what, sizeof(what), "a reply to %s number %d while waiting for number %d", name,
                 (int)reply->uid, (int)client->uid);
    } else if (!empty && is_other_question(request, reply)) {
        snprintf(what, sizeof(what), "a reply to another %s", name);
    } else {
        client->numberless |= reply->uid == 0;
        return empty ? EMPTY_REPLY : REPLY;
    }
    if (is_late_write(client, empty, reply)) {
        client->late(client->late_ctx, reply);
        return NOTHING;
    }
    drop_message(client, what);
    client->refused_late |= !empty && reply->command == CTRL_OTA_WRITE &&
                            reply->outcome != CTRL_OK &&
                            (reply->uid == 0 || reply->uid == client->uid);
    return NOTHING;
}

static void hand_on(struct ctrl_client *client, const struct hosted_event *event)
{
    client->counters.events++;
    if (event->kind == HOSTED_EVENT_INIT) {
        say(client, "the ESP32 has started");
        client->restarted = true;
    }
    if (client->event != NULL)
        client->event(client->event_ctx, event);
}

static enum verdict judge(struct ctrl_client *client, const struct ctrl_request *request, int err,
                          struct ctrl_message *message)
{
    enum verdict verdict;

    if (err == 0 && message->is_event) {
        hand_on(client, &message->event);
        return EVENT;
    }
    if (err != 0 && err != -EPROTO) {
        drop_message(client, "no reply and no event");
        return NOTHING;
    }
    verdict = judge_reply(client, request, err == -EPROTO, &message->reply);
    if (verdict != REPLY && err == 0)
        ctrl_reply_free(&message->reply);
    return verdict;
}

/* A message that was meant for another kind of host; but is it a message? */
static int hear(struct ctrl_client *client, const struct dialect *dialect,
                const struct serial_tlv *tlv)
{
    struct ctrl_message message;
    const int err = dialect->decode(tlv, &message);

    if (err == -EBADMSG || err == -ENOMEM)
        return err;
    if (err == 0 && !message.is_event)
        ctrl_reply_free(&message.reply);
    if (!client->in_noise)
        client->restarted |=
            err == 0 && message.is_event && message.event.kind == HOSTED_EVENT_INIT;
    drop_message(client, "of another dialect");
    return 0;
}

/*
 * Takes the first message in `in`. 0 with what it is in *ret, and with the reply in *message if it
 * is that; -EAGAIN: there is no whole message; -ENOMEM.
 */
static int take_message(struct ctrl_client *client, const struct ctrl_request *request,
                        struct ctrl_message *message, enum verdict *ret)
{
    while (client->unread > 0) {
        struct serial_tlv tlv;
        const int whole = serial_tlv_parse(client->in, client->unread, &tlv);

        if (whole == -EAGAIN)
            return -EAGAIN;

        const struct dialect *dialect = whole > 0 ? dialect_of_message(&tlv) : NULL;
        const bool ours = dialect != NULL && dialect == client->dialect;
        int err = -EBADMSG;

        if (ours)
            err = dialect->decode(&tlv, message);
        else if (dialect != NULL)
            err = hear(client, dialect, &tlv);
        if (err == -ENOMEM)
            return err;
        /* What does not decode may be the half of a message, with a whole one inside. */
        if (err == -EBADMSG) {
            resynchronise(client);
            continue;
        }
        take(client, (size_t)whole);
        if (!client->in_noise)
            client->heard = dialect;
        *ret = ours ? judge(client, request, err, message) : OTHER_DIALECT;
        return 0;
    }
    return -EAGAIN;
}

/* Events in what has come in are heard; nothing else in it is for anybody. */
static int skip_messages(struct ctrl_client *client)
{
    struct ctrl_message message;
    enum verdict verdict;
    int err;

    do
        err = take_message(client, NULL, &message, &verdict);
    while (err == 0);
    return err == -EAGAIN ? 0 : err;
}

static int drop_unread(struct ctrl_client *client)
{
    int err = skip_messages(client);

    /* The half of a message may have whole ones behind it. */
    while (err == 0 && client->unread > 0) {
        resynchronise(client);
        err = skip_messages(client);
    }
    client->in_noise = false;
    return err;
}

/* What a device that never stops talking must not hold up. */
static int check_drain(const struct ctrl_client *client, int64_t deadline_ms)
{
    if (client->cancel != NULL && hosted_cancel_requested(client->cancel))
        return -ECANCELED;
    return clock_ms() >= deadline_ms ? -ETIMEDOUT : 0;
}

int ctrl_client_drain(struct ctrl_client *client, int64_t deadline_ms)
{
    size_t total = 0;
    int err = skip_messages(client);

    while (err == 0 && total < DRAIN_LIMIT_BYTES) {
        const ssize_t got = client->link->ops->take(client->link, client->in + client->unread,
                                                    sizeof(client->in) - client->unread);

        if (got < 0)
            return (int)got;
        if (got == 0)
            break;
        total += (size_t)got;
        client->unread += (size_t)got;
        err = skip_messages(client);
        if (err == 0)
            err = check_drain(client, deadline_ms);
    }
    return err < 0 ? err : drop_unread(client);
}

static int receive(struct ctrl_client *client, int64_t deadline_ms,
                   const struct hosted_cancel *cancel)
{
    /* Not left to the link: a device that never stops to talk is always ready to be read. */
    if (clock_ms() >= deadline_ms)
        return -ETIMEDOUT;

    const ssize_t got =
        client->link->ops->receive(client->link, client->in + client->unread,
                                   sizeof(client->in) - client->unread, deadline_ms, cancel);

    if (got < 0)
        return (int)got;
    client->unread += (size_t)got;
    return 0;
}

static int send_request(struct ctrl_client *client, const struct ctrl_request *request,
                        int64_t deadline_ms)
{
    const int32_t uid = next_uid(client->uid);
    const int len = client->dialect->encode(request, client->dialect->has_uids ? uid : 0,
                                            client->out, sizeof(client->out));

    if (len < 0)
        return len;
    client->uid = uid;
    return client->link->ops->send(client->link, client->out, (size_t)len, deadline_ms);
}

static bool is_other_dialect_heard(const struct ctrl_client *client)
{
    return client->curious && client->heard != NULL && client->heard != client->dialect;
}

/* What has come in is for nobody, unless it is for a write that is out. */
static int clear_way(struct ctrl_client *client, const struct ctrl_request *request,
                     int64_t deadline_ms)
{
    const bool writes = request->command == CTRL_OTA_WRITE;

    if (writes && client->oldest_out != 0)
        return 0;
    if (!writes || client->strays_seen || ctrl_client_is_idle(client))
        return ctrl_client_drain(client, deadline_ms);
    return client->unread > 0 ? drop_unread(client) : 0;
}

/* Clears the way and sends. */
static int start(struct ctrl_client *client, const struct ctrl_request *request,
                 int64_t deadline_ms)
{
    int err;

    if (client->cancel != NULL && hosted_cancel_requested(client->cancel))
        return -ECANCELED;
    err = clear_way(client, request, deadline_ms);
    if (err < 0)
        return err;
    if (client->restarted && client->restart_fatal)
        return -ECONNRESET;
    if (is_other_dialect_heard(client))
        return -EPROTOTYPE;
    return send_request(client, request, deadline_ms);
}

/* 0 with the reply, -EAGAIN while it is not there, or what ends the call. */
static int look_for_reply(struct ctrl_client *client, const struct ctrl_request *request,
                          struct ctrl_reply *ret)
{
    for (;;) {
        struct ctrl_message message;
        enum verdict verdict;
        const int err = take_message(client, request, &message, &verdict);

        if (err < 0)
            return err;
        if (verdict == REPLY) {
            *ret = message.reply;
            return 0;
        }
        if (verdict == EMPTY_REPLY)
            return -EPROTO;
        if (client->restarted && client->restart_fatal)
            return -ECONNRESET;
        if (is_other_dialect_heard(client))
            return -EPROTOTYPE;
    }
}

/* At the end of the wait: the half of a message that never came may have swallowed the reply. */
static int look_behind_half(struct ctrl_client *client, const struct ctrl_request *request,
                            struct ctrl_reply *ret)
{
    int err = -EAGAIN;

    while (err == -EAGAIN && client->unread > 0) {
        resynchronise(client);
        err = look_for_reply(client, request, ret);
    }
    return err == -EAGAIN ? -ETIMEDOUT : err;
}

static int wait_for_reply(struct ctrl_client *client, const struct ctrl_request *request,
                          int64_t deadline_ms, struct ctrl_reply *ret)
{
    const struct hosted_cancel *cancel = request->command != CTRL_OTA_END ? client->cancel : NULL;
    int err;

    while ((err = look_for_reply(client, request, ret)) == -EAGAIN) {
        err = receive(client, deadline_ms, cancel);
        if (err == -ETIMEDOUT)
            err = look_behind_half(client, request, ret);
        else if (err == 0)
            continue;
        break;
    }
    if (err == 0)
        client->in_noise = false;
    client->replied_ms = clock_ms();
    return err;
}

int ctrl_client_call(struct ctrl_client *client, const struct ctrl_request *request,
                     unsigned timeout_ms, struct ctrl_reply *ret)
{
    const int64_t deadline_ms = clock_ms() + timeout_ms;
    const int err = start(client, request, deadline_ms);

    return err < 0 ? err : wait_for_reply(client, request, deadline_ms, ret);
}

int ctrl_client_send(struct ctrl_client *client, const struct ctrl_request *write,
                     unsigned timeout_ms)
{
    const int err = start(client, write, clock_ms() + timeout_ms);

    if (err == 0 && client->oldest_out == 0)
        client->oldest_out = client->uid;
    return err;
}

int ctrl_client_take(struct ctrl_client *client, unsigned timeout_ms, struct ctrl_reply *ret)
{
    const struct ctrl_request write = {.command = CTRL_OTA_WRITE};
    const int err = wait_for_reply(client, &write, clock_ms() + timeout_ms, ret);

    if (err == 0 && ret->uid != 0)
        client->oldest_out = ret->uid != client->uid ? next_uid(ret->uid) : 0;
    return err;
}

void ctrl_client_settled(struct ctrl_client *client)
{
    client->oldest_out = 0;
}

int ctrl_client_listen(struct ctrl_client *client, int64_t deadline_ms)
{
    for (;;) {
        struct ctrl_message message;
        enum verdict verdict;
        int err = take_message(client, NULL, &message, &verdict);

        if (err == 0 && verdict == EVENT)
            return 0;
        if (err == 0 && is_other_dialect_heard(client))
            return -EPROTOTYPE;
        if (err == -EAGAIN)
            err = receive(client, deadline_ms, client->cancel);
        if (err < 0)
            return err;
    }
}
