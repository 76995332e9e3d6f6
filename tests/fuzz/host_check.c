/* SPDX-License-Identifier: Apache-2.0 */
#include "host_check.h"

#include <string.h>

#include "fuzz.h"

static bool ends(const char *text, size_t size)
{
    return strnlen(text, size) < size;
}

/* An SSID may be any bytes, and be shorter than what strlen() says of it never. */
static bool is_ssid(const char *ssid, size_t len)
{
    return len <= HOSTED_SSID_BYTES && ssid[len] == '\0' && (len == 0 || ssid[len - 1] != '\0');
}

void host_check_ap(const struct hosted_ap *ap)
{
    REQUIRE(is_ssid(ap->ssid, ap->ssid_len));
    REQUIRE(ends(ap->bssid, sizeof(ap->bssid)));
}

void host_check_identity(const struct hosted_identity *identity)
{
    REQUIRE(fuzz_is_printable(identity->running_slot, sizeof(identity->running_slot)));
    REQUIRE(fuzz_is_printable(identity->project, sizeof(identity->project)));
    REQUIRE(fuzz_is_printable(identity->version, sizeof(identity->version)));
}

void host_check_event(const struct hosted_event *event)
{
    REQUIRE(event->kind <= HOSTED_EVENT_OTHER);
    if (event->kind != HOSTED_EVENT_CONNECTED && event->kind != HOSTED_EVENT_DISCONNECTED)
        return;
    REQUIRE(is_ssid(event->ssid, event->ssid_len));
    REQUIRE(ends(event->bssid, sizeof(event->bssid)));
}

void host_check_reply(const struct ctrl_reply *reply)
{
    REQUIRE(ctrl_command_name(reply->command) != NULL);
    REQUIRE((reply->outcome == CTRL_OK) == (reply->code == 0));
    switch (reply->command) {
    case CTRL_GET_MAC:
        REQUIRE(ends(reply->mac, sizeof(reply->mac)));
        break;
    case CTRL_GET_MODE:
        if (reply->mode.identity.known)
            host_check_identity(&reply->mode.identity);
        break;
    case CTRL_GET_AP:
        host_check_ap(&reply->ap);
        break;
    case CTRL_SCAN:
        REQUIRE((reply->scan.list == NULL) == (reply->scan.count == 0));
        for (size_t i = 0; i < reply->scan.count; i++)
            host_check_ap(&reply->scan.list[i]);
        break;
    case CTRL_GET_VERSION:
        REQUIRE(fuzz_is_printable(reply->version, sizeof(reply->version)));
        break;
    default:
        break;
    }
}

/* FNV-1a, but for numbers taken whole. */
static uint64_t add_number(uint64_t digest, int64_t number)
{
    return (digest ^ (uint64_t)number) * 0x100000001b3u;
}

static uint64_t add_bytes(uint64_t digest, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        digest = add_number(digest, bytes[i]);
    return digest;
}

static uint64_t add_ap(uint64_t digest, const struct hosted_ap *ap)
{
    digest = add_bytes(digest, ap->ssid, ap->ssid_len);
    digest = add_bytes(digest, ap->bssid, strlen(ap->bssid));
    digest = add_number(digest, ap->rssi);
    digest = add_number(digest, ap->channel);
    return add_number(digest, ap->encryption);
}

uint64_t host_digest_reply(const struct ctrl_reply *reply)
{
    uint64_t digest = 0xcbf29ce484222325u;

    digest = add_number(digest, reply->command);
    digest = add_number(digest, reply->uid);
    digest = add_number(digest, reply->outcome);
    digest = add_number(digest, reply->code);
    if (reply->command == CTRL_GET_MAC)
        return add_bytes(digest, reply->mac, strlen(reply->mac));
    if (reply->command == CTRL_GET_MODE)
        return add_number(digest, reply->mode.mode);
    if (reply->command == CTRL_GET_AP)
        return add_ap(digest, &reply->ap);
    if (reply->command == CTRL_GET_VERSION)
        return add_bytes(digest, reply->version, strlen(reply->version));
    for (size_t i = 0; reply->command == CTRL_SCAN && i < reply->scan.count; i++)
        digest = add_ap(digest, &reply->scan.list[i]);
    return digest;
}
