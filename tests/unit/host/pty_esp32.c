/* SPDX-License-Identifier: Apache-2.0 */
#include "pty_esp32.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "fake_esp32.h"
#include "serial_tlv.h"

static void must(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    abort();
}

void pty_esp32_open(struct pty_esp32 *esp32)
{
    memset(esp32, 0, sizeof(*esp32));
    esp32->refuse = -1;
    esp32->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    must(esp32->master >= 0 && grantpt(esp32->master) == 0 && unlockpt(esp32->master) == 0, "pty");
    must(ptsname_r(esp32->master, esp32->path, sizeof(esp32->path)) == 0, "ptsname");
    esp32->slave = open(esp32->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    must(esp32->slave >= 0, esp32->path);
}

static void answer(struct pty_esp32 *esp32, const struct serial_tlv *request)
{
    const enum fake_number number = (enum fake_number)request->data[1];
    uint8_t buf[FAKE_MESSAGE_MAX];
    const size_t len = fake_reply_code(buf, number, (int)number == esp32->refuse ? -1 : 0);

    esp32->numbers[esp32->requests++] = (uint8_t)number;
    if (number == FAKE_WRITE)
        esp32->image_len += request->data_len;
    must(write(esp32->master, buf, len) == (ssize_t)len, "answer");
}

static void *serve(void *ctx)
{
    struct pty_esp32 *esp32 = ctx;
    uint8_t in[2 * SERIAL_TLV_MAX_BYTES];
    size_t have = 0;

    for (;;) {
        const ssize_t got = read(esp32->master, in + have, sizeof(in) - have);

        if (got <= 0)
            return NULL; /* hung up */
        have += (size_t)got;
        for (;;) {
            struct serial_tlv request;
            const int len = serial_tlv_parse(in, have, &request);

            if (len == -EAGAIN)
                break;
            must(len > 0, "request");
            answer(esp32, &request);
            have -= (size_t)len;
            memmove(in, in + len, have);
        }
    }
}

void pty_esp32_start(struct pty_esp32 *esp32)
{
    must(pthread_create(&esp32->thread, NULL, serve, esp32) == 0, "thread");
    esp32->serving = true;
}

void pty_esp32_stop(struct pty_esp32 *esp32)
{
    close(esp32->slave); /* the last one: the master's read ends */
    if (esp32->serving)
        pthread_join(esp32->thread, NULL);
    close(esp32->master);
}
