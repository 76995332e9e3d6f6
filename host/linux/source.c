/* SPDX-License-Identifier: Apache-2.0 */
#include "hosted/source.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "fault.h"
#include "source_internal.h"

bool source_is_url(const char *where)
{
    return strncasecmp(where, "http://", strlen("http://")) == 0 ||
           strncasecmp(where, "https://", strlen("https://")) == 0;
}

/* "ftp://h/x", "file:///x", and "http:/h", which one slash makes a URL. */
static bool is_nearly_url(const char *where)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-";

    return (strspn(where, letters) > 0 &&
            strncmp(where + strspn(where, others), "://", strlen("://")) == 0) ||
           strncasecmp(where, "http:", strlen("http:")) == 0 ||
           strncasecmp(where, "https:", strlen("https:")) == 0;
}

int source_check(const char *where, struct hosted_fault *fault)
{
    if (source_is_url(where) || !is_nearly_url(where))
        return 0;
    return fault_set(fault, HOSTED_USAGE, -EINVAL, "only http:// and https:// URLs, or a path");
}

static const struct hosted_source_options no_options;

int hosted_source_open(const char *where, const struct hosted_source_options *options,
                       struct hosted_source **ret, struct hosted_fault *fault)
{
    if (options == NULL)
        options = &no_options;
    if (strcmp(where, "-") == 0)
        return source_stdin_open(options, ret, fault);
    if (source_is_url(where))
        return source_http_open(where, options, ret, fault);

    const int err = source_check(where, fault);

    if (err < 0)
        return err;
    return source_file_open(where, options, ret, fault);
}

void hosted_source_close(struct hosted_source *source)
{
    if (source != NULL)
        source->ops->close(source);
}
