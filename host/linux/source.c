/* SPDX-License-Identifier: Apache-2.0 */
#include "hosted/source.h"

#include <string.h>
#include <strings.h>

#include "source_internal.h"

static bool is_url(const char *where)
{
    return strncasecmp(where, "http://", strlen("http://")) == 0 ||
           strncasecmp(where, "https://", strlen("https://")) == 0;
}

int hosted_source_open(const char *where, struct hosted_cancel *cancel, struct hosted_source **ret,
                       struct hosted_fault *fault)
{
    if (strcmp(where, "-") == 0)
        return source_stdin_open(cancel, ret, fault);
    if (is_url(where))
        return source_http_open(where, cancel, ret, fault);
    return source_file_open(where, cancel, ret, fault);
}

void hosted_source_close(struct hosted_source *source)
{
    if (source != NULL)
        source->ops->close(source);
}
