/* SPDX-License-Identifier: Apache-2.0 */
#include "http_retry.h"

#include <errno.h>
#include <stdio.h>

#include "fault.h"
#include "link.h"
#include "text.h"

#define STALL_S          30
#define RETRIES          5
#define OPENING_RETRIES  2
#define FIRST_WAIT_MS    100
#define LONGEST_WAIT_MS  30000
#define LONGEST_AFTER_MS 60000 /* what a server may ask for */
#define PROGRESS_BYTES   1024  /* fewer are no reason for hope */

static int64_t stall_ms(const struct hosted_source_options *options)
{
    return 1000 * (int64_t)(options->stall_timeout_s != 0 ? options->stall_timeout_s : STALL_S);
}

struct http_patience http_retry_patience(const struct http_retry *retry)
{
    const int64_t left_ms = stall_ms(retry->options) - retry->stalled_ms;
    const int64_t half_ms = stall_ms(retry->options) / 2;

    return (struct http_patience){
        .silence_ms = retry->opened && half_ms < left_ms ? half_ms : left_ms,
        .pace_ms = left_ms,
    };
}

void http_retry_progress(struct http_retry *retry, uint64_t at)
{
    if (at - retry->progress_at < PROGRESS_BYTES)
        return;
    retry->progress_at = at;
    retry->failures = 0;
    retry->stalled_ms = 0;
}

static unsigned limit_of(const struct http_retry *retry)
{
    const int retries = retry->options->retries;
    const unsigned limit = retries == 0 ? RETRIES : retries < 0 ? 0 : (unsigned)retries;

    return !retry->opened && limit > OPENING_RETRIES ? OPENING_RETRIES : limit;
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
    if (retry->failures > 1)
        fault_add(fault, at > 0 ? ", attempt %u" : "; attempt %u", retry->failures);
    return fault->error;
}

int http_retry_wait(struct http_retry *retry, const struct http_transfer *transfer, uint64_t at,
                    struct hosted_fault *fault)
{
    retry->failures++;
    retry->stalled_ms += fault->error == -ETIMEDOUT ? transfer->waited_ms : 0;
    if (retry->failures > limit_of(retry) || retry->stalled_ms >= stall_ms(retry->options))
        return give_up(retry, at, fault);

    const int64_t wait = wait_ms(retry, transfer->retry_ms);

    log_retry(retry, wait, fault);
    if (clock_wait(retry->options->cancel, clock_ms() + wait) == -ECANCELED)
        return fault_set(fault, HOSTED_LOCAL, -ECANCELED, "%s: interrupted", transfer->url.name);
    return 0;
}
