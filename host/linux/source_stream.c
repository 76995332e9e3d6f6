/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cancel.h"
#include "fault.h"
#include "source_internal.h"

struct source_stream {
    struct hosted_source source;
    struct hosted_cancel *cancel; /* borrowed */
    int fd;
    char name[];
};

/* Whoever writes into a pipe may take as long as they like: only a cancel ends the wait. */
static ssize_t stream_read(struct hosted_source *source, void *buf, size_t len,
                           struct hosted_fault *fault)
{
    struct source_stream *stream = (struct source_stream *)source;

    for (;;) {
        const int err = cancel_wait_fd(stream->cancel, stream->fd, POLLIN, INT64_MAX);

        if (err == -ECANCELED)
            return fault_set(fault, HOSTED_LOCAL, err, "%s: interrupted", stream->name);
        if (err < 0)
            return fault_errno(fault, HOSTED_LOCAL, err, stream->name);

        const ssize_t got = read(stream->fd, buf, len);

        if (got >= 0)
            return got;
        if (errno != EINTR && errno != EAGAIN)
            return fault_errno(fault, HOSTED_LOCAL, errno, stream->name);
    }
}

static void stream_close(struct hosted_source *source)
{
    struct source_stream *stream = (struct source_stream *)source;

    close(stream->fd);
    free(stream);
}

static const struct hosted_source_ops stream_ops = {
    .read = stream_read,
    .close = stream_close,
};

int source_stream_new(int fd, const char *name, struct hosted_cancel *cancel,
                      struct hosted_source **ret, struct hosted_fault *fault)
{
    struct source_stream *stream = malloc(sizeof(*stream) + strlen(name) + 1);

    if (stream == NULL) {
        close(fd);
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, name);
    }
    strcpy(stream->name, name);
    stream->source = (struct hosted_source){
        .ops = &stream_ops,
        .name = stream->name,
        .size = HOSTED_SIZE_UNKNOWN,
    };
    stream->cancel = cancel;
    stream->fd = fd;
    *ret = &stream->source;
    return 0;
}
