/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PTY_ESP32_H
#define PTY_ESP32_H
/* An ESP32 behind a real pty, answered for by a thread. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pty_esp32 {
    char path[64]; /* what tools open */
    int master;
    int slave; /* held open, as esp-hostedd does */
    pthread_t thread;
    bool serving;
    /* What the thread leaves behind; to be read after pty_esp32_stop(). */
    uint8_t numbers[256];
    unsigned requests;
    size_t image_len;
    int refuse; /* a request of this number gets -1; set before start */
};

/* Without a thread: the test is the ESP32, at esp32->master. */
void pty_esp32_open(struct pty_esp32 *esp32);
/* Answers from now on. */
void pty_esp32_start(struct pty_esp32 *esp32);
/* Ends the thread and hangs up. */
void pty_esp32_stop(struct pty_esp32 *esp32);

#endif
