/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descriptor.h"
#include "fault.h"
#include "source_internal.h"

/* Flash chips of ESP32 modules have up to 32 MB, and there are two slots on them. */
#define LARGEST_IMAGE_BYTES ((off_t)16 * 1024 * 1024)
#define CHANGES             3

static const char *temporary_folder(void)
{
    const char *folder = getenv("TMPDIR");

    if (folder != NULL && *folder != '\0')
        return folder;
    return access("/var/tmp", W_OK | X_OK) == 0 ? "/var/tmp" : "/tmp";
}

/* A file without a name, or one whose name is taken away at once. The descriptor or -errno. */
static int open_unnamed(const char *folder)
{
    const int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char path[4096];

    if (fd >= 0)
        return descriptor_above_standard(fd);
    /* Of a file system (EOPNOTSUPP) or a kernel (EISDIR) that has none. */
    if (errno != EOPNOTSUPP && errno != EISDIR)
        return -errno;
    if (snprintf(path, sizeof(path), "%s/esp-hosted-ota-XXXXXX", folder) >= (int)sizeof(path))
        return -ENAMETOOLONG;

    const int named = mkostemp(path, O_CLOEXEC);

    if (named < 0)
        return -errno;
    unlink(path);
    return descriptor_above_standard(named);
}

static int folder_fault(struct hosted_fault *fault, const char *folder, const char *name, int err)
{
    return fault_set(fault, HOSTED_LOCAL, err,
                     "%s: cannot hold %s: %s; set $TMPDIR to another folder", folder, name,
                     strerror(-err));
}

static int write_all(int fd, const uint8_t *bytes, size_t len, off_t at)
{
    while (len > 0) {
        const ssize_t put = pwrite(fd, bytes, len, at);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? -errno : -ENOSPC;
        bytes += put;
        at += put;
        len -= (size_t)put;
    }
    return 0;
}

/* To the end of `source`. Bytes, or -errno. */
static off_t copy(struct hosted_source *source, int fd, const char *folder,
                  struct hosted_fault *fault)
{
    uint8_t bytes[16 * 1024];
    off_t have = 0;

    for (;;) {
        if (have > LARGEST_IMAGE_BYTES ||
            (source->size != HOSTED_SIZE_UNKNOWN && source->size > (uint64_t)LARGEST_IMAGE_BYTES))
            return fault_set(fault, HOSTED_IMAGE, -EFBIG, "%s: larger than any slot", source->name);

        const ssize_t got = source->ops->read(source, bytes, sizeof(bytes), fault);

        if (got <= 0)
            return got < 0 ? got : have;

        const int err = write_all(fd, bytes, (size_t)got, have);

        if (err < 0)
            return folder_fault(fault, folder, source->name, err);
        have += got;
    }
}

static void say_changed(const struct hosted_source *source,
                        const struct hosted_source_options *options)
{
    char line[HOSTED_FAULT_TEXT_BYTES];

    if (options == NULL || options->log == NULL)
        return;
    snprintf(line, sizeof(line), "%s: the image on the server has changed; fetched again",
             source->name);
    options->log(options->log_ctx, line);
}

static int store_in(struct hosted_source *source, const struct hosted_source_options *options,
                    int fd, const char *folder, struct hosted_source **ret,
                    struct hosted_fault *fault)
{
    off_t size = copy(source, fd, folder, fault);

    for (int i = 0; i < CHANGES && size == -ESTALE; i++) {
        say_changed(source, options);
        size = copy(source, fd, folder, fault);
    }
    /* Of a larger image that was there before. */
    if (size >= 0 && ftruncate(fd, size) < 0)
        size = folder_fault(fault, folder, source->name, -errno);
    if (size < 0) {
        close(fd);
        return (int)size;
    }
    return source_regular_new(fd, source->name, 0, size, ret, fault);
}

int hosted_source_store(struct hosted_source *source, const struct hosted_source_options *options,
                        struct hosted_source **ret, struct hosted_fault *fault)
{
    const char *folder = temporary_folder();

    if (source->whole) {
        *ret = source;
        return 0;
    }

    const int fd = open_unnamed(folder);
    const int err = fd < 0 ? folder_fault(fault, folder, source->name, fd)
                           : store_in(source, options, fd, folder, ret, fault);

    hosted_source_close(source);
    return err;
}
