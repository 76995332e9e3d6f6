/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_SOURCE_INTERNAL_H
#define HOST_SOURCE_INTERNAL_H
/* The kinds of source behind hosted_source_open(); contracts as there. */
#include <stdbool.h>

#include "hosted/source.h"

bool source_is_url(const char *where);

/* -EINVAL: almost a URL, which is no name of a file; not shown, for it may contain a password. */
int source_check(const char *where, struct hosted_fault *fault);

/* A path; only a regular file is all there, everything else (pipe, device) is a stream. */
int source_file_open(const char *path, const struct hosted_source_options *options,
                     struct hosted_source **ret, struct hosted_fault *fault);

/* A regular file that begins at `start`, and its `size`. As source_stream_new(). */
int source_regular_new(int fd, const char *name, off_t start, off_t size,
                       struct hosted_source **ret, struct hosted_fault *fault);

/* Standard input; from where it stands, if it is a regular file. */
int source_stdin_open(const struct hosted_source_options *options, struct hosted_source **ret,
                      struct hosted_fault *fault);

/* What can be read only once. Takes `fd` over, also when it fails; `name` is copied. */
int source_stream_new(int fd, const char *name, struct hosted_cancel *cancel,
                      struct hosted_source **ret, struct hosted_fault *fault);

int source_http_open(const char *url, const struct hosted_source_options *options,
                     struct hosted_source **ret, struct hosted_fault *fault);

#endif
