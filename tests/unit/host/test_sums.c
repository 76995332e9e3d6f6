/* SPDX-License-Identifier: Apache-2.0 */
#include "hosted/sums.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define A     "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define UPPER "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"
#define B     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static char s_folder[] = "/tmp/test-sums-XXXXXX";

static void path_of(char path[256], const char *name)
{
    snprintf(path, 256, "%s/%s", s_folder, name);
}

static void write_bytes(const char *name, const void *bytes, size_t len)
{
    char path[256];

    path_of(path, name);

    FILE *file = fopen(path, "we");

    if (file == NULL)
        abort();
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static void remove_file(const char *name)
{
    char path[256];

    path_of(path, name);
    unlink(path);
}

/* 'A' or 'B', whose digest was found, or -errno. */
static int find(const char *name, struct hosted_fault *fault)
{
    char path[256];
    uint8_t digest[32], untouched[32];

    memset(untouched, 0x5a, sizeof(untouched));
    memcpy(digest, untouched, sizeof(digest));
    path_of(path, name);
    *fault = (struct hosted_fault){.text = ""};

    const int err = hosted_sums_find(path, NULL, digest, fault);

    if (err < 0) {
        assert_int_equal(fault->error, err);
        assert_memory_equal(digest, untouched, sizeof(digest));
        return err;
    }
    assert_int_equal(err, 0);
    for (size_t i = 0; i < sizeof(digest); i++)
        assert_int_equal(digest[i], digest[0] == 0xff ? 0xff : (i % 16) * 0x11);
    return digest[0] == 0xff ? 'B' : 'A';
}

static void assert_refused(const char *name, int err, const char *words)
{
    struct hosted_fault fault;

    assert_int_equal(find(name, &fault), err);
    assert_int_equal(fault.status, HOSTED_IMAGE);
    if (strstr(fault.text, words) == NULL)
        fail_msg("'%s' does not say '%s'", fault.text, words);
}

static void assert_found(const char *name, int which)
{
    struct hosted_fault fault;

    if (find(name, &fault) != which)
        fail_msg("%s", fault.text);
}

static void the_forms_of_both_files(void **state)
{
    (void)state;
    static const char *const texts[] = {
        A "  a.bin\n",
        A " *a.bin\n",
        UPPER "  a.bin",
        A "  a.bin\r\n",
        "\r\n" A "  a.bin\r\n",
        A "  ./a.bin\n",
        "SHA256 (a.bin) = " A "\n",
        "SHA256 (a.bin) = " A "\r\n",
        B "  b.bin\n" A "  a.bin\n" B "  c.bin\n",
        "# comment\n\n" A "  a.bin\n" A " *a.bin\nSHA256 (a.bin) = " UPPER "\n",
        B "  a.bin2\n" B "  aa.bin\n" A "  a.bin\n",
    };
    static const char *const names[] = {"SHA256SUMS", "a.bin.sha256"};

    for (size_t i = 0; i < COUNT(texts); i++) {
        for (size_t j = 0; j < COUNT(names); j++) {
            write_text(names[j], texts[i]);
            assert_found("a.bin", 'A');
            remove_file(names[j]);
        }
    }
}

static void a_bare_digest_is_of_the_one_file(void **state)
{
    (void)state;

    write_text("a.bin.sha256", A "\n");
    assert_found("a.bin", 'A');
    write_text("a.bin.sha256", A);
    assert_found("a.bin", 'A');
    write_text("a.bin.sha256", A "\r\n");
    assert_found("a.bin", 'A');
    remove_file("a.bin.sha256");
    write_text("SHA256SUMS", A "\n");
    assert_refused("a.bin", -ENOENT, "SHA256SUMS: no SHA-256 of a.bin in it");
    remove_file("SHA256SUMS");
}

/* `sha256sum build/a.bin >build/a.bin.sha256` writes it; in SHA256SUMS it is another file. */
static void names_with_folders(void **state)
{
    (void)state;

    write_text("a.bin.sha256", A "  build/a.bin\n");
    assert_found("a.bin", 'A');
    write_text("a.bin.sha256", "SHA256 (/srv/build/a.bin) = " A "\n");
    assert_found("a.bin", 'A');
    write_text("a.bin.sha256", A "  build/b.bin\n");
    assert_refused("a.bin", -ENOENT, "no SHA-256 of a.bin");
    remove_file("a.bin.sha256");
    write_text("SHA256SUMS", B "  build/a.bin\n");
    assert_refused("a.bin", -ENOENT, "no SHA-256 of a.bin");
    write_text("SHA256SUMS", B "  build/a.bin\n" A "  a.bin\n");
    assert_found("a.bin", 'A');
    remove_file("SHA256SUMS");
}

static void the_files_own_list_comes_first(void **state)
{
    (void)state;

    write_text("a.bin.sha256", B "\n");
    write_text("SHA256SUMS", A "  a.bin\n" A "  b.bin\n");
    assert_found("a.bin", 'B');
    assert_found("b.bin", 'A');
    write_text("a.bin.sha256", "nothing\n"); /* it is there: it is not passed over */
    assert_refused("a.bin", -ENOENT, "a.bin.sha256: no SHA-256 of a.bin in it");
    remove_file("a.bin.sha256");
    assert_found("a.bin", 'A');
    remove_file("SHA256SUMS");
    assert_refused("a.bin", -ENOENT, "no SHA-256 of a.bin beside it");
}

static void lines_that_say_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\n\n",
        A " a.bin\n",
        A "\ta.bin\n",
        A "   a.bin\n",
        A "  a.bin \n",
        A "  A.BIN\n",
        A "00  a.bin\n",
        " " A "  a.bin\n",
        "\\" A "  a.bin\n", /* escaped */
        "SHA256(a.bin)= " A "\n",
        "SHA256 (a.bin) = " A " \n",
        "SHA512 (a.bin) = " A "\n",
        "SHA256 (a.bin) = 00" A "\n",
        "MD5 (a.bin) = 00112233445566778899aabbccddeeff\n",
        "00112233445566778899aabbccddeef  a.bin\n",
        "0011223344556677889gaabbccddeeff00112233445566778899aabbccddeeff  a.bin\n",
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        write_text("SHA256SUMS", texts[i]);
        assert_refused("a.bin", -ENOENT, "no SHA-256 of a.bin");
    }
    remove_file("SHA256SUMS");
}

/* Each cut of a good line is none, and is read no further than it goes. */
static void lines_that_are_cut_off(void **state)
{
    (void)state;
    static const char *const lines[] = {A "  a.bin", "SHA256 (a.bin) = " A};

    for (size_t i = 0; i < COUNT(lines); i++) {
        for (size_t len = 0; len < strlen(lines[i]); len++) {
            write_bytes("SHA256SUMS", lines[i], len);
            assert_refused("a.bin", -ENOENT, "no SHA-256 of a.bin");
        }
    }
    write_bytes("SHA256SUMS", A "  a.bin\0\n", 74);
    assert_refused("a.bin", -ENOENT, "no SHA-256 of a.bin");
    remove_file("SHA256SUMS");
}

static void entries_that_differ(void **state)
{
    (void)state;

    write_text("SHA256SUMS", A "  a.bin\n" B "  a.bin\n");
    assert_refused("a.bin", -EBADMSG, "SHA256SUMS: several SHA-256 of a.bin, which differ");
    write_text("SHA256SUMS", B "  a.bin\n" A "  b.bin\nSHA256 (./a.bin) = " A "\n");
    assert_refused("a.bin", -EBADMSG, "which differ");
    assert_found("b.bin", 'A');
    remove_file("SHA256SUMS");
    write_text("a.bin.sha256", A "\n" B "\n");
    assert_refused("a.bin", -EBADMSG, "a.bin.sha256: several");
    remove_file("a.bin.sha256");
}

/* An escape is an URL's. */
static void names_of_paths_are_themselves(void **state)
{
    (void)state;

    write_text("SHA256SUMS",
               A "  a%20b.bin\n" B "  a b.bin\nSHA256 (c) = d) = " A "\n" A "  a?b#c\n");
    assert_found("a%20b.bin", 'A');
    assert_found("a b.bin", 'B');
    assert_found("c) = d", 'A');
    assert_found("a?b#c", 'A');
    assert_refused("x\x1b[2J", -ENOENT, "no SHA-256 of x\\x1b[2J in it");
    remove_file("SHA256SUMS");
}

static void up_to_a_mebibyte(void **state)
{
    (void)state;
    const size_t most = (size_t)1024 * 1024;
    char *text = malloc(most + 1);

    memset(text, '\n', most + 1);
    memcpy(text + most - strlen(A "  a.bin"), A "  a.bin", strlen(A "  a.bin"));
    write_bytes("SHA256SUMS", text, most);
    assert_found("a.bin", 'A');
    write_bytes("SHA256SUMS", text, most + 1);
    assert_refused("a.bin", -EFBIG, "SHA256SUMS: too long");
    free(text);
    remove_file("SHA256SUMS");
}

static void what_has_no_neighbours(void **state)
{
    (void)state;
    static const char *const places[] = {"-",
                                         "",
                                         "/",
                                         "folder/",
                                         "http://h",
                                         "http://u:secret@h",
                                         "https://",
                                         "http://h?x/y",
                                         "http://h/?x",
                                         "HTTP://h/a/#b",
                                         "ftp://u:secret@h/x",
                                         "http:/u:secret@h/x"};

    for (size_t i = 0; i < COUNT(places); i++) {
        struct hosted_fault fault;
        uint8_t digest[32];

        assert_int_equal(hosted_sums_find(places[i], NULL, digest, &fault), -EINVAL);
        assert_int_equal(fault.status, HOSTED_USAGE);
        assert_null(strstr(fault.text, "secret"));
    }
}

/* A folder, and a file that nobody may read, are no reason to look elsewhere. */
static void what_cannot_be_read(void **state)
{
    (void)state;
    struct hosted_fault fault;
    char path[256];

    path_of(path, "a.bin.sha256");
    assert_int_equal(mkdir(path, 0755), 0);
    write_text("SHA256SUMS", A "  a.bin\n");
    assert_int_equal(find("a.bin", &fault), -EISDIR);
    assert_int_equal(fault.status, HOSTED_LOCAL);
    assert_int_equal(rmdir(path), 0);
    remove_file("SHA256SUMS");
}

static void a_path_without_a_folder(void **state)
{
    (void)state;
    uint8_t digest[32];
    char *before = getcwd(NULL, 0);

    assert_int_equal(chdir(s_folder), 0);
    write_text("SHA256SUMS", A "  a.bin\n");
    assert_int_equal(hosted_sums_find("a.bin", NULL, digest, NULL), 0);
    assert_int_equal(hosted_sums_find("b.bin", NULL, digest, NULL), -ENOENT);
    remove_file("SHA256SUMS");
    assert_int_equal(chdir(before), 0);
    free(before);
}

/* Over HTTP */

struct page {
    const char *target; /* of the request, with its query */
    const char *body;
};

struct server {
    int listener, port;
    pthread_t thread;
    const struct page *pages; /* ended by a target of NULL; what is none of them is a 404 */
    char asked[2048];         /* the targets, each with a blank behind it */
};

static void answer(struct server *server, int peer)
{
    char request[2048] = "", target[512] = "", reply[2048];
    size_t have = 0;
    ssize_t got = 1;

    while (got > 0 && strstr(request, "\r\n\r\n") == NULL) {
        got = read(peer, request + have, sizeof(request) - 1 - have);
        have += got > 0 ? (size_t)got : 0;
        request[have] = '\0';
    }
    if (sscanf(request, "GET %511s ", target) != 1)
        return;
    strcat(strcat(server->asked, target), " ");
    snprintf(reply, sizeof(reply),
             "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
             "Connection: close\r\n\r\n");
    for (const struct page *page = server->pages; page->target != NULL; page++) {
        if (strcmp(page->target, target) == 0)
            snprintf(reply, sizeof(reply),
                     "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                     strlen(page->body), page->body);
    }
    send(peer, reply, strlen(reply), MSG_NOSIGNAL);
}

static void *serve(void *ctx)
{
    struct server *server = ctx;
    int peer;

    while ((peer = accept(server->listener, NULL, NULL)) >= 0) {
        answer(server, peer);
        close(peer);
    }
    return NULL;
}

static void server_start(struct server *server, const struct page *pages)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    *server = (struct server){.pages = pages};
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0)
        abort();
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
}

struct web_case {
    const char *path; /* of the image */
    int result;       /* 'A', 'B' or -errno */
    const char *asked;
    struct page pages[3];
};

static void beside_a_url(void **state)
{
    (void)state;
    static const struct web_case cases[] = {
        {"/fw/a.bin", 'A', "/fw/a.bin.sha256 ", {{"/fw/a.bin.sha256", A "\n"}}},
        {"/fw/a.bin", 'B', "/fw/a.bin.sha256 /fw/SHA256SUMS ", {{"/fw/SHA256SUMS", B "  a.bin\n"}}},
        {"/a.bin?t=1/2#x", 'A', "/a.bin.sha256?t=1/2 ", {{"/a.bin.sha256?t=1/2", A "  a.bin"}}},
        {"/a.bin?t=1",
         'A',
         "/a.bin.sha256?t=1 /SHA256SUMS?t=1 ",
         {{"/SHA256SUMS?t=1", A "  a.bin\n"}, {"/SHA256SUMS", B "  a.bin\n"}}},
        {"/my%20fw/a%20b%2b.bin",
         'A',
         "/my%20fw/a%20b%2b.bin.sha256 /my%20fw/SHA256SUMS ",
         {{"/my%20fw/SHA256SUMS", B "  a%20b%2b.bin\n" A "  a b+.bin\n"}}},
        {"/a%2.bin", 'A', "/a%2.bin.sha256 ", {{"/a%2.bin.sha256", A "  a%2.bin"}}},
        {"/a%2fb", -ENOENT, "/a%2fb.sha256 /SHA256SUMS ", {{"/SHA256SUMS", A "  b\n"}}},
        {"/a%00b", -ENOENT, "/a%00b.sha256 /SHA256SUMS ", {{"/SHA256SUMS", A "  a\n"}}},
        {"/a.bin", -ENOENT, "/a.bin.sha256 /SHA256SUMS ", {{NULL, NULL}}},
        {"/a.bin", -ENOENT, "/a.bin.sha256 ", {{"/a.bin.sha256", "<html>hello</html>"}}},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct server server;
        struct hosted_fault fault = {.text = ""};
        char url[512];
        uint8_t digest[32];

        server_start(&server, cases[i].pages);
        snprintf(url, sizeof(url), "http://u:secret@127.0.0.1:%d%s", server.port, cases[i].path);

        const int err = hosted_sums_find(url, NULL, digest, &fault);

        server_stop(&server);
        print_message("    %s: %s\n", cases[i].path, fault.text);
        assert_string_equal(server.asked, cases[i].asked);
        assert_int_equal(err, cases[i].result < 0 ? cases[i].result : 0);
        if (err == 0) {
            assert_int_equal(digest[0], cases[i].result == 'A' ? 0 : 0xff);
            assert_string_equal(fault.text, ""); /* written on failure only */
        } else {
            assert_int_equal(fault.status, HOSTED_IMAGE);
        }
        assert_null(strstr(fault.text, "secret"));
    }
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(s_folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(s_folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_forms_of_both_files),
        cmocka_unit_test(a_bare_digest_is_of_the_one_file),
        cmocka_unit_test(names_with_folders),
        cmocka_unit_test(the_files_own_list_comes_first),
        cmocka_unit_test(lines_that_say_nothing),
        cmocka_unit_test(lines_that_are_cut_off),
        cmocka_unit_test(entries_that_differ),
        cmocka_unit_test(names_of_paths_are_themselves),
        cmocka_unit_test(up_to_a_mebibyte),
        cmocka_unit_test(what_has_no_neighbours),
        cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(a_path_without_a_folder),
        cmocka_unit_test(beside_a_url),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
