/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_CTL_H
#define SIM_CTL_H
/*
 * --ctl SOCKET: a Unix stream socket on which a line is a command and gets a line as its answer.
 * Clients, and what they have sent already, stay over resets of the chip.
 */
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define CTL_MAX_CLIENTS 8
#define CTL_LINE_BYTES  256

struct ctl_client {
    int fd; /* -1: free */
    char input[CTL_LINE_BYTES];
    size_t len;
};

struct ctl {
    int listener; /* -1 without --ctl */
    struct ctl_client clients[CTL_MAX_CLIENTS];
};

/* NULL: no control socket. Returns 0 or -errno. */
int ctl_listen(struct ctl *ctl, const char *path);

void ctl_accept(struct ctl *ctl);

/* Takes what the client has sent, or notices that it is gone. */
void ctl_read(struct ctl *ctl, int client);

/*
 * Takes one whole line, without its end, out of a client's input. Returns the client, or -1 when
 * there is none. A line that is too long loses its client.
 */
int ctl_next_line(struct ctl *ctl, char ret_line[CTL_LINE_BYTES]);

/* Answers with one line; the client may be gone. */
__attribute__((format(printf, 3, 4))) void ctl_reply(struct ctl *ctl, int client,
                                                     const char *format, ...);

#endif
