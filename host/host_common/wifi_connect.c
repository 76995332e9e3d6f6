/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining a network. Classic firmware answers once it knows how that ended. Firmware of the ctrl
 * dialect always answers "success" at once; what happened is told by its events, and stock firmware
 * then tries for ever.
 */
#include <errno.h>
#include <string.h>

#include "device_internal.h"
#include "fault.h"
#include "text.h"

#define DEFAULT_LISTEN_INTERVAL 3

/* One attempt may fail over a lost frame: upstream's classic firmware makes several, too. */
#define FAILED_ATTEMPTS 3
/* Firmware that says no more after a failure has given up. */
#define QUIET_AFTER_FAILURE_MS 5000

/* How long a "disconnect" may take that ends the attempts of a stock firmware. */
#define GIVE_UP_MS 2000

/* wifi_err_reason_t of ESP-IDF */
enum reason {
    REASON_ASSOC_LEAVE = 8, /* the old network was left for the new one */
    REASON_HANDSHAKE_4WAY_TIMEOUT = 15,
    REASON_NO_AP_FOUND = 201,
    REASON_AUTH_FAIL = 202,
    REASON_HANDSHAKE_TIMEOUT = 204,
    REASON_NO_AP_WITH_SECURITY = 210,
    REASON_NO_AP_WITH_AUTH_MODE = 211,
    REASON_NO_AP_WITH_RSSI = 212,
};

struct attempt {
    const char *ssid;
    bool connected;
    bool restarted;
    int failures;
    int reason; /* of the failures */
    int64_t failed_ms;
};

/* Other networks are none of this attempt's: firmware that was never told one may look for its own,
 * for ever. Of a name of 32 bytes some firmware tells but 31. */
static bool is_for(const struct attempt *attempt, const struct hosted_event *event)
{
    const size_t len = strlen(attempt->ssid);

    return (event->ssid_len == len || (len == HOSTED_SSID_BYTES && event->ssid_len == len - 1)) &&
           memcmp(event->ssid, attempt->ssid, event->ssid_len) == 0;
}

static enum ctrl_outcome outcome_of(int reason)
{
    switch (reason) {
    case REASON_NO_AP_FOUND:
    case REASON_NO_AP_WITH_SECURITY:
    case REASON_NO_AP_WITH_AUTH_MODE:
    case REASON_NO_AP_WITH_RSSI:
        return CTRL_NO_AP_FOUND;
    case REASON_HANDSHAKE_4WAY_TIMEOUT:
    case REASON_AUTH_FAIL:
    case REASON_HANDSHAKE_TIMEOUT:
        return CTRL_BAD_PASSWORD;
    default:
        return CTRL_REFUSED;
    }
}

static void on_event(void *ctx, const struct hosted_event *event)
{
    struct attempt *attempt = ctx;

    if (event->kind == HOSTED_EVENT_INIT)
        attempt->restarted = true;
    if (event->kind == HOSTED_EVENT_CONNECTED && is_for(attempt, event))
        attempt->connected = true;
    if (event->kind == HOSTED_EVENT_DISCONNECTED && is_for(attempt, event) &&
        event->reason != REASON_ASSOC_LEAVE) {
        attempt->connected = false;
        attempt->failures++;
        attempt->failed_ms = clock_ms();
        /* The first attempt tells why; those after it may just say that it failed again. */
        if (outcome_of(attempt->reason) == CTRL_REFUSED)
            attempt->reason = event->reason;
    }
}

/* What the ESP32 says about a network that it could not join. */
static int connect_fault(const struct hosted_device *device, const struct ctrl_reply *reply,
                         const char *ssid, struct hosted_fault *fault)
{
    const struct ctrl_request request = {.command = CTRL_CONNECT};
    char name[4 * HOSTED_SSID_BYTES + 1];
    int err = -EREMOTEIO;

    if (reply->extension_len > 0) /* it did not even try */
        return device_refused(device, &request, reply, fault);
    text_printable(name, sizeof(name), ssid, strlen(ssid));
    if (reply->outcome == CTRL_NO_AP_FOUND)
        err = fault_set(fault, HOSTED_REFUSED, -ENOENT,
                        "%s: '%s': no access point of this name in reach", device->path, name);
    else if (reply->outcome == CTRL_BAD_PASSWORD)
        err = fault_set(fault, HOSTED_REFUSED, -EACCES,
                        "%s: '%s': the access point refused the password", device->path, name);
    else
        fault_set(fault, HOSTED_REFUSED, err, "%s: '%s': the ESP32 could not connect (code %d)",
                  device->path, name, (int)reply->code);
    if (fault != NULL)
        fault->device_code = reply->code;
    return err;
}

/* 0 once it is known how it ended, or what the link said. */
static int wait_for_end(struct hosted_device *device, const struct attempt *attempt,
                        int64_t deadline_ms)
{
    int err = 0;

    while (err == 0 && !attempt->connected && !attempt->restarted &&
           attempt->failures < FAILED_ATTEMPTS) {
        int64_t until_ms = deadline_ms;

        if (attempt->failures > 0 && attempt->failed_ms + QUIET_AFTER_FAILURE_MS < until_ms)
            until_ms = attempt->failed_ms + QUIET_AFTER_FAILURE_MS;
        err = ctrl_client_listen(&device->client, until_ms);
    }
    /* Silence behind a failure leaves that as the last word. */
    return err == -ETIMEDOUT && attempt->failures > 0 ? 0 : err;
}

/* A network that the host was told it did not get must not come later. */
static void give_up(struct hosted_device *device)
{
    const struct ctrl_request request = {.command = CTRL_DISCONNECT};
    const unsigned longest_ms = device_timeout_ms(device, GIVE_UP_MS / 1000);
    struct ctrl_reply reply;

    ctrl_client_call(&device->client, &request, longest_ms < GIVE_UP_MS ? longest_ms : GIVE_UP_MS,
                     &reply);
}

static int connect_fails(struct hosted_device *device, const struct attempt *attempt,
                         struct hosted_fault *fault)
{
    const struct ctrl_reply reply = {
        .outcome = outcome_of(attempt->reason),
        .code = attempt->reason,
    };

    give_up(device);
    return connect_fault(device, &reply, attempt->ssid, fault);
}

static int judge_by_events(struct hosted_device *device, const struct ctrl_request *request,
                           const struct attempt *attempt, unsigned timeout_ms,
                           struct hosted_fault *fault)
{
    const int err = wait_for_end(device, attempt, clock_ms() + timeout_ms);

    if (err == 0 && attempt->connected)
        return 0;
    if (attempt->restarted)
        return device_link_fault(device, request, -ECONNRESET, 0, fault);
    if (err == 0)
        return connect_fails(device, attempt, fault);
    if (err != -ETIMEDOUT)
        return device_link_fault(device, request, err, timeout_ms, fault);
    give_up(device);
    return fault_set(fault, HOSTED_NO_ANSWER, err,
                     "%s: connect: no answer for %u s to how it ended", device->path,
                     timeout_ms / 1000);
}

static int join(struct hosted_device *device, const struct ctrl_request *request,
                struct attempt *attempt, struct hosted_fault *fault)
{
    const unsigned timeout_ms = device_timeout_ms(device, DEVICE_DEFAULT_TIMEOUT_S);
    struct ctrl_reply reply;
    int err = device_ready(device, request, fault);

    if (err < 0)
        return err;
    /* What has been waiting to be read is not about this attempt. */
    err = ctrl_client_drain(&device->client, clock_ms() + timeout_ms);
    if (err < 0)
        return device_link_fault(device, request, err, timeout_ms, fault);
    device->watch = on_event;
    device->watch_ctx = attempt;
    err = device_exchange(device, request, timeout_ms, &reply, fault);
    if (err < 0)
        return err;
    if (reply.outcome != CTRL_OK)
        return connect_fault(device, &reply, attempt->ssid, fault);
    if (hosted_dialect(device) != HOSTED_DIALECT_CTRL)
        return 0;
    return judge_by_events(device, request, attempt, timeout_ms, fault);
}

int hosted_connect(struct hosted_device *device, const struct hosted_network *network,
                   struct hosted_fault *fault)
{
    struct ctrl_request request = {.command = CTRL_CONNECT, .network = *network};
    struct attempt attempt = {.ssid = network->ssid};
    int err = hosted_network_check(network, fault);

    if (err < 0)
        return err;
    if (request.network.password == NULL)
        request.network.password = "";
    if (request.network.bssid == NULL)
        request.network.bssid = "";
    if (request.network.listen_interval == 0)
        request.network.listen_interval = DEFAULT_LISTEN_INTERVAL;

    err = join(device, &request, &attempt, fault);
    device->watch = NULL;
    return err;
}
