/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ESP32 that takes no time: it answers every request of an update (classic) with success
 * at once, on a pty. What a tool costs against it is the tool's own.
 *
 *   instant_device LINK     makes LINK a symlink to the pty; runs until its standard input ends
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "serial_tlv.h"

#define ENDPOINT    "control"
#define GET_MODE    2
#define FIRST_FIELD 10 /* of a payload: this and the message number */

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

/* Message numbers here are below 128: one byte each, behind the tag 08. */
static int answer(const struct peer *peer, const struct serial_tlv *request)
{
    const uint8_t number =
        request->data_len >= 2 && request->data[0] == 0x08 ? request->data[1] : 0;
    const unsigned tag = (FIRST_FIELD + number + 1u) << 3 | 2;
    const uint8_t success[] = {0x08, 0};          /* field 1, the result */
    const uint8_t station[] = {0x08, 1, 0x10, 0}; /* mode and result */
    const uint8_t *payload = number == GET_MODE ? station : success;
    const size_t payload_len = number == GET_MODE ? sizeof(station) : sizeof(success);
    const size_t tag_len = tag < 0x80 ? 1 : 2;
    const size_t len = 2 + tag_len + 1 + payload_len;
    uint8_t message[64];
    uint8_t *at = message + serial_tlv_head(ENDPOINT, len, message, sizeof(message));

    *at++ = 0x08;
    *at++ = (uint8_t)(number + 1);
    *at++ = (uint8_t)(tag_len == 1 ? tag : (tag & 0x7f) | 0x80);
    if (tag_len == 2)
        *at++ = (uint8_t)(tag >> 7);
    *at++ = (uint8_t)payload_len;
    memcpy(at, payload, payload_len);
    at += payload_len;
    return write(peer->fd, message, (size_t)(at - message)) == at - message ? 0 : -EIO;
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
