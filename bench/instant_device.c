/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ESP32 that takes no time: it answers every request of an update with success at once,
 * on a pty, in the dialect of the request, as stock firmware: what a tool costs against it is the
 * tool's own.
 *
 *   instant_device LINK     makes LINK a symlink to the pty; runs until its standard input ends
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "serial_tlv.h"

#define ENDPOINT    "control"
#define GET_MODE    2
#define FIRST_FIELD 10 /* of a payload: this and the message number */

#define CTRL_ENDPOINT "ctrlResp"
#define CTRL_GET_MODE 103
#define CTRL_REPLY    2

struct peer {
    int fd;
    size_t have;
    uint8_t in[4 * SERIAL_TLV_MAX_BYTES];
};

static int open_pty(const char *link)
{
    const int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64];
    struct termios tio;

    if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, name, sizeof(name)) != 0)
        return -errno;

    /* Held open, or every tool that closes it would hang the line up. */
    const int other_end = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (other_end < 0 || tcgetattr(other_end, &tio) < 0)
        return -errno;
    cfmakeraw(&tio);
    unlink(link);
    if (tcsetattr(other_end, TCSANOW, &tio) < 0 || symlink(name, link) < 0)
        return -errno;
    return fd;
}

static bool is_ctrl(const struct serial_tlv *request)
{
    return request->endpoint_len == sizeof(CTRL_ENDPOINT) - 1 &&
           memcmp(request->endpoint, CTRL_ENDPOINT, request->endpoint_len) == 0;
}

static uint8_t *put(uint8_t *at, unsigned value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static unsigned take(const uint8_t **at, const uint8_t *end)
{
    unsigned value = 0;

    for (unsigned shift = 0; *at < end && shift < 32; shift += 7) {
        const uint8_t byte = *(*at)++;

        value |= (byte & 0x7fu) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

/* The number in that field; 0: there is none. Fields behind the first message are not looked at. */
static unsigned number_in(const struct serial_tlv *request, unsigned field)
{
    const uint8_t *at = request->data, *end = at + request->data_len;

    while (at < end) {
        const unsigned tag = take(&at, end);

        if ((tag & 7) != 0)
            return 0;

        const unsigned value = take(&at, end);

        if (tag >> 3 == field)
            return value;
    }
    return 0;
}

static uint8_t *put_payload(uint8_t *at, unsigned field, const uint8_t *payload, size_t len)
{
    at = put(at, field << 3 | 2);
    at = put(at, (unsigned)len);
    memcpy(at, payload, len);
    return at + len;
}

static size_t answer_classic(const struct serial_tlv *request, uint8_t *out)
{
    static const uint8_t success[] = {0x08, 0};          /* field 1, the result */
    static const uint8_t station[] = {0x08, 1, 0x10, 0}; /* mode and result */
    const unsigned number = number_in(request, 1);
    const bool asks = number == GET_MODE;
    uint8_t *at = put(out, 1 << 3);

    at = put(at, number + 1);
    at = put_payload(at, FIRST_FIELD + number + 1, asks ? station : success,
                     asks ? sizeof(station) : sizeof(success));
    return (size_t)(at - out);
}

static size_t answer_ctrl(const struct serial_tlv *request, uint8_t *out)
{
    static const uint8_t station[] = {0x08, 1}; /* the result is 0, and left out */
    const unsigned number = number_in(request, 2);
    uint8_t *at = put(out, 1 << 3);

    at = put(at, CTRL_REPLY);
    at = put(put(at, 2 << 3), number + 100);
    at = put(put(at, 3 << 3), number_in(request, 3));
    at = put_payload(at, number + 100, station, number == CTRL_GET_MODE ? sizeof(station) : 0);
    return (size_t)(at - out);
}

static int answer(const struct peer *peer, const struct serial_tlv *request)
{
    const bool ctrl = is_ctrl(request);
    uint8_t body[64], message[128];
    const size_t body_len = ctrl ? answer_ctrl(request, body) : answer_classic(request, body);
    const int head =
        serial_tlv_head(ctrl ? CTRL_ENDPOINT : ENDPOINT, body_len, message, sizeof(message));
    const size_t len = (size_t)head + body_len;

    memcpy(message + head, body, body_len);
    return write(peer->fd, message, len) == (ssize_t)len ? 0 : -EIO;
}

static int serve(struct peer *peer)
{
    const ssize_t got = read(peer->fd, peer->in + peer->have, sizeof(peer->in) - peer->have);

    if (got <= 0)
        return -EIO;
    peer->have += (size_t)got;
    for (;;) {
        struct serial_tlv request;
        const int len = serial_tlv_parse(peer->in, peer->have, &request);

        if (len < 0)
            return len == -EAGAIN ? 0 : len;
        if (answer(peer, &request) < 0)
            return -EIO;
        peer->have -= (size_t)len;
        memmove(peer->in, peer->in + len, peer->have);
    }
}

int main(int argc, char **argv)
{
    static struct peer peer;

    if (argc != 2) {
        fprintf(stderr, "Usage: instant_device LINK\n");
        return 2;
    }
    peer.fd = open_pty(argv[1]);
    if (peer.fd < 0) {
        fprintf(stderr, "instant_device: %s: %s\n", argv[1], strerror(-peer.fd));
        return 1;
    }
    puts("ready");
    fflush(stdout);

    struct pollfd fds[] = {
        {.fd = peer.fd, .events = POLLIN},
        {.fd = STDIN_FILENO, .events = POLLIN},
    };
    int err = 0;

    while (err == 0 && poll(fds, 2, -1) > 0 && fds[1].revents == 0)
        err = serve(&peer);
    unlink(argv[1]);
    return err == 0 ? 0 : 1;
}
