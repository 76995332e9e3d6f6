/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "descriptor.h"
#include "fault.h"
#include "source_internal.h"

struct source_file {
    struct hosted_source source;
    int fd;
    off_t start, next; /* standard input may stand anywhere */
    char name[];
};

static ssize_t file_read(struct hosted_source *source, void *buf, size_t len,
                         struct hosted_fault *fault)
{
    struct source_file *file = (struct source_file *)source;
    ssize_t got;

    do
        got = pread(file->fd, buf, len, file->next);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fault_errno(fault, HOSTED_LOCAL, errno, file->name);
    file->next += got;
    return got;
}

static int file_rewind(struct hosted_source *source, struct hosted_fault *fault)
{
    struct source_file *file = (struct source_file *)source;

    (void)fault;
    file->next = file->start;
    return 0;
}

static void file_close(struct hosted_source *source)
{
    struct source_file *file = (struct source_file *)source;

    close(file->fd);
    free(file);
}

static const struct hosted_source_ops file_ops = {
    .read = file_read,
    .rewind = file_rewind,
    .close = file_close,
};

int source_regular_new(int fd, const char *name, off_t start, off_t size,
                       struct hosted_source **ret, struct hosted_fault *fault)
{
    struct source_file *file = malloc(sizeof(*file) + strlen(name) + 1);

    if (file == NULL) {
        close(fd);
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, name);
    }
    strcpy(file->name, name);
    file->source = (struct hosted_source){
        .ops = &file_ops,
        .name = file->name,
        .size = size > start ? (uint64_t)(size - start) : 0,
        .whole = true,
    };
    file->fd = fd;
    file->start = file->next = start;
    *ret = &file->source;
    return 0;
}

/* Takes `fd` over. */
static int from_fd(int fd, const char *name, struct hosted_cancel *cancel,
                   struct hosted_source **ret, struct hosted_fault *fault)
{
    struct stat st;
    int err = fstat(fd, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;

    if (err == 0 && S_ISREG(st.st_mode)) {
        const off_t at = lseek(fd, 0, SEEK_CUR);

        return source_regular_new(fd, name, at > 0 ? at : 0, st.st_size, ret, fault);
    }
    if (err == 0 && isatty(fd))
        err = EINVAL;
    if (err == 0)
        return source_stream_new(fd, name, cancel, ret, fault);
    close(fd);
    if (err == EINVAL)
        return fault_set(fault, HOSTED_LOCAL, -EINVAL, "%s: a terminal is no firmware image", name);
    return fault_errno(fault, HOSTED_LOCAL, err, name);
}

int source_file_open(const char *path, const struct hosted_source_options *options,
                     struct hosted_source **ret, struct hosted_fault *fault)
{
    /* Else a FIFO would be waited for here, where no cancel is heard. */
    const int fd =
        descriptor_above_standard(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));

    if (fd < 0)
        return fault_errno(fault, HOSTED_LOCAL, -fd, path);
    return from_fd(fd, path, options->cancel, ret, fault);
}

int source_stdin_open(const struct hosted_source_options *options, struct hosted_source **ret,
                      struct hosted_fault *fault)
{
    const int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    if (fd < 0)
        return fault_errno(fault, HOSTED_LOCAL, errno, "standard input");
    return from_fd(fd, "standard input", options->cancel, ret, fault);
}
