/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_HTTP_FAILURE_H
#define HOST_HTTP_FAILURE_H
/* What a transfer that has ended without success died of, in words, and whether it was the end. */
#include "http_transfer.h"

/* 0 if it has not failed. Sets transfer->broken and retry_ms. */
int http_failure(struct http_transfer *transfer, struct hosted_fault *fault);

#endif
