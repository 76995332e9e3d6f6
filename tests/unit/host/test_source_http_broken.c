/* SPDX-License-Identifier: Apache-2.0 */
/* A download that breaks: how it goes on, begins anew, or ends. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hosted/source.h"
#include "scripted_server.h"

#define BODY "0123456789abcdefghij"
#define TAG  "ETag: \"one\"\r\n"
#define CUT                                                                                        \
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 20\r\n" TAG "\r\n"                    \
    "0123456789"
#define WHOLE(fields, body)                                                                        \
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 20\r\n" fields "\r\n" body
#define REST(range, fields, body)                                                                  \
    "HTTP/1.1 206 Part\r\nConnection: close\r\nContent-Range: bytes " range "\r\n" fields          \
    "\r\n" body

/* What a case is about: the server's words, one connection each, and what comes of them. */
struct broken {
    const char *says[8];
    int retries;
    const char *got;  /* up to the end, or the failure */
    ssize_t end;      /* of read(): 0, or -errno */
    const char *text; /* in the fault */
    const char *asked;
    int requests;
    int ranges; /* requests for the rest alone; not looked at where it is 0 */
};

struct heard {
    char lines[4096];
    const char *of; /* NULL, or a line with this puts a byte into the pipe `said` */
    int said[2];
    struct hosted_cancel *cancel;
};

static void hear(void *ctx, const char *line)
{
    struct heard *heard = ctx;

    snprintf(heard->lines + strlen(heard->lines), sizeof(heard->lines) - strlen(heard->lines),
             "%s\n", line);
    if (heard->of != NULL && strstr(line, heard->of) != NULL && write(heard->said[1], "", 1) != 1)
        abort();
}

static int count_in(const char *asked, const char *what)
{
    int count = 0;

    while ((asked = strstr(asked, what)) != NULL) {
        asked++;
        count++;
    }
    return count;
}

static size_t start_script(struct server *server, const struct broken *broken, struct said *says)
{
    size_t count = 0;

    while (count < COUNT(broken->says) && broken->says[count] != NULL) {
        says[count] = (struct said){broken->says[count], 0};
        count++;
    }
    server_start(server, says, count);
    return count;
}

static void check(const struct broken *broken)
{
    struct heard heard = {.lines = ""};
    const struct hosted_source_options options = {
        .retries = broken->retries,
        .log = hear,
        .log_ctx = &heard,
    };
    struct said says[COUNT(broken->says)];
    struct hosted_source *source = NULL;
    struct hosted_fault fault = {0};
    struct server server;
    char got[64] = "";
    ssize_t end;

    start_script(&server, broken, says);
    end = hosted_source_open(url_of(&server, "", "/image.bin"), &options, &source, &fault);
    if (end == 0)
        end = source_read_all(source, got, &fault);
    hosted_source_close(source);
    server_stop(&server);
    if (end != broken->end || strcmp(got, broken->got) != 0 ||
        count_in(server.asked, "GET ") != broken->requests ||
        (broken->ranges > 0 && count_in(server.asked, "\nRange: ") != broken->ranges) ||
        (broken->text != NULL && strstr(fault.text, broken->text) == NULL) ||
        (broken->asked != NULL && strstr(server.asked, broken->asked) == NULL))
        fail_msg("end %zd, fault '%s'\ngot '%s'\nasked %s\nlog %s", end, fault.text, got,
                 server.asked, heard.lines);
}

static void what_broke_goes_on(void **state)
{
    (void)state;
    static const struct broken cases[] = {
        /* The rest, on the condition that it is the same image. */
        {{CUT, REST("10-19/20", TAG, "abcdefghij")},
         .got = BODY,
         .asked = "Range: bytes=10-\r\n",
         .requests = 2},
        {{CUT, REST("10-19/20", TAG, "abcdefghij")},
         .got = BODY,
         .asked = "If-Range: \"one\"\r\n",
         .requests = 2},
        /* It breaks again. */
        {{CUT, REST("10-19/20", TAG "Content-Length: 10\r\n", "abcd"),
          REST("14-19/20", TAG, "efghij")},
         .got = BODY,
         .asked = "Range: bytes=14-\r\n",
         .requests = 3},
        /* A part of the rest is no lie, but not the end either. */
        {{CUT, REST("10-13/20", TAG "Content-Length: 4\r\n", "abcd"),
          REST("14-19/20", TAG, "efghij")},
         .got = BODY,
         .requests = 3},
        /* More than there is. */
        {{CUT, REST("10-19/20", TAG, "abcdefghijklmn")}, .got = BODY, .requests = 2},
        /* Trouble that passes. */
        {{CUT, "", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
          REST("10-19/20", TAG, "abcdefghij")},
         .got = BODY,
         .requests = 4},
        /* A date that says as much as a tag. */
        {{WHOLE("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n",
                "0123456789"),
          REST("10-19/20", "", "abcdefghij")},
         .got = BODY,
         .asked = "If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
         .requests = 2},
        /* A length that nobody knew. */
        {{"HTTP/1.1 200 OK\r\n" TAG "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n",
          REST("10-19/20", TAG, "abcdefghij")},
         .got = BODY,
         .requests = 2},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        check(&cases[i]);
}

static void what_cannot_go_on_begins_anew_and_is_compared(void **state)
{
    (void)state;
    static const struct broken cases[] = {
        /* A server without ranges, as Python's. */
        {{CUT, WHOLE(TAG, BODY)}, .got = BODY, .requests = 2},
        /* Another tag, but not another image. */
        {{CUT, WHOLE("ETag: \"two\"\r\n", BODY)}, .got = BODY, .requests = 2},
        /* No validator, or none that proves anything: no range is asked for. */
        {{WHOLE("", "0123456789"), WHOLE("", BODY)}, .got = BODY, .requests = 2},
        {{WHOLE("ETag: W/\"one\"\r\n", "0123456789"), WHOLE("", BODY)}, .got = BODY, .requests = 2},
        /* Parts of something else: all of it is asked for at once. */
        {{CUT, REST("9-19/20", TAG, "9abcdefghij"), WHOLE(TAG, BODY)},
         .got = BODY,
         .requests = 3,
         .ranges = 1},
        {{CUT, REST("10-20/21", TAG, "abcdefghijk"), WHOLE(TAG, BODY)},
         .got = BODY,
         .requests = 3,
         .ranges = 1},
        {{CUT, REST("10-19/20", "ETag: \"two\"\r\n", "ABCDEFGHIJ"), WHOLE(TAG, BODY)},
         .got = BODY,
         .requests = 3},
        {{CUT, "HTTP/1.1 206 Part\r\n" TAG "\r\nabcdefghij", WHOLE(TAG, BODY)},
         .got = BODY,
         .requests = 3},
        {{CUT, "HTTP/1.1 416 No\r\nContent-Range: bytes */5\r\nContent-Length: 2\r\n\r\nno",
          WHOLE(TAG, BODY)},
         .got = BODY,
         .requests = 3},
        /* It breaks while what was given comes again. */
        {{WHOLE("", "0123456789"), WHOLE("", "01234"), WHOLE("", BODY)},
         .got = BODY,
         .requests = 3},
        /* A length that nobody knows. */
        {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n" BODY "\r\n0\r\n\r\n"},
         .got = BODY,
         .requests = 2},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        check(&cases[i]);
}

static void a_range_is_asked_for_only_with_a_strong_validator(void **state)
{
    (void)state;
    static const char *const fields[] = {"", "ETag: W/\"one\"\r\n",
                                         ("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                          "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")};
    const struct hosted_source_options options = {.retries = 2};

    for (size_t i = 0; i < COUNT(fields); i++) {
        char cut[256], whole[256];
        const struct said says[] = {{cut, 0}, {whole, 0}};
        struct hosted_source *source = NULL;
        struct hosted_fault fault;
        struct server server;
        char got[64];

        snprintf(cut, sizeof(cut), WHOLE("%s", "0123456789"), fields[i]);
        snprintf(whole, sizeof(whole), WHOLE("%s", BODY), fields[i]);
        server_start(&server, says, 2);
        assert_int_equal(hosted_source_open(url_of(&server, "", "/"), &options, &source, &fault),
                         0);
        assert_int_equal(source_read_all(source, got, &fault), 0);
        hosted_source_close(source);
        server_stop(&server);
        assert_string_equal(got, BODY);
        assert_null(strstr(server.asked, "Range:"));
    }
}

/* The first read() after -ESTALE gives the new image's first byte, and `size` is its size. */
static void assert_changes(const char *const says_text[4], const char *first, const char *second,
                           uint64_t size)
{
    const struct hosted_source_options options = {.retries = 2};
    struct said says[4];
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    struct server server;
    size_t count = 0;
    char got[64];

    for (; count < 4 && says_text[count] != NULL; count++)
        says[count] = (struct said){says_text[count], 0};
    server_start(&server, says, count);
    assert_int_equal(hosted_source_open(url_of(&server, "", "/i"), &options, &source, &fault), 0);
    assert_int_equal(source->size, 20);
    if (source_read_all(source, got, &fault) != -ESTALE)
        fail_msg("%s", fault.text);
    assert_string_equal(got, first);
    assert_int_equal(fault.status, HOSTED_LOCAL);
    assert_non_null(strstr(fault.text, "/i: the image on the server has changed"));
    assert_true(source->size == size);
    assert_int_equal(source_read_all(source, got, &fault), 0);
    assert_string_equal(got, second);
    hosted_source_close(source);
    server_stop(&server);
    assert_int_equal(count_in(server.asked, "GET "), (int)count);
}

static void another_image_is_never_put_behind_the_first(void **state)
{
    (void)state;
    static const char shorter[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n01234";
    static const char shorter_chunked[] =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n0\r\n\r\n";
    static const char changed_start[] = WHOLE("", "X123456789abcdefghij");

    /* Of the same length: only the bytes tell. */
    assert_changes((const char *const[4]){CUT, changed_start, changed_start}, "0123456789",
                   "X123456789abcdefghij", 20);
    /* The length tells at once, and the answer is used. */
    assert_changes((const char *const[4]){CUT, shorter}, "0123456789", "01234", 5);
    /* What is shorter than what was given. */
    assert_changes((const char *const[4]){CUT, shorter_chunked, shorter_chunked}, "0123456789",
                   "01234", HOSTED_SIZE_UNKNOWN);
    /* It changes again before it is fetched. */
    assert_changes((const char *const[4]){CUT, REST("10-20/21", TAG, "abcdefghijk"), shorter},
                   "0123456789", "01234", 5);
    /* The new one breaks, too. */
    assert_changes((const char *const[4]){CUT, changed_start, WHOLE("ETag: \"x\"\r\n", "X1234"),
                                          REST("5-19/20", "ETag: \"x\"\r\n", "56789abcdefghij")},
                   "0123456789", "X123456789abcdefghij", 20);
}

static void what_ends_a_download(void **state)
{
    (void)state;
    static const struct broken cases[] = {
        /* The same place over and over. */
        {{CUT, CUT, CUT},
         .retries = 2,
         .got = "0123456789",
         .end = -EIO,
         .text = "; 10 bytes had come, attempt 3",
         .requests = 3},
        {{CUT},
         .retries = -1,
         .got = "0123456789",
         .end = -EIO,
         .text = "10 bytes remaining",
         .requests = 1},
        /* The server has gone. */
        {{CUT}, .retries = 1, .got = "0123456789", .end = -EIO, .text = "onnect", .requests = 1},
        /* What does not pass. */
        {{CUT, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"},
         .got = "0123456789",
         .end = -ENOENT,
         .text = "HTTP status 404",
         .requests = 2},
        {{CUT, WHOLE("Content-Type: text/html\r\n", BODY)},
         .got = "0123456789",
         .end = -EBADMSG,
         .text = "the server sent a page (text/html)",
         .requests = 2},
        /* Before the first answer there are two retries, and none where there is no hope. */
        {{"", "", "", "", ""}, .got = "", .end = -EIO, .text = "mpty reply", .requests = 3},
        {{"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", WHOLE(TAG, BODY)},
         .got = BODY,
         .requests = 2},
        {{"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", WHOLE(TAG, BODY)},
         .got = "",
         .end = -ENOENT,
         .requests = 1},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        check(&cases[i]);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void a_server_may_ask_for_time(void **state)
{
    (void)state;
    static const struct broken one = {
        {CUT, "HTTP/1.1 429 No\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
         REST("10-19/20", TAG, "abcdefghij")},
        .got = BODY,
        .requests = 3,
    };
    const int64_t before_ms = now_ms();

    check(&one);
    assert_true(now_ms() - before_ms >= 1000);
}

/* So many pieces, of which each brings something, are read to the end, or to `end`. One retry is
 * allowed in a row; `fields` decide whether the rest or all of it is asked for. */
enum { PIECE = 1100, CUTS = 11, SIZE = PIECE * (CUTS + 1) };

static void assert_survives(const char *fields, size_t cuts, ssize_t end)
{
    const struct hosted_source_options options = {.retries = 1};
    struct said says[CUTS + 1];
    struct hosted_source *source = NULL;
    struct hosted_fault fault = {0};
    struct server server;
    char body[SIZE], got[SIZE + 1];
    size_t have = 0;
    ssize_t n;

    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)('a' + (i * 7 + i / 101) % 26);
    for (size_t i = 0; i <= cuts; i++) {
        const bool rest = *fields != '\0' && i > 0;
        const size_t from = rest ? i * PIECE : 0;
        char *bytes = malloc(SIZE + 512);
        int len = rest ? snprintf(bytes, 512, REST("%zu-%d/%d", "%sContent-Length: %zu\r\n", ""),
                                  from, SIZE - 1, SIZE, fields, SIZE - from)
                       : snprintf(bytes, 512, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n",
                                  SIZE, fields);

        const size_t to = i < cuts ? (i + 1) * PIECE : SIZE;

        memcpy(bytes + len, body + from, to - from);
        says[i] = (struct said){bytes, (size_t)len + to - from};
    }
    server_start(&server, says, cuts + 1);
    assert_int_equal(hosted_source_open(url_of(&server, "", "/"), &options, &source, &fault), 0);
    while ((n = source->ops->read(source, got + have, sizeof(got) - have, &fault)) > 0)
        have += (size_t)n;
    if (n != end || (end < 0 && strstr(fault.text, "12,100 bytes had come, attempt 11") == NULL))
        fail_msg("%zd: %s", n, fault.text);
    assert_int_equal(have, end < 0 ? CUTS * PIECE : SIZE);
    assert_memory_equal(got, body, have);
    hosted_source_close(source);
    server_stop(&server);
    for (size_t i = 0; i <= cuts; i++)
        free((char *)says[i].bytes);
}

static void a_cut_that_brings_something_is_no_failure(void **state)
{
    (void)state;
    assert_survives(TAG, 10, 0);
    assert_survives("", 10, 0);
}

/* An update that never comes to its end holds the ESP32 for days. */
static void but_not_for_ever(void **state)
{
    (void)state;
    assert_survives(TAG, 11, -EIO);
}

/* Behind the body it is too late to say what the body is. */
static void a_trailer_changes_nothing(void **state)
{
    (void)state;
    static const struct broken cases[] = {
        {{"HTTP/1.1 200 OK\r\nTrailer: ETag\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789"
          "\r\n0\r\nContent-Type: text/html\r\nETag: \"x\"\r\n\r\n"},
         .got = "0123456789",
         .requests = 1},
    };

    check(&cases[0]);
}

/* What comes without end would fill the memory: libcurl keeps it. */
static void header_lines_have_an_end(void **state)
{
    (void)state;
    static const char whole[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "14\r\n" BODY "\r\n0\r\n";
    static const char early[] = "HTTP/1.1 200 OK\r\n";
    static const char line[] = "X-Test: abcdef\r\n"; /* 16 bytes */
    enum { LINES = 128 * 1024 / 16 + 1 };
    const struct {
        const char *before, *got;
    } cases[] = {{whole, BODY}, {early, ""}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct broken broken = {
            .got = cases[i].got,
            .end = -EIO,
            .text = "the server sends header lines without end",
            .requests = 1,
        };
        char *says = malloc(sizeof(whole) + (size_t)LINES * strlen(line));
        char *end = stpcpy(says, cases[i].before);

        for (size_t n = 0; n < LINES; n++)
            end = stpcpy(end, line);
        broken.says[0] = says;
        check(&broken);
        free(says);
    }
}

/* A line says that the wait begins. */
static void *cancel_after_line(void *ctx)
{
    struct heard *heard = ctx;
    char byte;

    if (read(heard->said[0], &byte, 1) == 1)
        hosted_cancel_request(heard->cancel);
    return NULL;
}

/* Retry-After holds for a minute, and the test does not. */
static void a_wait_can_be_cancelled(void **state)
{
    (void)state;
    static const struct said says[] = {
        {CUT, 0}, {"HTTP/1.1 503 No\r\nRetry-After: 7200\r\nContent-Length: 0\r\n\r\n", 0}};
    struct heard heard = {.lines = ""};
    struct hosted_source_options options = {.log = hear, .log_ctx = &heard};
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    struct server server;
    pthread_t thread;
    char got[64];

    server_start(&server, says, 2);
    heard.of = "; retry 2 of 5 in 60.0 s";
    assert_int_equal(pipe(heard.said), 0);
    assert_int_equal(hosted_cancel_new(&heard.cancel), 0);
    options.cancel = heard.cancel;
    assert_int_equal(hosted_source_open(url_of(&server, "", "/"), &options, &source, &fault), 0);
    assert_int_equal(source->ops->read(source, got, 10, &fault), 10);
    assert_int_equal(pthread_create(&thread, NULL, cancel_after_line, &heard), 0);
    assert_int_equal(source->ops->read(source, got, 10, &fault), -ECANCELED);
    pthread_join(thread, NULL);
    hosted_source_close(source);
    server_stop(&server);
    hosted_cancel_free(heard.cancel);
    close(heard.said[0]);
    close(heard.said[1]);
}

static void a_stall_is_tried_again_once(void **state)
{
    (void)state;
    static const struct said says[] = {{CUT, 0}};
    struct heard heard = {.lines = ""};
    const struct hosted_source_options options = {
        .stall_timeout_s = 1, .log = hear, .log_ctx = &heard};
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    struct server server;
    char got[64];
    const int64_t before_ms = now_ms();

    /* The listener stays open meanwhile: the second request is never answered. */
    server_start(&server, says, 1);
    assert_int_equal(pipe(server.hold), 0);
    assert_int_equal(hosted_source_open(url_of(&server, "", "/"), &options, &source, &fault), 0);
    assert_int_equal(source_read_all(source, got, &fault), -ETIMEDOUT);
    assert_true(now_ms() - before_ms >= 2000);
    assert_string_equal(got, "0123456789");
    assert_non_null(strstr(fault.text, "the server stalls"));
    if (strstr(fault.text, "10 bytes had come, attempt 2") == NULL)
        fail_msg("%s", fault.text);
    assert_non_null(
        strstr(heard.lines, "fewer than 1024 bytes of the image came in 1 s; retry 1 of 5 in 0."));
    assert_null(strstr(heard.lines, "retry 2"));
    hosted_source_close(source);
    server_stop(&server);
}

/* What is no image, in any amount, is nothing. */
static void a_flood_is_a_stall(void **state)
{
    (void)state;
    static const struct {
        const char *head, *flood;
        size_t head_len;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;", "xxxxxxxxxxxxxxxx", 0},
        {"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 99999999999999\r\n\r\n",
         "xxxxxxxxxxxxxxxx", 0},
#define GZIP "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\x03"
        {GZIP, "a name without end", sizeof(GZIP) - 1},
    };
    const struct hosted_source_options options = {.stall_timeout_s = 1};

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct said says[] = {{cases[i].head, cases[i].head_len}};
        struct hosted_source *source = NULL;
        struct hosted_fault fault;
        struct server server;

        server_start(&server, says, 1);
        server.flood = cases[i].flood;
        assert_int_equal(hosted_source_open(url_of(&server, "", "/"), &options, &source, &fault),
                         -ETIMEDOUT);
        if (strstr(fault.text, "the server stalls: nothing of the image came for 1 s") == NULL)
            fail_msg("%zu: %s", i, fault.text);
        server_stop(&server);
    }
}

static void a_log_has_no_secrets(void **state)
{
    (void)state;
    static const struct said says[] = {{CUT, 0}, {REST("10-19/20", TAG, "abcdefghij"), 0}};
    struct heard heard = {.lines = ""};
    const struct hosted_source_options options = {.log = hear, .log_ctx = &heard};
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    struct server server;
    char got[64];
    char expected[128];

    server_start(&server, says, 2);
    assert_int_equal(hosted_source_open(url_of(&server, "user:Sesam-7@", "/x?token=Sesam-8"),
                                        &options, &source, &fault),
                     0);
    assert_int_equal(source_read_all(source, got, &fault), 0);
    hosted_source_close(source);
    server_stop(&server);
    assert_null(strstr(heard.lines, "Sesam"));
    assert_null(strstr(heard.lines, "user"));
    snprintf(expected, sizeof(expected), "http://127.0.0.1:%d/x: goes on at byte 10\n",
             server.port);
    assert_non_null(strstr(heard.lines, expected));
}

static void a_proxy_that_makes_no_sense_is_not_repeated(void **state)
{
    (void)state;
    static const char *const proxies[] = {
        "http://user:Sesam-7@host:99999", "nonsense://user:Sesam-7@host",
        "http://user:Sesam 7@[bad", "http://user:Sesam-7", "http://user:Sesam-7@127.0.0.1:1"};

    for (size_t i = 0; i < COUNT(proxies); i++) {
        const struct hosted_source_options options = {.proxy = proxies[i], .retries = -1};
        struct hosted_source *source = NULL;
        struct hosted_fault fault;

        assert_true(hosted_source_open("http://127.0.0.1:9/x", &options, &source, &fault) < 0);
        if (strstr(fault.text, "Sesam") != NULL)
            fail_msg("%s", fault.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_broke_goes_on),
        cmocka_unit_test(what_cannot_go_on_begins_anew_and_is_compared),
        cmocka_unit_test(a_range_is_asked_for_only_with_a_strong_validator),
        cmocka_unit_test(another_image_is_never_put_behind_the_first),
        cmocka_unit_test(what_ends_a_download),
        cmocka_unit_test(a_server_may_ask_for_time),
        cmocka_unit_test(a_cut_that_brings_something_is_no_failure),
        cmocka_unit_test(but_not_for_ever),
        cmocka_unit_test(a_trailer_changes_nothing),
        cmocka_unit_test(header_lines_have_an_end),
        cmocka_unit_test(a_wait_can_be_cancelled),
        cmocka_unit_test(a_stall_is_tried_again_once),
        cmocka_unit_test(a_flood_is_a_stall),
        cmocka_unit_test(a_log_has_no_secrets),
        cmocka_unit_test(a_proxy_that_makes_no_sense_is_not_repeated),
    };

    /* A proxy of whoever runs this has no part in it. */
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
