/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever may bring other firmware ends what tools kept about this one, before they can tell. */
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kept_dialect.h"
#include "peer.h"

static void keep_now(const char *path)
{
    struct kept_mark mark;

    kept_dialect_mark(path, &mark);
    kept_dialect_keep_ctrl(path, &mark);
}

static void start(struct peer *peer)
{
    peer_listen(peer);
    peer_start_daemon(peer, NULL, NULL);
    peer_accept(peer);
    peer_wait_log(peer, "has booted", 1);
}

/* As a tool does that has found out. */
static void keep(struct peer *peer)
{
    keep_now(peer->control);
    assert_true(kept_dialect_is_ctrl(peer->control));
}

static unsigned count_answers(const struct peer *peer)
{
    DIR *dir = opendir(peer->kept);
    const struct dirent *entry;
    unsigned count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* What the tool reads next is of the new firmware: by then nothing is believed of the old one. */
static void an_init_event_ends_it(void **state)
{
    struct peer *peer = *state;

    start(peer);
    const int tool = peer_open_control(peer);

    for (int i = 0; i < 50; i++) {
        keep(peer);
        peer_send_serial(peer, "before", 6);
        peer_expect(tool, "before", 6);
        assert_true(kept_dialect_is_ctrl(peer->control)); /* mere traffic does not */
        peer_send_init(peer);
        peer_send_serial(peer, "after", 5);
        peer_expect(tool, "after", 5);
        assert_false(kept_dialect_is_ctrl(peer->control));
    }
    close(tool);
}

static void a_lost_bus_ends_it(void **state)
{
    struct peer *peer = *state;

    start(peer);
    const int tool = peer_open_control(peer);

    for (unsigned i = 1; i <= 3; i++) {
        keep(peer);
        peer_close(peer);
        peer_wait_log(peer, "connection lost", i);
        assert_false(kept_dialect_is_ctrl(peer->control));

        /* Nor may what was found out in between outlive the new beginning. */
        keep(peer);
        peer_listen(peer);
        peer_accept(peer);
        peer_send_serial(peer, "hello", 5);
        peer_expect(tool, "hello", 5);
        assert_false(kept_dialect_is_ctrl(peer->control));
    }
    close(tool);
}

static void its_end_ends_it(void **state)
{
    struct peer *peer = *state;

    start(peer);
    close(peer_open_control(peer));
    keep(peer);
    assert_int_equal(count_answers(peer), 1);
    assert_int_equal(peer_stop_daemon(peer, SIGTERM), 0);
    assert_int_equal(count_answers(peer), 0);
    assert_false(kept_dialect_is_ctrl(peer->control));
}

static void kill_daemon(struct peer *peer)
{
    assert_int_equal(kill(peer->daemon, SIGKILL), 0);
    assert_int_equal(waitpid(peer->daemon, NULL, 0), peer->daemon);
    peer->daemon = 0;
    assert_int_equal(unlink(peer->control), 0);
}

static void read_link(struct peer *peer, char *ret, size_t size)
{
    close(peer_open_control(peer));

    const ssize_t len = readlink(peer->control, ret, size - 1);

    if (len <= 0 || (size_t)len >= size) {
        fail_msg("%s leads nowhere", peer->control);
        abort(); /* not reached: it says to static analysis that the assertion jumps away */
    }
    ret[len] = '\0';
}

/* Not by kept_dialect_forget(): the number may be somebody else's terminal by now. */
static void remove_answers(const struct peer *peer)
{
    DIR *dir = opendir(peer->kept);
    const struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    closedir(dir);
}

static void start_without_esp32(struct peer *peer)
{
    unlink(peer->log);
    peer_start_daemon(peer, NULL, NULL);
    peer_wait_log(peer, "waiting for the ESP32", 1);
}

/*
 * Killed, it leaves an answer about a terminal of which the next daemon mostly gets the number. If
 * somebody else was faster there, it is his, and the test begins anew.
 */
static void its_start_ends_what_a_predecessor_left(void **state)
{
    struct peer *peer = *state;
    char before[64];
    char after[64];

    do {
        start_without_esp32(peer);
        read_link(peer, before, sizeof(before));
        keep(peer);
        assert_int_equal(count_answers(peer), 1);
        kill_daemon(peer);
        assert_int_equal(count_answers(peer), 1);

        start_without_esp32(peer);
        read_link(peer, after, sizeof(after));
        assert_false(kept_dialect_is_ctrl(peer->control));
        if (strcmp(before, after) != 0) {
            remove_answers(peer);
            assert_int_equal(peer_stop_daemon(peer, SIGTERM), 0);
        }
    } while (strcmp(before, after) != 0);
    assert_int_equal(count_answers(peer), 0);
}

static void the_sister_firmware_is_said_once_for_every_boot(void **state)
{
    static const uint8_t event[] = "\x01\x06\x00RPCEvt\x02\x02\x00\x08\x03";
    struct peer *peer = *state;
    const struct frame frame = {
        .interface_type = 3,
        .length = sizeof(event) - 1,
        .payload = event,
    };

    start(peer);
    const int tool = peer_open_control(peer);

    for (unsigned boot = 1; boot <= 2; boot++) {
        for (int i = 0; i < 3; i++)
            peer_send(peer, &frame);
        peer_send_serial(peer, "pong", 4);
        peer_expect(tool, "pong", 4);
        peer_wait_log(peer, "esp-hosted-mcu", boot);
        assert_int_equal(peer_count_log(peer, "esp-hosted-mcu"), boot);
        peer_send_init(peer);
    }
    close(tool);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, peer_setup, peer_teardown)
    const struct CMUnitTest tests[] = {
        CASE(an_init_event_ends_it),
        CASE(a_lost_bus_ends_it),
        CASE(its_end_ends_it),
        CASE(its_start_ends_what_a_predecessor_left),
        CASE(the_sister_firmware_is_said_once_for_every_boot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
