/* SPDX-License-Identifier: Apache-2.0 */
/* In place of source_http.c, for hosts without libcurl. */
#include <errno.h>

#include "fault.h"
#include "source_internal.h"

int source_http_open(const char *url, const struct hosted_source_options *options,
                     struct hosted_source **ret, struct hosted_fault *fault)
{
    (void)url;
    (void)options;
    (void)ret;
    return fault_set(fault, HOSTED_LOCAL, -ENOSYS, "a URL: this build has no HTTP");
}
