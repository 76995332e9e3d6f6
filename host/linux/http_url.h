/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_HTTP_URL_H
#define HOST_HTTP_URL_H
/* A URL, and what of it may be said. */
#include <stdbool.h>

#include "curl_api.h"
#include "hosted/fault.h"

struct http_url {
    char *name;     /* without user, password, query and fragment */
    char *password; /* NULL if it has none */
    bool tls;
};

/* -EINVAL: it is no URL, -ENOMEM. */
int http_url_parse(const struct curl_api *curl, const char *text, struct http_url *ret,
                   struct hosted_fault *fault);
void http_url_free(struct http_url *url);

/* Whether this text of libcurl's repeats nothing that is secret: a password, a proxy's address. */
bool http_url_may_say(const struct http_url *url, const char *detail);

#endif
