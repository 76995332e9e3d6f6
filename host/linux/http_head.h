/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_HTTP_HEAD_H
#define HOST_HTTP_HEAD_H
/* What the head of an HTTP answer says that matters for a download. Knows nothing of libcurl. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer ones are taken for none. */
#define HTTP_VALIDATOR_BYTES 256

struct http_head {
    bool encoded;   /* the bytes on the wire are not those of the image */
    char type[64];  /* Content-Type without its parameters, "" if there is none */
    bool has_range; /* Content-Range was there, and makes sense */
    uint64_t range_first, range_last;
    uint64_t range_total; /* HOSTED_SIZE_UNKNOWN for "*" */
    char etag[HTTP_VALIDATOR_BYTES];
    char modified[HTTP_VALIDATOR_BYTES]; /* Last-Modified */
    char date[HTTP_VALIDATOR_BYTES];
};

/* The next line of a head, with or without its line end; a status line begins a new head. */
void http_head_line(struct http_head *head, const char *line, size_t len);

/* Whether a person was to read this: a login page, an error that calls itself a success. */
bool http_head_is_page(const struct http_head *head);

/*
 * What If-Range may carry for this answer: its strong entity tag, else its date if `parse_date` (of
 * an HTTP date; seconds, or -1) shows that it is one. "" where the answer has neither: two answers
 * without one cannot be put together (RFC 9110, 13.1.5).
 */
const char *http_head_validator(const struct http_head *head, int64_t (*parse_date)(const char *));

/* Whether this is the rest, from byte `from`, of an image of `size` bytes (or HOSTED_SIZE_UNKNOWN)
 * whose validator was `validator`. */
bool http_head_continues(const struct http_head *head, uint64_t from, uint64_t size,
                         const char *validator);

#endif
