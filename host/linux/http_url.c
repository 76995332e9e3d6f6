/* SPDX-License-Identifier: Apache-2.0 */
#include "http_url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fault.h"

static char *url_part(const struct curl_api *curl, CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;

    if (curl->curl_url_get(url, part, &text, flags) != CURLUE_OK)
        return NULL;

    char *copy = strdup(text);

    curl->curl_free(text);
    return copy;
}

/* Takes what nobody else may read out of the URL. */
static int take_apart(const struct curl_api *curl, CURLU *url, const char *text,
                      struct http_url *ret)
{
    if (curl->curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK)
        return -EINVAL;
    ret->password = url_part(curl, url, CURLUPART_PASSWORD, CURLU_URLDECODE);
    curl->curl_url_set(url, CURLUPART_USER, NULL, 0);
    curl->curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
    curl->curl_url_set(url, CURLUPART_QUERY, NULL, 0); /* may be a signature */
    curl->curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
    ret->name = url_part(curl, url, CURLUPART_URL, 0);
    ret->tls = strncasecmp(text, "https:", strlen("https:")) == 0;
    return ret->name != NULL ? 0 : -ENOMEM;
}

int http_url_parse(const struct curl_api *curl, const char *text, struct http_url *ret,
                   struct hosted_fault *fault)
{
    CURLU *url = curl->curl_url();
    const int err = url != NULL ? take_apart(curl, url, text, ret) : -ENOMEM;

    curl->curl_url_cleanup(url);
    if (err == -EINVAL) /* not shown: who knows what part of it is a password */
        return fault_set(fault, HOSTED_LOCAL, err, "the URL of the image is malformed");
    return err < 0 ? fault_errno(fault, HOSTED_LOCAL, err, "URL") : 0;
}

void http_url_free(struct http_url *url)
{
    free(url->name);
    free(url->password);
}

bool http_url_may_say(const struct http_url *url, const char *detail)
{
    /* libcurl repeats a proxy that it does not understand, its password included. */
    if (*detail == '\0' || strchr(detail, '@') != NULL ||
        strstr(detail, "Unsupported proxy") != NULL)
        return false;
    return url->password == NULL || *url->password == '\0' || strstr(detail, url->password) == NULL;
}
