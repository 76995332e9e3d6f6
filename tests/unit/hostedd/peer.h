/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_TEST_PEER_H
#define HOSTEDD_TEST_PEER_H
/*
 * esp-hostedd as a process, and the ESP32's end of its bus in the hands of a test. Whatever does
 * not come to pass within PEER_PATIENCE_MS fails the test; nothing waits longer than it must.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "frame.h"

#define PEER_PATIENCE_MS 30000

struct peer {
    char folder[64]; /* of this test's own; /run to the daemon and to the test */
    char kept[96];   /* where answers of the ESP32 are kept */
    char bus[96];
    char control[96];
    char log[96]; /* what the daemon says on standard error */
    pid_t daemon; /* 0: not running */
    int listener; /* -1: nobody listens */
    int connection;
    uint8_t received[FRAME_MAX_BYTES + 1];
};

/* cmocka fixtures: a folder, no daemon and no listener yet. */
int peer_setup(void **state);
int peer_teardown(void **state);

/* `tap` may be NULL. `prepare`, which may be NULL, runs in the daemon's process before it begins.
 */
void peer_start_daemon(struct peer *peer, const char *tap, void (*prepare)(void));
int peer_stop_daemon(struct peer *peer, int signal_number); /* its exit status */
int peer_wait_daemon(struct peer *peer);                    /* the same, without a signal */

void peer_listen(struct peer *peer);
void peer_accept(struct peer *peer); /* and sends the INIT event, as an ESP32 does */
void peer_close(struct peer *peer);  /* connection and listener, as if the power were cut */

void peer_send(struct peer *peer, const struct frame *frame);
void peer_send_init(struct peer *peer);
void peer_send_serial(struct peer *peer, const void *data, size_t len);

/* The next frame of this interface; others are passed over. Valid until the next call. */
struct frame peer_receive(struct peer *peer, enum frame_interface type);

/* Opens the control device as a tool does, once it is there. */
int peer_open_control(struct peer *peer);
void peer_write(int fd, const void *data, size_t len);
void peer_expect(int fd, const void *data, size_t len); /* exactly these bytes come next */

/* Waits until the daemon has said this, `times` times. */
void peer_wait_log(struct peer *peer, const char *text, unsigned times);
unsigned peer_count_log(const struct peer *peer, const char *text); /* how often it has by now */

/* Asks the condition again and again. */
void peer_wait(int (*condition)(void *ctx), void *ctx, const char *what);

#endif
