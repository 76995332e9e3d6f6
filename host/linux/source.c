/* SPDX-License-Identifier: Apache-2.0 */
#include "hosted/source.h"

#include <string.h>
#include <strings.h>

#include "source_internal.h"

bool source_is_url(const char *where)
{
    return strncasecmp(where, "http://", strlen("http://")) == 0 ||
           strncasecmp(where, "https://", strlen("https://")) == 0;
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
    return source_file_open(where, options, ret, fault);
}

void hosted_source_close(struct hosted_source *source)
{
    if (source != NULL)
        source->ops->close(source);
}
