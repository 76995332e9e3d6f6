/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web server as a source. A download that breaks is taken up again: with the rest alone where the
 * server proves that it is of the same image, else with all of it, compared with what was given.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "http_retry.h"
#include "http_transfer.h"
#include "source_internal.h"
#include "text.h"

struct source_http {
    struct hosted_source source;
    const struct hosted_source_options *options; /* borrowed */
    struct http_transfer transfer;
    struct http_retry retry;
    bool running;   /* `transfer` stands at byte `given` */
    bool no_ranges; /* the server's ranges are not to be trusted */
    uint64_t given;
    EVP_MD_CTX *digest; /* of what was given */
    char validator[HTTP_VALIDATOR_BYTES];
};

static void say(const struct source_http *http, const char *what)
{
    char line[HOSTED_FAULT_TEXT_BYTES];
    char number[TEXT_NUMBER_BYTES];

    if (http->options->log == NULL)
        return;
    snprintf(line, sizeof(line), "%s: %s at byte %s", http->source.name, what,
             text_number(number, http->given));
    http->options->log(http->options->log_ctx, line);
}

static int digest_fault(const struct source_http *http, struct hosted_fault *fault)
{
    return fault_set(fault, HOSTED_LOCAL, -ENOMEM, "%s: libcrypto gives no SHA-256",
                     http->source.name);
}

/* What the next answers must be the same as. */
static void remember_answer(struct source_http *http)
{
    const uint64_t size = http_transfer_length(&http->transfer);

    if (size != HOSTED_SIZE_UNKNOWN || http->given == 0)
        http->source.size = size;
    strcpy(http->validator, http_transfer_validator(&http->transfer));
}

/* The new image begins with the running answer, or with another one. */
static int changed(struct source_http *http, bool running, struct hosted_fault *fault)
{
    http->running = running;
    http->no_ranges = false;
    http->given = 0;
    http->retry.progress_at = 0;
    remember_answer(http);
    if (EVP_DigestInit_ex(http->digest, EVP_sha256(), NULL) != 1)
        return digest_fault(http, fault);
    return fault_set(fault, HOSTED_LOCAL, -ESTALE, "%s: the image on the server has changed",
                     http->source.name);
}

/* Reads what was given again. 1: it is the same; 0: it is not; or -errno. */
static int compare_start(struct source_http *http, EVP_MD_CTX *again, struct hosted_fault *fault)
{
    uint8_t bytes[4096], before[EVP_MAX_MD_SIZE], now[EVP_MAX_MD_SIZE];
    uint64_t left = http->given;
    bool good = EVP_DigestInit_ex(again, EVP_sha256(), NULL) == 1;

    while (left > 0) {
        const ssize_t got = http_transfer_read(&http->transfer, bytes,
                                               left < sizeof(bytes) ? left : sizeof(bytes), fault);

        if (got <= 0)
            return (int)got;
        good = good && EVP_DigestUpdate(again, bytes, (size_t)got) == 1;
        left -= (uint64_t)got;
    }
    good = good && EVP_DigestFinal_ex(again, now, NULL) == 1 &&
           EVP_MD_CTX_copy_ex(again, http->digest) == 1 &&
           EVP_DigestFinal_ex(again, before, NULL) == 1;
    return good ? memcmp(now, before, EVP_MD_size(EVP_sha256())) == 0 : digest_fault(http, fault);
}

/* All of an image comes, perhaps of another one than that of which a part was given. */
static int take_whole_answer(struct source_http *http, struct hosted_fault *fault)
{
    const uint64_t size = http_transfer_length(&http->transfer);
    const bool known = size != HOSTED_SIZE_UNKNOWN && http->source.size != HOSTED_SIZE_UNKNOWN;

    if (http_head_is_page(&http->transfer.head))
        return fault_set(fault, HOSTED_IMAGE, -EBADMSG,
                         "%s: the server sent a page (%s), no firmware image", http->source.name,
                         http->transfer.head.type);
    if (http->retry.opened && known && size != http->source.size)
        return changed(http, true, fault);
    if (http->given > 0) {
        EVP_MD_CTX *again = EVP_MD_CTX_new();
        const int same = again != NULL ? compare_start(http, again, fault) : -ENOMEM;

        EVP_MD_CTX_free(again);
        if (again == NULL)
            return digest_fault(http, fault);
        if (same <= 0)
            return same < 0 ? same : changed(http, false, fault);
        say(http, "begun again from the first byte, and the same so far; goes on");
    }
    remember_answer(http);
    return 0;
}

/* One attempt to get to where the next byte is to be read. */
static int start(struct source_http *http, struct hosted_fault *fault)
{
    struct http_transfer *transfer = &http->transfer;
    const uint64_t from = http->no_ranges || *http->validator == '\0' ? 0 : http->given;

    int err = http_transfer_start(transfer, from, http->validator, fault);

    if (err < 0)
        return err;
    if (transfer->status == 200) {
        err = take_whole_answer(http, fault);
    } else if (transfer->status == 206 &&
               http_head_continues(&transfer->head, from, http->source.size, http->validator)) {
        http->source.size = transfer->head.range_total;
        say(http, "goes on");
    } else {
        http->no_ranges = true;
        say(http, "the server sent another part than was asked for; all of it is asked for");
        return start(http, fault); /* once: without a range no part is accepted */
    }
    if (err == 0)
        http->running = http->retry.opened = true;
    return err;
}

/* The next bytes, or what is in their way. */
static ssize_t read_on(struct source_http *http, void *buf, size_t len, struct hosted_fault *fault)
{
    struct hosted_source *source = &http->source;

    if (source->size != HOSTED_SIZE_UNKNOWN && len > source->size - http->given)
        len = (size_t)(source->size - http->given);
    if (len == 0)
        return 0;
    if (!http->running) {
        const int err = start(http, fault);

        if (err < 0)
            return err;
    }

    const ssize_t got = http_transfer_read(&http->transfer, buf, len, fault);

    if (got == 0 && source->size != HOSTED_SIZE_UNKNOWN) {
        http->transfer.broken = true;
        return fault_set(fault, HOSTED_LOCAL, -EIO, "%s: the answer ended too early", source->name);
    }
    if (got == 0)
        source->size = http->given;
    return got;
}

static ssize_t http_read(struct hosted_source *source, void *buf, size_t len,
                         struct hosted_fault *fault)
{
    struct source_http *http = (struct source_http *)source;
    struct hosted_fault own;
    ssize_t got;

    if (fault == NULL)
        fault = &own;
    while ((got = read_on(http, buf, len, fault)) < 0) {
        if (!http->transfer.broken)
            return got;
        http->running = false;

        const int err = http_retry_wait(&http->retry, &http->transfer, http->given, fault);

        if (err < 0)
            return err;
    }
    if (got > 0 && EVP_DigestUpdate(http->digest, buf, (size_t)got) != 1)
        return digest_fault(http, fault);
    http->given += (uint64_t)got;
    http_retry_progress(&http->retry, http->given);
    return got;
}

static void http_close(struct hosted_source *source)
{
    struct source_http *http = (struct source_http *)source;

    http_transfer_free(&http->transfer);
    EVP_MD_CTX_free(http->digest);
    free(http);
}

static const struct hosted_source_ops http_ops = {
    .read = http_read,
    .close = http_close,
};

static int http_init(struct source_http *http, const char *url,
                     const struct hosted_source_options *options, struct hosted_fault *fault)
{
    const int err = http_transfer_init(&http->transfer, url, options, fault);

    if (err < 0)
        return err;
    http->source = (struct hosted_source){
        .ops = &http_ops,
        .name = http->transfer.url.name,
        .size = HOSTED_SIZE_UNKNOWN,
    };
    http->options = http->retry.options = options;
    http->digest = EVP_MD_CTX_new();
    if (http->digest == NULL || EVP_DigestInit_ex(http->digest, EVP_sha256(), NULL) != 1)
        return digest_fault(http, fault);
    return 0;
}

int source_http_open(const char *url, const struct hosted_source_options *options,
                     struct hosted_source **ret, struct hosted_fault *fault)
{
    struct source_http *http = calloc(1, sizeof(*http));
    struct hosted_fault own;

    if (fault == NULL)
        fault = &own;
    if (http == NULL)
        return fault_errno(fault, HOSTED_LOCAL, ENOMEM, "URL");

    int err = http_init(http, url, options, fault);

    if (err == 0) {
        while ((err = start(http, fault)) < 0 && http->transfer.broken) {
            err = http_retry_wait(&http->retry, &http->transfer, 0, fault);
            if (err < 0)
                break;
        }
    }
    if (err < 0) {
        http_close(&http->source);
        return err;
    }
    *ret = &http->source;
    return 0;
}
