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

void ctrl_client_init(struct ctrl_client *client, struct link *link, const struct dialect *dialect)
{
    client->link = link;
    client->dialect = dialect;
    client->cancel = NULL;
    client->log = NULL;
    client->log_ctx = NULL;
    client->strays_seen = false;
    client->replied_ms = 0;
    client->unread = 0;
}

static void drop_unread(struct ctrl_client *client)
{
    if (client->unread == 0)
        return;
    say(client, "dropped %zu bytes that nobody asked for", client->unread);
    client->strays_seen = true;
    client->unread = 0;
}

int ctrl_client_drain(struct ctrl_client *client)
{
    const ssize_t dropped = client->link->ops->drain(client->link);

    if (dropped < 0)
        return (int)dropped;
    client->unread += (size_t)dropped;
    drop_unread(client);
    return 0;
}

static void take(struct ctrl_client *client, size_t n)
{
    client->unread -= n;
    memmove(client->in, client->in + n, client->unread);
}

/* Goes on to the next byte that could start a message. */
static void resynchronise(struct ctrl_client *client)
{
    size_t skip = 1;

    while (skip < client->unread && client->in[skip] != 0x01)
        skip++;
    say(client, "skipped %zu bytes that are no message", skip);
    client->strays_seen = true;
    take(client, skip);
}

/* Whether a message that was read answers the request; if not, it is dropped. */
static int judge(struct ctrl_client *client, const struct ctrl_request *request, int err,
                 struct ctrl_reply *reply)
{
    const bool known = err == 0 || err == -EPROTO;

    if (known && reply->command == request->command)
        return err;
    if (known)
        say(client, "dropped a reply to %s while waiting for one to %s",
            ctrl_command_name(reply->command), ctrl_command_name(request->command));
    else
        say(client, "dropped a message that is no reply");
    client->strays_seen = true;
    if (err == 0)
        ctrl_reply_free(reply);
    return -EAGAIN;
}

/* Looks for the reply in what has come in. -EAGAIN: it is not there yet. */
static int find_reply(struct ctrl_client *client, const struct ctrl_request *request,
                      struct ctrl_reply *ret)
{
    while (client->unread > 0) {
        struct serial_tlv message;
        const int whole = serial_tlv_parse(client->in, client->unread, &message);

        if (whole == -EAGAIN)
            return -EAGAIN;

        struct ctrl_reply reply = {0};
        int err = whole < 0 ? whole : client->dialect->decode(&message, &reply);

        if (err == -ENOMEM)
            return err;
        /* A message that does not decode may be the half of one, with a whole one inside. */
        if (err == -EBADMSG) {
            resynchronise(client);
            continue;
        }
        take(client, (size_t)whole);
        err = judge(client, request, err, &reply);
        if (err == 0)
            *ret = reply;
        if (err != -EAGAIN)
            return err;
    }
    return -EAGAIN;
}

static int send_request(struct ctrl_client *client, const struct ctrl_request *request,
                        int64_t deadline_ms)
{
    const int len = client->dialect->encode(request, client->out, sizeof(client->out));

    if (len < 0)
        return len;
    return client->link->ops->send(client->link, client->out, (size_t)len, deadline_ms);
}

int ctrl_client_call(struct ctrl_client *client, const struct ctrl_request *request,
                     unsigned timeout_ms, struct ctrl_reply *ret)
{
    const int64_t deadline_ms = clock_ms() + timeout_ms;
    const struct hosted_cancel *cancel = request->command != CTRL_OTA_END ? client->cancel : NULL;
    int err = 0;

    if (client->cancel != NULL && hosted_cancel_requested(client->cancel))
        return -ECANCELED;
    drop_unread(client);
    if (request->command != CTRL_OTA_WRITE || client->strays_seen ||
        clock_ms() - client->replied_ms >= IDLE_MS)
        err = ctrl_client_drain(client);
    if (err == 0)
        err = send_request(client, request, deadline_ms);
    if (err < 0)
        return err;

    for (;;) {
        err = find_reply(client, request, ret);
        if (err != -EAGAIN) {
            client->replied_ms = clock_ms();
            return err;
        }
        /* Not left to the link: a device that never stops to talk is always ready to be read. */
        if (clock_ms() >= deadline_ms)
            return -ETIMEDOUT;

        const ssize_t got =
            client->link->ops->receive(client->link, client->in + client->unread,
                                       sizeof(client->in) - client->unread, deadline_ms, cancel);

        if (got < 0)
            return (int)got;
        client->unread += (size_t)got;
    }
}
