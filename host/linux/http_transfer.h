/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_HTTP_TRANSFER_H
#define HOST_HTTP_TRANSFER_H
/*
 * One request to a web server and its answer, read at the pace of whoever reads: the transfer goes
 * on only inside read(), so that the server is slowed down by TCP and nothing but a little buffer
 * is held in memory. What a failed request is to be followed by is the caller's business.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "curl_api.h"
#include "hosted/source.h"
#include "http_head.h"
#include "http_url.h"

/* Fewer bytes of the image in stall_timeout_s are a stall, too: a server that lets them drip, or
 * floods its visitor with what is no image, holds an update up as one that is silent does. */
#define HTTP_PACE_BYTES 1024

/* Of all the answers to one request, redirects and trailers with them. */
#define HTTP_HEAD_BYTES ((size_t)128 * 1024)

/* Begins all zero. */
struct http_transfer {
    const struct curl_api *curl;
    const struct hosted_source_options *options; /* borrowed */
    struct http_url url;
    CURL *easy;
    CURLM *multi;
    struct curl_slist *fields; /* of the request */
    int64_t stall_ms;          /* how long HTTP_PACE_BYTES are waited for */
    bool answered;             /* a request has been answered once: the URL is right */

    /* Of the running request, or the last one. */
    bool ranged; /* it asked for the rest of the image */
    long status;
    struct http_head head;
    bool broken;       /* it failed, and another one may fare better */
    bool stalled;      /* of waiting, be it for the connection */
    int64_t retry_ms;  /* how long the server wants that to wait; 0: it does not say */
    int64_t waited_ms; /* for HTTP_PACE_BYTES, while somebody reads */
    int64_t counted_at_ms;
    size_t paced_bytes; /* of the body, since then */
    size_t head_bytes;  /* of all header lines */
    bool added;         /* `easy` is at work */
    bool done;
    CURLcode result;                     /* once done */
    bool refused;                        /* its body is no image */
    bool paused;                         /* curl holds a piece that did not fit */
    size_t taken, held;                  /* of `buffer` */
    uint8_t buffer[CURL_MAX_WRITE_SIZE]; /* the largest piece that curl gives */
    char error[CURL_ERROR_SIZE];
};

/* `options` is borrowed. To be freed also if it fails. */
int http_transfer_init(struct http_transfer *transfer, const char *url,
                       const struct hosted_source_options *options, struct hosted_fault *fault);
void http_transfer_free(struct http_transfer *transfer);

/*
 * Asks for the image from byte `from` on, for a `from` other than 0 on the condition that it is
 * still the one of `validator`; waits for the answer and the first bytes of its body. 0 says that
 * `status` is 200 or, where `from` is not 0, perhaps 206 or 416; all others have failed.
 */
int http_transfer_start(struct http_transfer *transfer, uint64_t from, const char *validator,
                        struct hosted_fault *fault);

/* The next bytes of the body; 0 at its end, which is whole as far as HTTP can tell. */
ssize_t http_transfer_read(struct http_transfer *transfer, void *buf, size_t len,
                           struct hosted_fault *fault);

/* Of the body, as the server says; HOSTED_SIZE_UNKNOWN. */
uint64_t http_transfer_length(const struct http_transfer *transfer);

/* See http_head_validator(). */
const char *http_transfer_validator(const struct http_transfer *transfer);

/* Ends the running request, if there is one. */
void http_transfer_stop(struct http_transfer *transfer);

#endif
