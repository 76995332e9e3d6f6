/* SPDX-License-Identifier: Apache-2.0 */
#include "kept_dialect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

static void keep_now(const char *path)
{
    struct kept_mark mark;

    kept_dialect_mark(path, &mark);
    kept_dialect_keep_ctrl(path, &mark);
}

#define NOBODY 65534

/* A /run of the test's own, and a control device as esp-hostedd makes it: a link to a pty. */
struct setup {
    char run[64];
    char folder[96];
    char control[96];
    int master;
    char node[64];
};

static int start(void **state)
{
    struct setup *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return -1;
    *state = s;
    strcpy(s->run, "/tmp/test_kept_dialect.XXXXXX");
    if (mkdtemp(s->run) == NULL || chmod(s->run, 0755) < 0)
        return -1;
    snprintf(s->folder, sizeof(s->folder), "%s/esp-hosted-ota", s->run);
    snprintf(s->control, sizeof(s->control), "%s/esps0", s->run);
    s->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (s->master < 0 || unlockpt(s->master) < 0 ||
        ptsname_r(s->master, s->node, sizeof(s->node)) != 0 || symlink(s->node, s->control) < 0)
        return -1;
    return setenv("ESP_HOSTED_RUN", s->run, 1);
}

static void remove_all(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        closedir(dir);
    rmdir(path);
}

static int stop(void **state)
{
    struct setup *s = *state;

    close(s->master);
    remove_all(s->folder);
    remove_all(s->run);
    free(s);
    return 0;
}

/* The one file that is in the folder. */
static void find_answer(const struct setup *s, char *ret, size_t size)
{
    DIR *dir = opendir(s->folder);
    const struct dirent *entry;
    unsigned files = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        files++;
        assert_true(snprintf(ret, size, "%s/%s", s->folder, entry->d_name) < (int)size);
    }
    closedir(dir);
    assert_int_equal(files, 1);
}

/* abort() tells static analysis that cmocka's assertion does not come back. */
static FILE *open_file(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);

    if (file == NULL) {
        fail_msg("%s: %s", path, strerror(errno));
        abort();
    }
    return file;
}

static size_t read_file(const char *path, char *ret, size_t size)
{
    FILE *file = open_file(path, "re");
    const size_t len = fread(ret, 1, size, file);

    fclose(file);
    return len;
}

static void write_file(const char *path, const char *data, size_t len)
{
    FILE *file = open_file(path, "we");

    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static struct timespec ctime_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_ctim;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Runs `what` as a user without rights, and gives what it returned. */
static bool as_nobody(const struct setup *s, bool (*what)(const struct setup *))
{
    const pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
            _exit(2);
        _exit(what(s) ? 1 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 1;
}

static bool ask(const struct setup *s)
{
    return kept_dialect_is_ctrl(s->control);
}

static bool keep(const struct setup *s)
{
    keep_now(s->control);
    return kept_dialect_is_ctrl(s->control);
}

static bool forget(const struct setup *s)
{
    kept_dialect_forget(s->control);
    return kept_dialect_is_ctrl(s->control);
}

static void what_was_found_is_kept_until_it_is_forgotten(void **state)
{
    const struct setup *s = *state;

    assert_false(ask(s));
    for (int i = 0; i < 3; i++) {
        assert_true(keep(s));
        assert_true(keep(s));
        assert_true(kept_dialect_is_ctrl(s->node)); /* by whatever name */
        assert_false(forget(s));
        assert_false(forget(s));
        assert_false(kept_dialect_is_ctrl(s->node));
    }
}

static void it_is_one_small_file_that_all_may_read(void **state)
{
    const struct setup *s = *state;
    const mode_t before = umask(0077);
    char path[PATH_MAX];
    struct stat st;

    keep(s);
    keep(s);
    umask(before);
    assert_int_equal(stat(s->folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    find_answer(s, path, sizeof(path));
    assert_non_null(strstr(path, "%2Fdev%2Fpts%2F"));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0644);
    assert_true(st.st_size < 256);
}

/* Else it would be found out anew for every command. */
static void use_of_the_device_leaves_it_valid(void **state)
{
    const struct setup *s = *state;
    struct termios mode;
    char byte;

    keep(s);
    for (int i = 0; i < 2; i++) {
        const int fd = open(s->control, O_RDWR | O_NOCTTY);

        assert_true(fd >= 0);
        assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
        assert_int_equal(tcgetattr(fd, &mode), 0);
        cfmakeraw(&mode);
        assert_int_equal(tcsetattr(fd, TCSAFLUSH, &mode), 0);
        assert_int_equal(write(fd, "x", 1), 1);
        assert_int_equal(read(s->master, &byte, 1), 1);
        assert_int_equal(write(s->master, "y", 1), 1);
        assert_int_equal(read(fd, &byte, 1), 1);
        assert_int_equal(tcflush(fd, TCIOFLUSH), 0);
        close(fd);
        assert_int_equal(tcsetattr(s->master, TCSAFLUSH, &mode), 0);
        assert_true(ask(s));
    }
}

static void it_says_nothing_about_another_device(void **state)
{
    const struct setup *s = *state;
    const int other = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char node[64];

    assert_true(other >= 0);
    assert_int_equal(unlockpt(other), 0);
    assert_int_equal(ptsname_r(other, node, sizeof(node)), 0);
    keep(s);
    assert_false(kept_dialect_is_ctrl(node));
    kept_dialect_forget(node);
    assert_true(ask(s));

    /* The link may be put elsewhere. */
    assert_int_equal(unlink(s->control), 0);
    assert_int_equal(symlink(node, s->control), 0);
    assert_false(ask(s));
    close(other);
}

static void make_node(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    assert_true(fd >= 0);
    close(fd);
}

/* Often it gets the same inode; a plain file serves, as a test can make no character device. */
/* The ESP32 starts anew between the question and the keeping of its answer. */
static void what_changes_meanwhile_outdates_it(void **state)
{
    const struct setup *s = *state;
    struct kept_mark mark;

    kept_dialect_mark(s->control, &mark);
    kept_dialect_forget(s->control);
    kept_dialect_keep_ctrl(s->control, &mark);
    assert_false(kept_dialect_is_ctrl(s->control));
}

static void a_node_made_anew_is_another_one(void **state)
{
    const struct setup *s = *state;
    struct timespec made;
    char node[96];

    snprintf(node, sizeof(node), "%s/node", s->run);
    make_node(node);
    made = ctime_of(node);
    keep_now(node);
    assert_true(kept_dialect_is_ctrl(node));
    do {
        assert_int_equal(unlink(node), 0);
        assert_false(kept_dialect_is_ctrl(node));
        keep_now(node);
        kept_dialect_forget(node); /* neither minds that it is away */
        make_node(node);
    } while (same_time(ctime_of(node), made)); /* within one tick of the kernel */
    assert_false(kept_dialect_is_ctrl(node));
}

static void a_node_that_changed_is_not_believed(void **state)
{
    const struct setup *s = *state;
    const struct timespec before = ctime_of(s->node);

    keep(s);
    do
        assert_int_equal(chmod(s->node, 0620), 0);
    while (same_time(ctime_of(s->node), before));
    assert_false(ask(s));
    assert_true(keep(s));
}

static void every_byte_of_it_counts(void **state)
{
    const struct setup *s = *state;
    char path[PATH_MAX];
    char good[256];

    keep(s);
    find_answer(s, path, sizeof(path));

    const size_t len = read_file(path, good, sizeof(good) - 1);

    for (size_t i = 0; i < len; i++) {
        char bad[sizeof(good)];

        memcpy(bad, good, len);
        bad[i] ^= 1;
        write_file(path, bad, len);
        assert_false(ask(s));
        write_file(path, good, i);
        assert_false(ask(s));
    }
    good[len] = '\n';
    write_file(path, good, len + 1);
    assert_false(ask(s));
    write_file(path, good, len);
    assert_true(ask(s));
}

static void only_root_and_oneself_are_believed(void **state)
{
    const struct setup *s = *state;
    char path[PATH_MAX];

    if (geteuid() != 0)
        skip();
    keep(s);
    assert_true(as_nobody(s, ask));
    find_answer(s, path, sizeof(path));
    assert_int_equal(chmod(path, 0664), 0);
    assert_false(ask(s));
    assert_int_equal(chmod(path, 0646), 0);
    assert_false(ask(s));
    assert_int_equal(chmod(path, 0644), 0);
    assert_true(ask(s));
    assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    assert_false(ask(s));
    assert_true(as_nobody(s, ask));
    assert_true(keep(s)); /* and root may replace it */
}

static void a_user_without_rights_keeps_nothing(void **state)
{
    const struct setup *s = *state;

    if (geteuid() != 0)
        skip();
    assert_false(as_nobody(s, keep));
    assert_int_equal(mkdir(s->folder, 0755), 0);
    assert_false(as_nobody(s, keep));
    assert_int_equal(chown(s->folder, NOBODY, NOBODY), 0);
    assert_true(as_nobody(s, keep));
    assert_false(ask(s));
}

/* As tmpfiles.d makes it: each member keeps for himself, and root for all. */
static void members_of_the_folders_group_do_not_fool_others(void **state)
{
    const struct setup *s = *state;
    char path[PATH_MAX];

    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir(s->folder, 0755), 0);
    assert_int_equal(chown(s->folder, 0, NOBODY), 0);
    assert_int_equal(chmod(s->folder, 0775), 0);
    assert_true(as_nobody(s, keep));
    assert_false(ask(s));
    find_answer(s, path, sizeof(path));
    assert_int_equal(chown(path, NOBODY + 1, NOBODY), 0); /* another member's */
    assert_false(as_nobody(s, ask));
    assert_true(as_nobody(s, keep));
    assert_true(keep(s));
    assert_true(as_nobody(s, ask));
    assert_false(as_nobody(s, forget));
    assert_false(ask(s));
}

/* Root's answer, and a driver that runs as another user. */
static void the_owner_of_the_node_outdates_what_it_may_not_remove(void **state)
{
    const struct setup *s = *state;
    char path[PATH_MAX];

    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(s->node, 0, 0), 0);
    assert_int_equal(chmod(s->node, 0600), 0);
    keep(s);
    assert_true(as_nobody(s, forget)); /* a stranger does not */
    assert_true(ask(s));

    for (int i = 0; i < 3; i++) {
        assert_int_equal(chown(s->node, NOBODY, NOBODY), 0);
        assert_true(keep(s));
        assert_false(as_nobody(s, forget)); /* also right behind it */
        assert_false(ask(s));
        find_answer(s, path, sizeof(path)); /* it is there all the same */
    }

    assert_int_equal(chown(s->node, 0, NOBODY), 0); /* as udev gives it to a group */
    assert_int_equal(chmod(s->node, 0660), 0);
    assert_true(keep(s));
    assert_false(as_nobody(s, forget));
    assert_false(ask(s));
}

/* Where a container has a /run of its own. */
static void it_is_outdated_wherever_it_lies(void **state)
{
    const struct setup *s = *state;

    keep(s);
    assert_int_equal(setenv("ESP_HOSTED_RUN", "/nonexistent", 1), 0);
    forget(s);
    assert_int_equal(setenv("ESP_HOSTED_RUN", s->run, 1), 0);
    assert_false(ask(s));
}

static void no_place_to_keep_it_is_no_harm(void **state)
{
    const struct setup *s = *state;

    assert_int_equal(setenv("ESP_HOSTED_RUN", "/nonexistent", 1), 0);
    assert_false(keep(s));
    assert_false(forget(s));
    assert_int_equal(setenv("ESP_HOSTED_RUN", s->run, 1), 0);
    make_node(s->folder);
    assert_false(keep(s));
    assert_false(forget(s));
    assert_int_equal(unlink(s->folder), 0);
}

static void links_and_pipes_are_not_followed(void **state)
{
    const struct setup *s = *state;
    char path[PATH_MAX];
    char elsewhere[96];
    struct stat st;

    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", s->run);
    keep(s);
    find_answer(s, path, sizeof(path));
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    assert_false(ask(s));
    assert_int_equal(unlink(elsewhere), 0);
    assert_true(keep(s));
    assert_int_equal(lstat(elsewhere, &st), -1);
    assert_int_equal(unlink(path), 0);

    assert_int_equal(mkfifo(path, 0644), 0);
    assert_false(ask(s)); /* and does not wait for a writer */
    assert_true(keep(s));

    assert_int_equal(rename(s->folder, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, s->folder), 0);
    assert_false(ask(s));
    assert_false(keep(s));
    assert_int_equal(unlink(s->folder), 0);
    assert_int_equal(rename(elsewhere, s->folder), 0);
    assert_true(ask(s));
}

static void paths_that_look_alike_are_two(void **state)
{
    const struct setup *s = *state;
    char folder[96];
    char inner[128];
    char flat[128];

    snprintf(folder, sizeof(folder), "%s/dev", s->run);
    snprintf(inner, sizeof(inner), "%s/esps0", folder);
    snprintf(flat, sizeof(flat), "%s/dev%%2Fesps0", s->run);
    assert_int_equal(mkdir(folder, 0755), 0);
    make_node(inner);
    make_node(flat);
    keep_now(inner);
    keep_now(flat);
    assert_true(kept_dialect_is_ctrl(inner)); /* would have been overwritten */
    assert_true(kept_dialect_is_ctrl(flat));
    remove_all(folder);
}

static void a_path_too_long_for_a_file_name_is_not_kept(void **state)
{
    const struct setup *s = *state;
    char path[NAME_MAX + 96];
    bool kept = true;

    for (int extra = NAME_MAX - 64; extra < NAME_MAX; extra++) {
        snprintf(path, sizeof(path), "%s/%0*d", s->run, extra, 0);
        make_node(path);
        keep_now(path);
        assert_true(kept || !kept_dialect_is_ctrl(path));
        kept = kept_dialect_is_ctrl(path);
        kept_dialect_forget(path);
        assert_false(kept_dialect_is_ctrl(path));
    }
    assert_false(kept);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(what_was_found_is_kept_until_it_is_forgotten),
        CASE(it_is_one_small_file_that_all_may_read),
        CASE(use_of_the_device_leaves_it_valid),
        CASE(it_says_nothing_about_another_device),
        CASE(what_changes_meanwhile_outdates_it),
        CASE(a_node_made_anew_is_another_one),
        CASE(a_node_that_changed_is_not_believed),
        CASE(every_byte_of_it_counts),
        CASE(only_root_and_oneself_are_believed),
        CASE(a_user_without_rights_keeps_nothing),
        CASE(members_of_the_folders_group_do_not_fool_others),
        CASE(the_owner_of_the_node_outdates_what_it_may_not_remove),
        CASE(it_is_outdated_wherever_it_lies),
        CASE(no_place_to_keep_it_is_no_harm),
        CASE(links_and_pipes_are_not_followed),
        CASE(paths_that_look_alike_are_two),
        CASE(a_path_too_long_for_a_file_name_is_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
