/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web server as a source, read at the ESP32's pace: the transfer goes on only inside read(), so
 * that the server is slowed down by TCP and nothing but a little buffer is held in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cancel.h"
#include "curl_api.h"
#include "fault.h"
#include "link.h"
#include "source_internal.h"

#define PACE_BYTES    1024 /* what must come in as much time, spent waiting for the server */
#define STALL_S       30 /* longest silence of a server that is waited for, also while connecting */
#define MAX_REDIRECTS 10
#define BUFFER_BYTES  (64 * 1024) /* above CURL_MAX_WRITE_SIZE, or a piece might never fit */

/* Called PROTOCOLS and REDIR_PROTOCOLS: newer headers deprecate the names, and older libraries do
 * not know the new ones. */
#define OPTION_PROTOCOLS       ((CURLoption)(CURLOPTTYPE_LONG + 181))
#define OPTION_REDIR_PROTOCOLS ((CURLoption)(CURLOPTTYPE_LONG + 182))

struct source_http {
    struct hosted_source source;
    const struct curl_api *curl;
    CURL *easy;
    CURLM *multi;
    struct hosted_cancel *cancel; /* borrowed */
    char *name;                   /* the URL without user, password and query */
    char *password;               /* of the URL, NULL if it has none: not to be said */
    bool done;
    CURLcode result;    /* once done */
    bool encoded;       /* the length on the wire is not that of the image */
    bool refused;       /* the status is not 200 */
    bool paused;        /* curl holds a piece that did not fit */
    int64_t alive_ms;   /* when the server was last heard */
    int64_t waited_ms;  /* for the server, since paced_bytes was 0 */
    size_t paced_bytes; /* of the body */
    size_t taken, held; /* of `buffer` */
    uint8_t buffer[BUFFER_BYTES];
    char error[CURL_ERROR_SIZE];
};

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    static const char encoding[] = "Content-Encoding:";
    struct source_http *http = ctx;
    const size_t len = size * count;

    http->alive_ms = clock_ms();
    if (len >= 5 && strncasecmp(line, "HTTP/", 5) == 0)
        http->encoded = false; /* the head of another answer, after a redirect */
    if (len >= sizeof(encoding) - 1 && strncasecmp(line, encoding, sizeof(encoding) - 1) == 0)
        http->encoded = true;
    return len;
}

static long status_of(const struct source_http *http)
{
    long status = 0;

    http->curl->curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct source_http *http = ctx;
    const size_t len = size * count;

    http->alive_ms = clock_ms();
    if (status_of(http) != 200) {
        http->refused = true;
        return 0;
    }
    if (len > sizeof(http->buffer) - http->held) {
        http->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    memcpy(http->buffer + http->held, data, len);
    http->held += len;
    http->paced_bytes += len;
    return len;
}

static int status_fault(const struct source_http *http, long status, struct hosted_fault *fault)
{
    const int err = status == 404 || status == 410   ? -ENOENT
                    : status == 401 || status == 403 ? -EACCES
                                                     : -EIO;

    fault_set(fault, HOSTED_LOCAL, err, "%s: the server answered with HTTP status %ld", http->name,
              status);
    if (fault != NULL)
        fault->http_status = status;
    return err;
}

/* What the transfer ended with; 0 if it is whole. */
static int end_of_transfer(const struct source_http *http, struct hosted_fault *fault)
{
    const long status = status_of(http);
    const char *detail = http->error;

    if (http->refused || (http->result == CURLE_OK && status != 200))
        return status_fault(http, status, fault);
    if (http->result == CURLE_OK)
        return 0;
    if (*detail == '\0' || (http->password != NULL && strstr(detail, http->password) != NULL))
        detail = http->curl->curl_easy_strerror(http->result);
    return fault_set(fault, HOSTED_LOCAL,
                     http->result == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO, "%s: %s",
                     http->name, detail);
}

static int perform(struct source_http *http)
{
    int running;
    int queued;
    const CURLMsg *message;

    if (http->paused) {
        http->paused = false;
        http->curl->curl_easy_pause(http->easy, CURLPAUSE_CONT);
    }
    if (http->curl->curl_multi_perform(http->multi, &running) != CURLM_OK)
        return -EIO;
    while ((message = http->curl->curl_multi_info_read(http->multi, &queued)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            http->done = true;
            http->result = message->data.result;
        }
    }
    return 0;
}

/* A server that lets bytes drip holds an update up as one that is silent does. */
static int check_pace(struct source_http *http, int64_t waited_ms, struct hosted_fault *fault)
{
    http->waited_ms += waited_ms;
    if (http->waited_ms < STALL_S * 1000)
        return 0;
    if (http->paced_bytes < PACE_BYTES)
        return fault_set(fault, HOSTED_LOCAL, -ETIMEDOUT,
                         "%s: the server stalls: fewer than %d bytes came in %d s", http->name,
                         PACE_BYTES, STALL_S);
    http->waited_ms = 0;
    http->paced_bytes = 0;
    return 0;
}

static int wait_for_server(struct source_http *http, struct hosted_fault *fault)
{
    const int64_t left_ms = http->alive_ms + STALL_S * 1000 - clock_ms();
    struct curl_waitfd cancel = {.fd = cancel_fd(http->cancel), .events = CURL_WAIT_POLLIN};

    if (http->cancel != NULL && hosted_cancel_requested(http->cancel))
        return fault_set(fault, HOSTED_LOCAL, -ECANCELED, "%s: interrupted", http->name);
    if (left_ms <= 0)
        return fault_set(fault, HOSTED_LOCAL, -ETIMEDOUT,
                         "%s: the server stalls: nothing came for %d s", http->name, STALL_S);

    const int64_t before_ms = clock_ms();

    http->curl->curl_multi_poll(http->multi, &cancel, http->cancel != NULL ? 1 : 0, (int)left_ms,
                                NULL);
    return check_pace(http, clock_ms() - before_ms, fault);
}

/* Until there are bytes in the buffer, or the end. */
static int fill(struct source_http *http, struct hosted_fault *fault)
{
    /* While the ESP32 was busy nobody listened to the server. */
    http->alive_ms = clock_ms();
    http->taken = 0;
    http->held = 0;
    for (;;) {
        int err = http->done ? 0 : perform(http);

        if (err < 0)
            return fault_errno(fault, HOSTED_LOCAL, err, http->name);
        if (http->held > 0)
            return 0;
        if (http->done)
            return end_of_transfer(http, fault);
        err = wait_for_server(http, fault);
        if (err < 0)
            return err;
    }
}

static ssize_t http_read(struct hosted_source *source, void *buf, size_t len,
                         struct hosted_fault *fault)
{
    struct source_http *http = (struct source_http *)source;

    if (http->taken == http->held) {
        const int err = fill(http, fault);

        if (err < 0)
            return err;
    }

    const size_t left = http->held - http->taken;

    if (len > left)
        len = left;
    memcpy(buf, http->buffer + http->taken, len);
    http->taken += len;
    return (ssize_t)len;
}

static void http_close(struct hosted_source *source)
{
    struct source_http *http = (struct source_http *)source;
    const struct curl_api *curl = http->curl;

    if (http->multi != NULL && http->easy != NULL)
        curl->curl_multi_remove_handle(http->multi, http->easy);
    if (http->easy != NULL)
        curl->curl_easy_cleanup(http->easy);
    if (http->multi != NULL)
        curl->curl_multi_cleanup(http->multi);
    free(http->name);
    free(http->password);
    free(http);
}

static const struct hosted_source_ops http_ops = {
    .read = http_read,
    .close = http_close,
};

static char *url_part(const struct curl_api *curl, CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;

    if (curl->curl_url_get(url, part, &text, flags) != CURLUE_OK)
        return NULL;

    char *copy = strdup(text);

    curl->curl_free(text);
    return copy;
}

/* Takes what nobody else may read out of the URL. 0, -EINVAL: it is no URL, -ENOMEM. */
static int parse_url(struct source_http *http, const char *text)
{
    const struct curl_api *curl = http->curl;
    CURLU *url = curl->curl_url();

    if (url == NULL)
        return -ENOMEM;
    if (curl->curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK) {
        curl->curl_url_cleanup(url);
        return -EINVAL;
    }
    http->password = url_part(curl, url, CURLUPART_PASSWORD, CURLU_URLDECODE);
    curl->curl_url_set(url, CURLUPART_USER, NULL, 0);
    curl->curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
    curl->curl_url_set(url, CURLUPART_QUERY, NULL, 0); /* may be a signature */
    curl->curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
    http->name = url_part(curl, url, CURLUPART_URL, 0);
    curl->curl_url_cleanup(url);
    return http->name != NULL ? 0 : -ENOMEM;
}

/* A server may send its visitor elsewhere, but not from TLS to plain text, nor into a file. */
static void set_options(struct source_http *http, const char *url)
{
    __typeof__(http->curl->curl_easy_setopt) set = http->curl->curl_easy_setopt;
    CURL *easy = http->easy;
    const bool tls = strncasecmp(url, "https:", strlen("https:")) == 0;

    set(easy, CURLOPT_URL, url);
    set(easy, CURLOPT_USERAGENT, "esp-hosted-ota");
    set(easy, OPTION_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    set(easy, OPTION_REDIR_PROTOCOLS,
        (long)(tls ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
    set(easy, CURLOPT_FOLLOWLOCATION, 1L);
    set(easy, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
    set(easy, CURLOPT_CONNECTTIMEOUT, (long)STALL_S);
    set(easy, CURLOPT_NOSIGNAL, 1L);
    /* A firmware hardly shrinks, and its length would be lost; but who sends gzip is understood. */
    set(easy, CURLOPT_ACCEPT_ENCODING, "identity");
    set(easy, CURLOPT_ERRORBUFFER, http->error);
    set(easy, CURLOPT_HEADERFUNCTION, on_header);
    set(easy, CURLOPT_HEADERDATA, http);
    set(easy, CURLOPT_WRITEFUNCTION, on_body);
    set(easy, CURLOPT_WRITEDATA, http);
}

static int start(struct source_http *http, const char *url, struct hosted_fault *fault)
{
    http->easy = http->curl->curl_easy_init();
    http->multi = http->curl->curl_multi_init();
    if (http->easy == NULL || http->multi == NULL)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, http->name);
    set_options(http, url);
    if (http->curl->curl_multi_add_handle(http->multi, http->easy) != CURLM_OK)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, http->name);
    return fill(http, fault);
}

static uint64_t length_of(const struct source_http *http)
{
    curl_off_t length = -1;

    http->curl->curl_easy_getinfo(http->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return http->encoded || length < 0 ? HOSTED_SIZE_UNKNOWN : (uint64_t)length;
}

int source_http_open(const char *url, const struct hosted_source_options *options,
                     struct hosted_source **ret, struct hosted_fault *fault)
{
    const struct curl_api *curl = curl_api_load();

    if (curl == NULL)
        return fault_set(fault, HOSTED_LOCAL, -ENOSYS,
                         "a URL needs libcurl (libcurl.so.4), which cannot be loaded");

    struct source_http *http = calloc(1, sizeof(*http));

    if (http == NULL)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, "URL");
    http->curl = curl;
    http->cancel = options->cancel;

    int err = parse_url(http, url);

    if (err == -EINVAL) /* not shown: who knows what part of it is a password */
        fault_set(fault, HOSTED_LOCAL, err, "the URL of the image is malformed");
    else if (err < 0)
        fault_errno(fault, HOSTED_LOCAL, err, "URL");
    else
        err = start(http, url, fault);
    if (err < 0) {
        http_close(&http->source);
        return err;
    }
    http->source = (struct hosted_source){
        .ops = &http_ops,
        .name = http->name,
        .size = length_of(http),
    };
    *ret = &http->source;
    return 0;
}
