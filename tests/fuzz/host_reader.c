/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's reader: ctrl_client over a link whose bytes are the input. Every call ends, what it
 * takes for a reply is one to its request, and how the bytes are cut makes no difference.
 * Input: u8 dialect and switches, u8 largest read; then calls, each a byte and segments
 * (fuzz_link.h) as it needs them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl_client.h"
#include "fuzz.h"
#include "fuzz_link.h"
#include "host_check.h"

#define TIMEOUT_MS 1000

enum {
    DIALECT_MASK = 0x03,
    CURIOUS = 0x04,
    RESTART_FATAL = 0x08,
};

enum {
    LAST_COMMAND = CTRL_SET_FEATURE,
    LISTEN,
    DRAIN,
    CALLS,
};

struct run {
    struct fuzz_input input;
    struct fuzz_link link;
    struct ctrl_client client;
    size_t events;
};

static void on_event(void *ctx, const struct hosted_event *event)
{
    struct run *run = ctx;

    host_check_event(event);
    run->events++;
}

static void on_line(void *ctx, const char *line)
{
    (void)ctx;
    REQUIRE(fuzz_is_printable(line, 160));
}

static void begin(struct run *run, const uint8_t *data, size_t size)
{
    static const struct dialect *const dialects[] = {&dialect_classic, &dialect_ctrl, &dialect_mcu,
                                                     &dialect_ctrl};
    *run = (struct run){.input = {data, size}};

    const uint8_t head = fuzz_take_u8(&run->input);

    fuzz_clock_reset();
    fuzz_link_init(&run->link, &run->input, fuzz_take_u8(&run->input));
    ctrl_client_init(&run->client, &run->link.link, dialects[head & DIALECT_MASK]);
    run->client.log = on_line;
    run->client.event = on_event;
    run->client.event_ctx = run;
    run->client.curious = (head & CURIOUS) != 0;
    run->client.restart_fatal = (head & RESTART_FATAL) != 0;
}

static struct ctrl_request make_request(enum ctrl_command command)
{
    struct ctrl_request request = {.command = command};

    if (command == CTRL_OTA_WRITE) {
        request.write.data = "\xe9";
        request.write.len = 1;
    } else if (command == CTRL_CONNECT) {
        request.network = (struct hosted_network){.ssid = "MyWifi", .password = "", .bssid = ""};
    } else if (command == CTRL_SET_MAC) {
        request.set_mac.mac = "24:0a:c4:11:22:33";
    }
    return request;
}

static void check_error(const struct run *run, int err)
{
    REQUIRE(err == -ETIMEDOUT || err == -ENODEV || err == -EPROTO || err == -ENOTSUP ||
            err == -ECONNRESET || err == -EPROTOTYPE);
    REQUIRE(err != -ECONNRESET || (run->client.restart_fatal && run->client.restarted));
    REQUIRE(err != -EPROTOTYPE || (run->client.curious && run->client.heard != NULL));
}

/* What came of it: the error, or a digest of the reply. */
static uint64_t call(struct run *run, enum ctrl_command command)
{
    const struct ctrl_request request = make_request(command);
    struct ctrl_reply reply;
    const int err = ctrl_client_call(&run->client, &request, TIMEOUT_MS, &reply);

    if (err < 0) {
        check_error(run, err);
        return (uint64_t)-err;
    }

    const uint64_t digest = host_digest_reply(&reply);

    REQUIRE(err == 0 && reply.command == command);
    REQUIRE(reply.uid == 0 || reply.uid == run->client.uid);
    host_check_reply(&reply);
    ctrl_reply_free(&reply);
    return digest;
}

static uint64_t step(struct run *run)
{
    const int what = fuzz_take_u8(&run->input) % CALLS;
    const size_t events = run->events;
    int err;

    if (what <= LAST_COMMAND)
        return call(run, (enum ctrl_command)what);
    if (what == LISTEN) {
        err = ctrl_client_listen(&run->client, clock_ms() + TIMEOUT_MS);
        REQUIRE(err != 0 || run->events > events);
    } else {
        err = ctrl_client_drain(&run->client, clock_ms() + TIMEOUT_MS);
        REQUIRE(err < 0 || run->client.unread == 0);
    }
    if (err < 0)
        check_error(run, err);
    return (uint64_t)-err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    uint64_t outcome;

    /* The first call, with a read of its own for each byte. */
    begin(&run, data, size);
    run.link.piece = 1;
    outcome = step(&run);

    begin(&run, data, size);
    REQUIRE(step(&run) == outcome);
    while (run.input.left > 0)
        step(&run);
    REQUIRE(run.client.counters.events == run.events);
    REQUIRE(run.client.counters.bytes <= run.link.given);
    return 0;
}
