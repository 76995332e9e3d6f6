/* SPDX-License-Identifier: Apache-2.0 */
#include "http_transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "fault.h"
#include "http_failure.h"
#include "link.h"
#include "sigpipe.h"

#define MAX_REDIRECTS 10

#define STALL_S 30

/* Between two looks at the clock. What is more is the time of a process that was stopped. */
#define STEP_MS 500

/* Called PROTOCOLS and REDIR_PROTOCOLS: newer headers deprecate the names, and older libraries do
 * not know the new ones. */
#define OPTION_PROTOCOLS       ((CURLoption)(CURLOPTTYPE_LONG + 181))
#define OPTION_REDIR_PROTOCOLS ((CURLoption)(CURLOPTTYPE_LONG + 182))

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct http_transfer *transfer = ctx;

    transfer->head_bytes += size * count;
    if (transfer->head_bytes > HTTP_HEAD_BYTES) /* libcurl keeps all of them */
        return 0;
    if (transfer->status == 0) /* else this is a trailer: too late to change what the body is */
        http_head_line(&transfer->head, line, size * count);
    return size * count;
}

static long status_of(const struct http_transfer *transfer)
{
    long status = 0;

    transfer->curl->curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static void begin_wait(struct http_transfer *transfer)
{
    transfer->paced_bytes = 0;
    transfer->waited_ms = 0;
    transfer->counted_at_ms = clock_ms();
}

/* Also of what comes and is no image: a flood of it is a wait. */
static void count_wait(struct http_transfer *transfer)
{
    const int64_t now_ms = clock_ms();
    const int64_t step_ms = now_ms - transfer->counted_at_ms;

    transfer->waited_ms += step_ms < STEP_MS ? step_ms : STEP_MS;
    transfer->counted_at_ms = now_ms;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct http_transfer *transfer = ctx;
    const size_t len = size * count;

    transfer->status = status_of(transfer);
    if (transfer->status != 200 && !(transfer->status == 206 && transfer->ranged)) {
        transfer->refused = true;
        return 0;
    }
    if (len > sizeof(transfer->buffer) - transfer->held) {
        transfer->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    memcpy(transfer->buffer + transfer->held, data, len);
    transfer->held += len;
    transfer->paced_bytes += len;
    if (transfer->paced_bytes >= HTTP_PACE_BYTES)
        begin_wait(transfer);
    return len;
}

/* A server may send its visitor elsewhere, but not from TLS to plain text, nor into a file. */
static void set_what(struct http_transfer *transfer, const char *url)
{
    __typeof__(transfer->curl->curl_easy_setopt) set = transfer->curl->curl_easy_setopt;
    CURL *easy = transfer->easy;

    set(easy, CURLOPT_URL, url);
    set(easy, CURLOPT_USERAGENT, "esp-hosted-ota");
    set(easy, OPTION_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    set(easy, OPTION_REDIR_PROTOCOLS,
        (long)(transfer->url.tls ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
    set(easy, CURLOPT_FOLLOWLOCATION, 1L);
    set(easy, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
    /* Of HTTP/2 libcurl holds megabytes for whoever reads slowly. */
    set(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(easy, CURLOPT_NOSIGNAL, 1L);
    /* A firmware hardly shrinks, and its length would be lost; but who sends gzip is understood. */
    set(easy, CURLOPT_ACCEPT_ENCODING, "identity");
    set(easy, CURLOPT_ERRORBUFFER, transfer->error);
    set(easy, CURLOPT_HEADERFUNCTION, on_header);
    set(easy, CURLOPT_HEADERDATA, transfer);
    set(easy, CURLOPT_WRITEFUNCTION, on_body);
    set(easy, CURLOPT_WRITEDATA, transfer);
}

static void set_how(struct http_transfer *transfer)
{
    __typeof__(transfer->curl->curl_easy_setopt) set = transfer->curl->curl_easy_setopt;
    const struct hosted_source_options *options = transfer->options;
    CURL *easy = transfer->easy;
    char interface[64];

    set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (options->ca_file != NULL) {
        set(easy, CURLOPT_CAINFO, options->ca_file);
        set(easy, CURLOPT_CAPATH, NULL); /* this authority, and not all of the world's as well */
    }
    if (options->cert_file != NULL)
        set(easy, CURLOPT_SSLCERT, options->cert_file);
    if (options->key_file != NULL)
        set(easy, CURLOPT_SSLKEY, options->key_file);
    set(easy, CURLOPT_KEYPASSWD, ""); /* or OpenSSL asks for one on the terminal */
    if (options->interface != NULL) {
        snprintf(interface, sizeof(interface), "if!%s", options->interface);
        set(easy, CURLOPT_INTERFACE, interface);
    }
    if (options->proxy != NULL)
        set(easy, CURLOPT_PROXY, options->proxy);
}

int http_transfer_init(struct http_transfer *transfer, const char *url,
                       const struct hosted_source_options *options, struct hosted_fault *fault)
{
    const struct curl_api *curl = curl_api_load();

    if (curl == NULL)
        return fault_set(fault, HOSTED_LOCAL, -ENOSYS,
                         "a URL needs libcurl (libcurl.so.4), which cannot be loaded");
    transfer->curl = curl;
    transfer->options = options;
    transfer->stall_ms =
        1000 * (int64_t)(options->stall_timeout_s != 0 ? options->stall_timeout_s : STALL_S);

    const int err = http_url_parse(curl, url, &transfer->url, fault);

    if (err < 0)
        return err;
    transfer->easy = curl->curl_easy_init();
    transfer->multi = curl->curl_multi_init();
    if (transfer->easy == NULL || transfer->multi == NULL)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, transfer->url.name);
    set_what(transfer, url);
    set_how(transfer);
    return 0;
}

void http_transfer_stop(struct http_transfer *transfer)
{
    struct sigpipe_guard guard;

    if (transfer->added) {
        sigpipe_hold(&guard);
        transfer->curl->curl_multi_remove_handle(transfer->multi, transfer->easy);
        sigpipe_release(&guard);
    }
    if (transfer->fields != NULL)
        transfer->curl->curl_slist_free_all(transfer->fields);
    transfer->added = false;
    transfer->fields = NULL;
}

void http_transfer_free(struct http_transfer *transfer)
{
    struct sigpipe_guard guard;

    http_transfer_stop(transfer);
    sigpipe_hold(&guard);
    if (transfer->easy != NULL)
        transfer->curl->curl_easy_cleanup(transfer->easy);
    if (transfer->multi != NULL)
        transfer->curl->curl_multi_cleanup(transfer->multi);
    sigpipe_release(&guard);
    http_url_free(&transfer->url);
}

static int perform(struct http_transfer *transfer)
{
    const struct curl_api *curl = transfer->curl;
    struct sigpipe_guard guard;
    const CURLMsg *message;
    int running, queued;

    sigpipe_hold(&guard);
    if (transfer->paused) {
        transfer->paused = false;
        curl->curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    }

    const CURLMcode result = curl->curl_multi_perform(transfer->multi, &running);

    sigpipe_release(&guard);
    while ((message = curl->curl_multi_info_read(transfer->multi, &queued)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            transfer->done = true;
            transfer->result = message->data.result;
            transfer->status = status_of(transfer);
        }
    }
    return result == CURLM_OK ? 0 : -EIO;
}

static int stall_fault(struct http_transfer *transfer, struct hosted_fault *fault)
{
    transfer->broken = true;
    transfer->stalled = true;
    if (transfer->paced_bytes == 0)
        return fault_set(fault, HOSTED_LOCAL, -ETIMEDOUT,
                         "%s: the server stalls: nothing of the image came for %" PRId64 " s",
                         transfer->url.name, transfer->stall_ms / 1000);
    return fault_set(fault, HOSTED_LOCAL, -ETIMEDOUT,
                     "%s: the server stalls: fewer than %d bytes of the image came in %" PRId64
                     " s",
                     transfer->url.name, HTTP_PACE_BYTES, transfer->stall_ms / 1000);
}

static int wait_for_server(struct http_transfer *transfer, struct hosted_fault *fault)
{
    struct hosted_cancel *cancel = transfer->options->cancel;
    struct curl_waitfd wake = {.fd = cancel_fd(cancel), .events = CURL_WAIT_POLLIN};
    const int64_t left_ms = transfer->stall_ms - transfer->waited_ms;

    if (cancel != NULL && hosted_cancel_requested(cancel))
        return fault_set(fault, HOSTED_LOCAL, -ECANCELED, "%s: interrupted", transfer->url.name);
    if (left_ms <= 0)
        return stall_fault(transfer, fault);

    if (transfer->curl->curl_multi_poll(transfer->multi, &wake, cancel != NULL ? 1 : 0,
                                        left_ms < STEP_MS ? (int)left_ms : STEP_MS,
                                        NULL) != CURLM_OK)
        return fault_errno(fault, HOSTED_LOCAL, EIO, transfer->url.name);
    return 0;
}

/* Until there are bytes in the buffer, or the end. */
static int fill(struct http_transfer *transfer, struct hosted_fault *fault)
{
    transfer->taken = 0;
    transfer->held = 0;
    transfer->counted_at_ms = clock_ms(); /* whoever reads may have taken his time */
    for (;;) {
        int err = transfer->done ? 0 : perform(transfer);

        count_wait(transfer);
        if (err < 0)
            return fault_errno(fault, HOSTED_LOCAL, err, transfer->url.name);
        if (transfer->held > 0)
            return 0;
        if (transfer->done)
            return http_failure(transfer, fault);
        err = wait_for_server(transfer, fault);
        if (err < 0)
            return err;
    }
}

/* False: there is no memory. */
static bool ask_for_rest(struct http_transfer *transfer, uint64_t from, const char *validator)
{
    char range[32], condition[sizeof("If-Range: ") + HTTP_VALIDATOR_BYTES];

    snprintf(range, sizeof(range), "%" PRIu64 "-", from);
    snprintf(condition, sizeof(condition), "If-Range: %s", validator);
    transfer->fields = transfer->curl->curl_slist_append(NULL, condition);
    transfer->curl->curl_easy_setopt(transfer->easy, CURLOPT_RANGE, range);
    return transfer->fields != NULL;
}

static void forget_answer(struct http_transfer *transfer)
{
    transfer->head = (struct http_head){0};
    transfer->status = 0;
    transfer->broken = transfer->stalled = transfer->done = transfer->refused = transfer->paused =
        false;
    transfer->retry_ms = 0;
    transfer->head_bytes = 0;
    begin_wait(transfer);
    transfer->error[0] = '\0';
}

int http_transfer_start(struct http_transfer *transfer, uint64_t from, const char *validator,
                        struct hosted_fault *fault)
{
    const struct curl_api *curl = transfer->curl;

    http_transfer_stop(transfer);
    forget_answer(transfer);
    transfer->ranged = from > 0;
    curl->curl_easy_setopt(transfer->easy, CURLOPT_RANGE, NULL);
    if (transfer->ranged && !ask_for_rest(transfer, from, validator))
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, transfer->url.name);
    curl->curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->fields);
    /* Shared out among the addresses that a host has. */
    curl->curl_easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)transfer->stall_ms);
    if (curl->curl_multi_add_handle(transfer->multi, transfer->easy) != CURLM_OK)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, transfer->url.name);
    transfer->added = true;

    const int err = fill(transfer, fault);

    if (transfer->ranged && transfer->status == 416)
        return 0;
    transfer->answered = transfer->answered || err == 0;
    return err;
}

ssize_t http_transfer_read(struct http_transfer *transfer, void *buf, size_t len,
                           struct hosted_fault *fault)
{
    if (transfer->taken == transfer->held) {
        const int err = fill(transfer, fault);

        if (err < 0)
            return err;
    }

    const size_t left = transfer->held - transfer->taken;

    if (len > left)
        len = left;
    memcpy(buf, transfer->buffer + transfer->taken, len);
    transfer->taken += len;
    return (ssize_t)len;
}

uint64_t http_transfer_length(const struct http_transfer *transfer)
{
    curl_off_t length = -1;

    transfer->curl->curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return transfer->head.encoded || length < 0 ? HOSTED_SIZE_UNKNOWN : (uint64_t)length;
}

static int64_t parse_date(const char *text)
{
    return curl_api_load()->curl_getdate(text, NULL);
}

const char *http_transfer_validator(const struct http_transfer *transfer)
{
    return http_head_validator(&transfer->head, parse_date);
}
