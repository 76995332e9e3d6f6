/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_HTTP_RETRY_H
#define HOST_HTTP_RETRY_H
/* Whether a download that broke is tried again, and when. */
#include "http_transfer.h"

struct http_retry {
    const struct hosted_source_options *options; /* borrowed */
    bool opened;                                 /* an answer has come: the download runs */
    unsigned failures;                           /* in a row */
    unsigned stalls;                             /* among them */
    unsigned all_failures;                       /* of the whole download */
    uint64_t progress_at;                        /* how far the download was when the row began */
};

/* The download has come to byte `at`. */
void http_retry_progress(struct http_retry *retry, uint64_t at);

/*
 * After a transfer broke with `fault` (not NULL) at byte `at`: waits until it is time for the next
 * one, and returns 0. Else fault->error, where there is to be none.
 */
int http_retry_wait(struct http_retry *retry, const struct http_transfer *transfer, uint64_t at,
                    struct hosted_fault *fault);

#endif
