/* SPDX-License-Identifier: Apache-2.0 */
#include "http_retry.h"

#include <errno.h>
#include <stdio.h>

#include "fault.h"
#include "link.h"
#include "text.h"

#define RETRIES          5
#define OPENING_RETRIES  2
#define ROWS             10 /* as many retries in all, of a server that always brings a little */
#define FIRST_WAIT_MS    100
#define LONGEST_WAIT_MS  30000
#define LONGEST_AFTER_MS 60000 /* what a server may ask for */
#define PROGRESS_BYTES   1024  /* fewer are no reason for hope */

void http_retry_progress(struct http_retry *retry, uint64_t at)
{
    if (at - retry->progress_at < PROGRESS_BYTES)
        return;
    retry->progress_at = at;
    retry->failures = 0;
    retry->stalls = 0;
}

static unsigned limit_of(const struct http_retry *retry)
{
    const int retries = retry->options->retries;
    const unsigned limit = retries == 0 ? RETRIES : retries < 0 ? 0 : (unsigned)retries;

    return !retry->opened && limit > OPENING_RETRIES ? OPENING_RETRIES : limit;
}

/* A connection that died unnoticed looks like a server that stalls, and another one goes on: but
 * one only, and none before the first answer, for which nothing is lost yet. */
static bool is_last(const struct http_retry *retry)
{
    return retry->failures > limit_of(retry) || retry->all_failures > ROWS * limit_of(retry) ||
           retry->stalls > (retry->opened ? 1 : 0);
}

/* Many devices whose server went down must not all come back in the same moment. */
static int64_t wait_ms(const struct http_retry *retry, int64_t asked_ms)
{
    int64_t wait = FIRST_WAIT_MS;

    for (unsigned i = 1; i < retry->failures && wait < LONGEST_WAIT_MS; i++)
        wait *= 4;
    if (wait > LONGEST_WAIT_MS)
        wait = LONGEST_WAIT_MS;
    wait = wait / 2 + random_number() % (wait / 2 + 1);
    if (asked_ms > LONGEST_AFTER_MS)
        asked_ms = LONGEST_AFTER_MS;
    return wait < asked_ms ? asked_ms : wait;
}

static void log_retry(const struct http_retry *retry, int64_t wait,
                      const struct hosted_fault *fault)
{
    char line[HOSTED_FAULT_TEXT_BYTES + 80];

    if (retry->options->log == NULL)
        return;
    snprintf(line, sizeof(line), "%s; retry %u of %u in %.1f s", fault->text, retry->failures,
             limit_of(retry), (double)wait / 1000);
    retry->options->log(retry->options->log_ctx, line);
}

static int give_up(const struct http_retry *retry, uint64_t at, struct hosted_fault *fault)
{
    char number[TEXT_NUMBER_BYTES];

    if (at > 0)
        fault_add(fault, "; %s bytes had come", text_number(number, at));
    if (retry->all_failures > 1)
        fault_add(fault, at > 0 ? ", attempt %u" : "; attempt %u", retry->all_failures);
    return fault->error;
}

int http_retry_wait(struct http_retry *retry, const struct http_transfer *transfer, uint64_t at,
                    struct hosted_fault *fault)
{
    retry->failures++;
    retry->all_failures++;
    retry->stalls += transfer->stalled ? 1 : 0;
    if (is_last(retry))
        return give_up(retry, at, fault);

    const int64_t wait = wait_ms(retry, transfer->retry_ms);

    log_retry(retry, wait, fault);
    if (clock_wait(retry->options->cancel, clock_ms() + wait) == -ECANCELED)
        return fault_set(fault, HOSTED_LOCAL, -ECANCELED, "%s: interrupted", transfer->url.name);
    return 0;
}
