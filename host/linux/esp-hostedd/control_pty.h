/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTEDD_CONTROL_PTY_H
#define HOSTEDD_CONTROL_PTY_H
/*
 * The control device: a pty whose slave tools open by a symbolic link, as they open /dev/esps0.
 *
 * Like the character device of the kernel driver it lives on while nobody has it open, and has
 * nothing in it for the next who opens it. The slave is not held open here: so the kernel tells
 * when the last tool closes it.
 */
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* As the kernel driver's ring; beside what the kernel's side of the pty takes. */
#define CONTROL_PTY_QUEUE_BYTES 8192

struct control_pty {
    int master;
    char slave[64];           /* /dev/pts/N */
    const char *link;         /* borrowed: the path that leads there */
    uint64_t unheard_frames;  /* from the ESP32, while nobody had it open */
    uint64_t overflow_frames; /* from the ESP32, while somebody had it open but did not read */
    uint8_t queue[CONTROL_PTY_QUEUE_BYTES];
    size_t queued;
};

/*
 * Makes the pty, raw and without echo, and puts the link in place in one step. A link that is there
 * already is replaced; anything else of that name is left alone (-EEXIST). `link` must outlive
 * `pty`. The members of `group` may use the pty like its owner; CONTROL_PTY_NO_GROUP: nobody else
 * may.
 */
#define CONTROL_PTY_NO_GROUP ((gid_t) - 1)
int control_pty_open(struct control_pty *pty, const char *link, gid_t group);

/* Removes the link if it still leads here. */
void control_pty_close(struct control_pty *pty);

/* Bytes of what tools wrote, or 0 when that is all; *ret_closed then says if nobody has it open. */
size_t control_pty_read(struct control_pty *pty, uint8_t *buf, size_t size, bool *ret_closed);

/* Gives a frame's payload to whoever has the device open: all of it, or nothing. */
void control_pty_write(struct control_pty *pty, const uint8_t *data, size_t len);

/* Hands on what is queued, as far as the kernel takes it. */
void control_pty_flush(struct control_pty *pty);

/* After the last tool has closed it: raw again, and what was meant for that tool is forgotten. */
void control_pty_reset(struct control_pty *pty);

#endif
