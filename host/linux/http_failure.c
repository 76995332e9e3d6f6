/* SPDX-License-Identifier: Apache-2.0 */
#include "http_failure.h"

#include <errno.h>
#include <string.h>

#include "fault.h"

/* What the next request may be spared: the path there, or the server, is in trouble for a while. */
static const CURLcode passing[] = {
    CURLE_COULDNT_CONNECT, CURLE_PARTIAL_FILE, CURLE_OPERATION_TIMEDOUT,
    CURLE_GOT_NOTHING,     CURLE_SEND_ERROR,   CURLE_RECV_ERROR,
};

/* The same of a URL that has once been right; before that it is wrong, and waiting is in vain. */
static const CURLcode passing_once_right[] = {
    CURLE_COULDNT_RESOLVE_HOST,
    CURLE_COULDNT_RESOLVE_PROXY,
    CURLE_SSL_CONNECT_ERROR,
    CURLE_INTERFACE_FAILED,
};

static const long passing_statuses[] = {408, 429, 500, 502, 503, 504};

static bool status_passes(long status)
{
    for (size_t i = 0; i < sizeof(passing_statuses) / sizeof(passing_statuses[0]); i++)
        if (passing_statuses[i] == status)
            return true;
    return false;
}

static bool is_one_of(CURLcode code, const CURLcode *codes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (codes[i] == code)
            return true;
    return false;
}

/* How the other end of TLS refuses what it was shown, or not shown, once the handshake is over. */
static bool is_alert(const struct http_transfer *transfer)
{
    return (transfer->result == CURLE_RECV_ERROR || transfer->result == CURLE_SEND_ERROR) &&
           strstr(transfer->error, "alert") != NULL;
}

static bool passes(const struct http_transfer *transfer)
{
    const size_t count = sizeof(passing) / sizeof(passing[0]);
    const size_t count_once_right = sizeof(passing_once_right) / sizeof(passing_once_right[0]);

    if (is_alert(transfer))
        return false;
    return is_one_of(transfer->result, passing, count) ||
           (transfer->answered &&
            is_one_of(transfer->result, passing_once_right, count_once_right));
}

static int status_fault(struct http_transfer *transfer, const char *who, long status,
                        struct hosted_fault *fault)
{
    const int err = status == 404 || status == 410                    ? -ENOENT
                    : status == 401 || status == 403 || status == 407 ? -EACCES
                                                                      : -EIO;
    curl_off_t retry_s = 0;

    transfer->broken = status_passes(status);
    if (transfer->curl->curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_s) ==
            CURLE_OK &&
        retry_s > 0)
        transfer->retry_ms = retry_s < INT32_MAX ? retry_s * 1000 : INT32_MAX;
    fault_set(fault, HOSTED_LOCAL, err, "%s: the %s answered with HTTP status %ld",
              transfer->url.name, who, status);
    if (fault != NULL)
        fault->http_status = status;
    return err;
}

/* libcurl says no more than that it may not speak "http". */
static bool left_tls(const struct http_transfer *transfer)
{
    return transfer->result == CURLE_UNSUPPORTED_PROTOCOL && transfer->url.tls &&
           strstr(transfer->error, "\"http\"") != NULL;
}

/* What the proxy said to the wish for a tunnel, if it was no; else 0. */
static long refused_tunnel(const struct http_transfer *transfer)
{
    long status = 0;

    transfer->curl->curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return transfer->status == 0 && status >= 300 ? status : 0;
}

int http_failure(struct http_transfer *transfer, struct hosted_fault *fault)
{
    const char *detail = transfer->error;
    const long status = transfer->status;

    if (transfer->refused ||
        (transfer->result == CURLE_OK && status != 200 && !(status == 206 && transfer->ranged)))
        return status_fault(transfer, status == 407 ? "proxy" : "server", status, fault);
    if (transfer->result == CURLE_OK)
        return 0;
    if (transfer->head_bytes > HTTP_HEAD_BYTES)
        return fault_set(fault, HOSTED_LOCAL, -EIO, "%s: the server sends header lines without end",
                         transfer->url.name);
    if (refused_tunnel(transfer) != 0)
        return status_fault(transfer, "proxy", refused_tunnel(transfer), fault);
    if (left_tls(transfer))
        return fault_set(fault, HOSTED_LOCAL, -EIO,
                         "%s: the server redirects from https to http, which is not followed",
                         transfer->url.name);
    if (!http_url_may_say(&transfer->url, detail))
        detail = transfer->curl->curl_easy_strerror(transfer->result);
    transfer->broken = passes(transfer);
    transfer->stalled = transfer->result == CURLE_OPERATION_TIMEDOUT;
    return fault_set(fault, HOSTED_LOCAL,
                     transfer->result == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO, "%s: %s",
                     transfer->url.name, detail);
}
