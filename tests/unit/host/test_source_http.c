/* SPDX-License-Identifier: Apache-2.0 */
/* A URL as a source, against a server that says exactly what the case has it say. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hosted/source.h"
#include "scripted_server.h"

#define BODY "0123456789abcdefghij"
#define HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n"

/* "\x1f\x8b..." of BODY, one stored block. */
#define GZIP                                                                                       \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"                                                     \
    "\x01\x14\x00\xeb\xff" BODY "\x29\x0d\x8c\x63\x14\x00\x00\x00"
#define GZIP_BYTES (sizeof(GZIP) - 1)

/* What becomes of a second attempt, test_source_http_broken.c says. */
static const struct hosted_source_options once = {.retries = -1};

static int open_url(const struct server *server, struct hosted_source **source,
                    struct hosted_fault *fault)
{
    return hosted_source_open(url_of(server, "", "/image.bin"), &once, source, fault);
}

static void assert_arrives(const struct said *says, size_t count, uint64_t size)
{
    struct server server;
    struct hosted_source *source = NULL;
    struct hosted_fault fault = {0};
    char got[64];

    server_start(&server, says, count);
    if (open_url(&server, &source, &fault) < 0)
        fail_msg("%s", fault.text);
    assert_false(source->whole);
    assert_true(source->size == size);
    assert_int_equal(source_read_all(source, got, &fault), 0);
    assert_string_equal(got, BODY);
    hosted_source_close(source);
    server_stop(&server);
}

static void what_servers_may_do(void **state)
{
    (void)state;
    static const struct said plain[] = {{HEAD "Content-Length: 20\r\n\r\n" BODY, 0}};
    static const struct said no_length[] = {{HEAD "\r\n" BODY, 0}};
    static const struct said chunked[] = {
        {HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\nf\r\n56789abcdefghij\r\n0\r\n\r\n",
         0},
    };
    static const struct said gzip[] = {
        {HEAD "Content-Encoding: gzip\r\nContent-Length: 43\r\n\r\n" GZIP,
         sizeof(HEAD "Content-Encoding: gzip\r\nContent-Length: 43\r\n\r\n") - 1 + GZIP_BYTES},
    };
    static const struct said moved[] = {
        {"HTTP/1.1 302 Found\r\nContent-Encoding: gzip\r\nLocation: /there\r\nContent-Length: 3\r\n"
         "Connection: close\r\n\r\nbye",
         0},
        {HEAD "Content-Length: 20\r\n\r\n" BODY, 0},
    };

    assert_int_equal(GZIP_BYTES, 43);
    assert_arrives(plain, COUNT(plain), 20);
    assert_arrives(no_length, COUNT(no_length), HOSTED_SIZE_UNKNOWN);
    assert_arrives(chunked, COUNT(chunked), HOSTED_SIZE_UNKNOWN);
    assert_arrives(gzip, COUNT(gzip), HOSTED_SIZE_UNKNOWN);
    assert_arrives(moved, COUNT(moved), 20);
}

static void answers_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        long http_status;
        int error;
        const char *words;
    } cases[] = {
        {"HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\nNot Found", 404, -ENOENT, "HTTP status 404"},
        {"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 404, -ENOENT, "HTTP status 404"},
        {"HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nx", 403, -EACCES, "HTTP status 403"},
        {"HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nx", 500, -EIO, "HTTP status 500"},
        {"HTTP/1.1 206 Part\r\nContent-Range: bytes 0-3/20\r\nContent-Length: 4\r\n\r\n0123", 206,
         -EIO, "HTTP status 206"},
        {"HTTP/1.1 204 No\r\n\r\n", 204, -EIO, "HTTP status 204"},
        {"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", 0, -EIO,
         "rotocol"},
        {HEAD "Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" BODY, 0, -EIO, "ncod"},
        {HEAD "Content-Length: 20\r\n\r\n", 0, -EIO, "20 bytes remaining"},
        {"SSH-2.0-OpenSSH_9.2\r\n", 0, -EIO, "HTTP"},
        {"", 0, -EIO, "mpty reply"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct said says[] = {{cases[i].says, 0}};
        struct hosted_source *source = NULL;
        struct hosted_fault fault = {0};
        struct server server;

        server_start(&server, says, 1);
        assert_int_equal(open_url(&server, &source, &fault), cases[i].error);
        server_stop(&server);
        assert_null(source);
        assert_int_equal(fault.status, HOSTED_LOCAL);
        assert_int_equal(fault.http_status, cases[i].http_status);
        if (strstr(fault.text, cases[i].words) == NULL)
            fail_msg("'%s' is not in '%s'", cases[i].words, fault.text);
    }
}

static void a_page_is_no_image(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        int error;
    } cases[] = {
        {HEAD "Content-Type: text/html\r\n\r\n" BODY, -EBADMSG},
        {HEAD "content-type:\tTEXT/HTML;charset=utf-8\r\n\r\n" BODY, -EBADMSG},
        {HEAD "Content-Type: application/xhtml+xml\r\n\r\n" BODY, -EBADMSG},
        {HEAD "Content-Type: text/plain\r\n\r\n" BODY, 0},
        {HEAD "Content-Type: application/octet-stream\r\n\r\n" BODY, 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct said says[] = {{cases[i].says, 0}};
        struct hosted_source *source = NULL;
        struct hosted_fault fault = {0};
        struct server server;

        server_start(&server, says, 1);
        assert_int_equal(open_url(&server, &source, &fault), cases[i].error);
        hosted_source_close(source);
        server_stop(&server);
        if (cases[i].error == 0)
            continue;
        assert_int_equal(fault.status, HOSTED_IMAGE);
        assert_non_null(strstr(fault.text, "the server sent a page ("));
    }
}

static void an_endless_redirect_ends(void **state)
{
    (void)state;
    struct said says[12];
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    struct server server;

    for (size_t i = 0; i < COUNT(says); i++)
        says[i] = (struct said){"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n"
                                "Connection: close\r\n\r\n",
                                0};
    server_start(&server, says, COUNT(says));
    assert_int_equal(open_url(&server, &source, &fault), -EIO);
    server_stop(&server);
    assert_non_null(strstr(fault.text, "redirects"));
}

/* The head is good, so the source opens; but its end is no end. */
static void a_cut_body_is_no_end(void **state)
{
    (void)state;
    static const char *const cut[] = {
        HEAD "Content-Length: 20\r\n\r\n0123456789",
        HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\nf\r\n5678",
    };

    for (size_t i = 0; i < COUNT(cut); i++) {
        const struct said says[] = {{cut[i], 0}};
        struct hosted_source *source = NULL;
        struct hosted_fault fault;
        struct server server;
        char got[64];

        server_start(&server, says, 1);
        assert_int_equal(open_url(&server, &source, &fault), 0);
        assert_int_equal(source_read_all(source, got, &fault), -EIO);
        assert_int_equal(fault.status, HOSTED_LOCAL);
        assert_non_null(strstr(fault.text, "remaining") ?: strstr(fault.text, "outstanding"));
        hosted_source_close(source);
        server_stop(&server);
    }
}

static void an_empty_body_is_an_empty_image(void **state)
{
    (void)state;
    static const struct said says[] = {{HEAD "Content-Length: 0\r\n\r\n", 0}};
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    struct server server;
    char got[64];

    server_start(&server, says, 1);
    assert_int_equal(open_url(&server, &source, &fault), 0);
    assert_int_equal(source->size, 0);
    assert_int_equal(source_read_all(source, got, &fault), 0);
    assert_string_equal(got, "");
    hosted_source_close(source);
    server_stop(&server);
}

static void secrets_go_to_the_server_alone(void **state)
{
    (void)state;
    static const struct said says[] = {{"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 0}};
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    struct server server;
    char expected[128];

    server_start(&server, says, 1);
    assert_int_equal(
        hosted_source_open(url_of(&server, "user:Sesam-7@", "/x?token=Sesam-8#Sesam-9"), &once,
                           &source, &fault),
        -ENOENT);
    server_stop(&server);
    snprintf(expected, sizeof(expected),
             "http://127.0.0.1:%d/x: the server answered with HTTP status 404", server.port);
    assert_string_equal(fault.text, expected);
    assert_non_null(strstr(server.asked, "Authorization: Basic dXNlcjpTZXNhbS03\r\n"));
    assert_non_null(strstr(server.asked, "token=Sesam-8"));
}

static void what_is_no_url_is_not_repeated(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://user:Sesam-7/8@host/x", "http://h:99999/Sesam-7",
                                       "http://", "https://[Sesam-7"};
    struct hosted_source *source = NULL;
    struct hosted_fault fault;

    for (size_t i = 0; i < COUNT(urls); i++) {
        assert_int_equal(hosted_source_open(urls[i], NULL, &source, &fault), -EINVAL);
        assert_int_equal(fault.status, HOSTED_LOCAL);
        assert_null(strstr(fault.text, "Sesam"));
        assert_non_null(strstr(fault.text, "URL"));
    }
}

static void where_nobody_listens(void **state)
{
    (void)state;
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    struct server server;

    server_start(&server, NULL, 0);
    server_stop(&server);
    assert_int_equal(open_url(&server, &source, &fault), -EIO);
    assert_non_null(strstr(fault.text, "onnect"));
}

static void *cancel_when_half_is_read(void *ctx)
{
    hosted_cancel_request(ctx);
    return NULL;
}

static void a_stalled_server_can_be_cancelled(void **state)
{
    (void)state;
    static const struct said says[] = {{HEAD "Content-Length: 20\r\n\r\n0123456789", 0}};
    struct hosted_source_options options = once;
    struct hosted_cancel *cancel = NULL;
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    struct server server;
    pthread_t thread;
    char got[64];

    server_start(&server, says, 1);
    assert_int_equal(pipe(server.hold), 0);
    assert_int_equal(hosted_cancel_new(&cancel), 0);
    options.cancel = cancel;
    assert_int_equal(hosted_source_open(url_of(&server, "", "/"), &options, &source, &fault), 0);
    assert_int_equal(pthread_create(&thread, NULL, cancel_when_half_is_read, cancel), 0);
    assert_int_equal(source_read_all(source, got, &fault), -ECANCELED);
    assert_string_equal(got, "0123456789");
    assert_int_equal(fault.status, HOSTED_LOCAL);
    pthread_join(thread, NULL);
    hosted_source_close(source);
    server_stop(&server);
    hosted_cancel_free(cancel);
}

/* More than is buffered: the transfer waits for whoever reads. */
static void a_large_body_is_not_kept_in_memory(void **state)
{
    (void)state;
    const size_t size = 3 << 20;
    const size_t head_len = strlen(HEAD "\r\n");
    char *bytes = malloc(head_len + size);
    struct said says[] = {{bytes, head_len + size}};
    struct hosted_source *source = NULL;
    struct hosted_fault fault;
    struct server server;
    char got[5000];
    size_t have = 0;
    ssize_t n;

    memcpy(bytes, HEAD "\r\n", head_len);
    for (size_t i = 0; i < size; i++)
        bytes[head_len + i] = (char)(i * 31 + i / 253);
    server_start(&server, says, 1);
    assert_int_equal(open_url(&server, &source, &fault), 0);
    while ((n = source->ops->read(source, got, sizeof(got), &fault)) > 0) {
        assert_memory_equal(got, bytes + head_len + have, n);
        have += (size_t)n;
    }
    assert_int_equal(n, 0);
    assert_int_equal(have, size);
    hosted_source_close(source);
    server_stop(&server);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_servers_may_do),
        cmocka_unit_test(answers_that_are_none),
        cmocka_unit_test(a_page_is_no_image),
        cmocka_unit_test(an_endless_redirect_ends),
        cmocka_unit_test(a_cut_body_is_no_end),
        cmocka_unit_test(an_empty_body_is_an_empty_image),
        cmocka_unit_test(secrets_go_to_the_server_alone),
        cmocka_unit_test(what_is_no_url_is_not_repeated),
        cmocka_unit_test(where_nobody_listens),
        cmocka_unit_test(a_stalled_server_can_be_cancelled),
        cmocka_unit_test(a_large_body_is_not_kept_in_memory),
    };

    /* A proxy of whoever runs this has no part in it. */
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
