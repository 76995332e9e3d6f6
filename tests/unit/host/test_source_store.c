/* SPDX-License-Identifier: Apache-2.0 */
/* A source that is read to its end into a file before anybody needs it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hosted/source.h"

/* Gives `size` bytes; the first `changes` times it finds at byte `change_at` that they changed. */
struct changing {
    struct hosted_source source;
    uint64_t size, at, change_at;
    int changes;
    int error; /* what its end is; 0: an end */
    bool closed;
};

static uint8_t byte_at(const struct changing *changing, uint64_t at)
{
    return (uint8_t)(at * 7 + at / 251 + (uint64_t)changing->changes);
}

static ssize_t changing_read(struct hosted_source *source, void *buf, size_t len,
                             struct hosted_fault *fault)
{
    struct changing *changing = (struct changing *)source;

    if (changing->changes > 0 && changing->at >= changing->change_at) {
        changing->changes--;
        changing->size -= 5000; /* of the new one: nothing of the old one must stay behind it */
        changing->at = 0;
        fault->status = HOSTED_LOCAL;
        return -ESTALE;
    }
    if (changing->at == changing->size)
        return changing->error;
    if (len > changing->size - changing->at)
        len = (size_t)(changing->size - changing->at);
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = byte_at(changing, changing->at + i);
    changing->at += len;
    return (ssize_t)len;
}

static void changing_close(struct hosted_source *source)
{
    ((struct changing *)source)->closed = true;
}

static struct changing changing_source(uint64_t size)
{
    static const struct hosted_source_ops ops = {.read = changing_read, .close = changing_close};

    return (struct changing){
        .source = {.ops = &ops, .name = "there", .size = HOSTED_SIZE_UNKNOWN},
        .size = size,
    };
}

static void assert_holds(struct hosted_source *source, const struct changing *changing)
{
    uint8_t got[5000];
    uint64_t have = 0;
    ssize_t n;

    while ((n = source->ops->read(source, got, sizeof(got), NULL)) > 0)
        for (ssize_t i = 0; i < n; i++)
            if (got[i] != byte_at(changing, have++))
                fail_msg("byte %d", (int)have - 1);
    assert_int_equal(n, 0);
    assert_int_equal(have, changing->size);
}

static void what_is_stored_is_whole(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 16384, 100001};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct changing changing = changing_source(sizes[i]);
        struct hosted_source *stored = NULL;
        struct hosted_fault fault;

        assert_int_equal(hosted_source_store(&changing.source, NULL, &stored, &fault), 0);
        assert_true(changing.closed);
        assert_true(stored->whole);
        assert_string_equal(stored->name, "there");
        assert_int_equal(stored->size, sizes[i]);
        assert_holds(stored, &changing);
        assert_int_equal(stored->ops->rewind(stored, &fault), 0);
        assert_holds(stored, &changing);
        hosted_source_close(stored);
    }
}

static void count_lines(void *ctx, const char *line)
{
    assert_non_null(strstr(line, "there: the image on the server has changed"));
    ++*(int *)ctx;
}

static void what_changes_is_fetched_again(void **state)
{
    (void)state;
    int lines = 0;
    const struct hosted_source_options options = {.log = count_lines, .log_ctx = &lines};
    struct changing changing = changing_source(45000);
    struct hosted_source *stored = NULL;
    struct hosted_fault fault;

    changing.changes = 3;
    changing.change_at = 30001;
    assert_int_equal(hosted_source_store(&changing.source, &options, &stored, &fault), 0);
    assert_int_equal(lines, 3);
    assert_holds(stored, &changing);
    hosted_source_close(stored);

    /* Not for ever. */
    changing = changing_source(40000);
    changing.changes = 4;
    stored = NULL;
    assert_int_equal(hosted_source_store(&changing.source, NULL, &stored, &fault), -ESTALE);
    assert_null(stored);
    assert_true(changing.closed);
}

static void what_no_slot_holds_is_not_stored(void **state)
{
    (void)state;
    const uint64_t largest = 16 << 20;
    struct changing changing = changing_source(largest + 1);
    struct hosted_source *stored = NULL;
    struct hosted_fault fault;

    assert_int_equal(hosted_source_store(&changing.source, NULL, &stored, &fault), -EFBIG);
    assert_int_equal(fault.status, HOSTED_IMAGE);
    assert_string_equal(fault.text, "there: larger than any slot");
    assert_true(changing.closed);

    changing = changing_source(largest + 1);
    changing.source.size = largest + 1;
    assert_int_equal(hosted_source_store(&changing.source, NULL, &stored, &fault), -EFBIG);
    assert_int_equal(changing.at, 0); /* its length had said it */
    assert_null(stored);

    changing = changing_source(largest);
    assert_int_equal(hosted_source_store(&changing.source, NULL, &stored, &fault), 0);
    hosted_source_close(stored);
}

static void a_source_that_fails_leaves_nothing(void **state)
{
    (void)state;
    struct changing changing = changing_source(5000);
    struct hosted_source *stored = NULL;
    struct hosted_fault fault;

    changing.error = -EIO;
    assert_int_equal(hosted_source_store(&changing.source, NULL, &stored, &fault), -EIO);
    assert_null(stored);
    assert_true(changing.closed);
}

static void a_folder_that_is_none_is_named(void **state)
{
    (void)state;
    struct changing changing = changing_source(5000);
    struct hosted_source *stored = NULL;
    struct hosted_fault fault;

    setenv("TMPDIR", "/nonexistent/folder", 1);
    assert_int_equal(hosted_source_store(&changing.source, NULL, &stored, &fault), -ENOENT);
    unsetenv("TMPDIR");
    assert_int_equal(fault.status, HOSTED_LOCAL);
    assert_string_equal(fault.text, "/nonexistent/folder: cannot hold there: No such file or "
                                    "directory; set $TMPDIR to another folder");
    assert_true(changing.closed);
}

static void what_is_whole_stays_as_it_is(void **state)
{
    (void)state;
    struct hosted_source *source = NULL;
    struct hosted_source *stored = NULL;

    assert_int_equal(hosted_source_open("/proc/self/exe", NULL, &source, NULL), 0);
    assert_int_equal(hosted_source_store(source, NULL, &stored, NULL), 0);
    assert_ptr_equal(stored, source);
    hosted_source_close(stored);
}

/* In a file system of its own that holds 64 KiB; 0: as it should be. 77: no right to
 * make one. */
static int in_a_small_folder(const char *folder, uint64_t size)
{
    struct changing changing = changing_source(size);
    struct hosted_source *stored = NULL;
    struct hosted_fault fault = {0};

    if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", folder, "tmpfs", 0, "size=64k") < 0)
        return 77;
    setenv("TMPDIR", folder, 1);

    const int err = hosted_source_store(&changing.source, NULL, &stored, &fault);

    if (size <= 40000)
        return err == 0 ? 0 : 1;
    if (err != -ENOSPC || fault.status != HOSTED_LOCAL || strstr(fault.text, folder) == NULL ||
        strstr(fault.text, "No space left") == NULL)
        return 1;
    return 0;
}

static void a_full_folder_is_named(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {40000, 100000};
    char folder[] = "/tmp/store-XXXXXX";

    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const pid_t child = fork();
        int status = 0;

        if (child == 0)
            _exit(in_a_small_folder(folder, sizes[i]));
        assert_int_equal(waitpid(child, &status, 0), child);
        if (status != 0)
            rmdir(folder);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            skip();
        assert_int_equal(status, 0);
    }
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stored_is_whole),
        cmocka_unit_test(what_changes_is_fetched_again),
        cmocka_unit_test(what_no_slot_holds_is_not_stored),
        cmocka_unit_test(a_source_that_fails_leaves_nothing),
        cmocka_unit_test(a_folder_that_is_none_is_named),
        cmocka_unit_test(what_is_whole_stays_as_it_is),
        cmocka_unit_test(a_full_folder_is_named),
    };

    unsetenv("TMPDIR");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
