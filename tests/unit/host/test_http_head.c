/* SPDX-License-Identifier: Apache-2.0 */
/* What is understood of the head of an answer, down to what no server should send. */
#include "http_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hosted/source.h"

/* One header line each; the status line before them. */
static struct http_head head_of(const char *const lines[])
{
    struct http_head head = {0};

    http_head_line(&head, "HTTP/1.1 200 OK\r\n", 17);
    for (; *lines != NULL; lines++)
        http_head_line(&head, *lines, strlen(*lines));
    return head;
}

#define HEAD(...) head_of((const char *const[]){__VA_ARGS__, NULL})

/* Dates of the tests are numbers. */
static int64_t date(const char *text)
{
    return *text >= '0' && *text <= '9' ? atoi(text) : -1;
}

static void assert_validator(struct http_head head, const char *expected)
{
    assert_string_equal(http_head_validator(&head, date), expected);
}

static void a_validator_is_strong_or_none(void **state)
{
    (void)state;
    char too_long[HTTP_VALIDATOR_BYTES + 16];

    assert_validator(HEAD("ETag: \"abc\"\r\n"), "\"abc\"");
    assert_validator(HEAD("etag:\"abc\""), "\"abc\"");
    assert_validator(HEAD("ETag: W/\"abc\"\r\n", "Last-Modified: 1", "Date: 9"), "");
    assert_validator(HEAD("ETag: abc\r\n"), "");
    assert_validator(HEAD("Last-Modified: 7\r\n", "Date: 8\r\n"), "7");
    assert_validator(HEAD("Last-Modified: 8\r\n", "Date: 8\r\n"), "");
    assert_validator(HEAD("Last-Modified: 9\r\n", "Date: 8\r\n"), "");
    assert_validator(HEAD("Last-Modified: 7\r\n"), "");
    assert_validator(HEAD("Last-Modified: never\r\n", "Date: 8\r\n"), "");
    assert_validator(HEAD("ETag: \"abc\"\r\n", "Content-Encoding: gzip\r\n"), "");
    assert_validator(HEAD("ETag: \"abc\"\r\n", "Content-Encoding: identity\r\n"), "\"abc\"");
    assert_validator(HEAD("X-ETag: \"abc\"\r\n"), "");
    /* It becomes a line of the next request. */
    assert_validator(HEAD("ETag: \"a\rX: y\"\r\n"), "");
    assert_validator(HEAD("ETag: \"a\x7f\"\r\n"), "");
    /* Cut, it would be another one. */
    memset(too_long, 'x', sizeof(too_long));
    memcpy(too_long, "ETag: \"", 7);
    too_long[sizeof(too_long) - 1] = '\0';
    assert_validator(HEAD(too_long), "");
}

static void a_status_line_begins_anew(void **state)
{
    (void)state;
    struct http_head head =
        HEAD("ETag: \"a\"", "Content-Encoding: gzip", "Content-Type: text/html",
             "Content-Range: bytes 1-2/3", "HTTP/1.1 200 OK\r\n", "ETag: \"b\"");

    assert_validator(head, "\"b\"");
    assert_false(head.has_range);
    assert_false(http_head_is_page(&head));
}

static void a_range_makes_sense_or_is_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Content-Range: bytes 5-9",       "Content-Range: bytes */10",
        "Content-Range: bytes 9-5/10",    "Content-Range: bytes 5-10/10",
        "Content-Range: bytes -5-9/10",   "Content-Range: bytes 5-9/10x",
        "Content-Range: bits 5-9/10",     "Content-Range: bytes 5-99999999999999999999/*",
        "Content-Range: bytes 5 - 9/ 10", "Content-Range:",
    };
    struct http_head head = HEAD("Content-Range: bytes 5-9/10\r\n");

    assert_true(head.has_range);
    assert_int_equal(head.range_first, 5);
    assert_int_equal(head.range_last, 9);
    assert_int_equal(head.range_total, 10);
    head = HEAD("content-range: Bytes 5-9/*\r\n");
    assert_true(head.has_range);
    assert_true(head.range_total == HOSTED_SIZE_UNKNOWN);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        head = HEAD(bad[i]);
        if (head.has_range)
            fail_msg("%s", bad[i]);
    }
}

static void only_the_rest_of_the_same_image_continues(void **state)
{
    (void)state;
    const struct http_head tag = HEAD("Content-Range: bytes 5-9/10", "ETag: \"a\"");
    const struct http_head day = HEAD("Content-Range: bytes 5-9/10", "Last-Modified: 7");
    const struct http_head bare = HEAD("Content-Range: bytes 5-9/10");
    const struct http_head star = HEAD("Content-Range: bytes 5-9/*", "ETag: \"a\"");
    const struct http_head gzip =
        HEAD("Content-Range: bytes 5-9/10", "ETag: \"a\"", "Content-Encoding: gzip");

    assert_true(http_head_continues(&tag, 5, 10, "\"a\""));
    assert_true(http_head_continues(&tag, 5, HOSTED_SIZE_UNKNOWN, "\"a\""));
    assert_false(http_head_continues(&tag, 4, 10, "\"a\""));
    assert_false(http_head_continues(&tag, 5, 11, "\"a\""));
    assert_false(http_head_continues(&tag, 5, 10, "\"b\""));
    assert_true(http_head_continues(&day, 5, 10, "7"));
    assert_false(http_head_continues(&day, 5, 10, "8"));
    assert_true(http_head_continues(&bare, 5, 10, "7"));
    assert_false(http_head_continues(&bare, 5, 10, "\"a\""));
    assert_false(http_head_continues(&star, 5, 10, "\"a\""));
    assert_false(http_head_continues(&gzip, 5, 10, "\"a\""));
}

static void lines_that_are_none(void **state)
{
    (void)state;
    struct http_head head =
        HEAD("\r\n", "no colon", ":", ": value", "ETag", "ETag:", "ETag:   \r\n");

    assert_validator(head, "");
    http_head_line(&head, "", 0);
    http_head_line(&head, "ETag: \0\"x\"", 10);
    assert_validator(head, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_validator_is_strong_or_none),
        cmocka_unit_test(a_status_line_begins_anew),
        cmocka_unit_test(a_range_makes_sense_or_is_none),
        cmocka_unit_test(only_the_rest_of_the_same_image_continues),
        cmocka_unit_test(lines_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
