/* SPDX-License-Identifier: Apache-2.0 */
/* The whole daemon, as a process between a tool and an ESP32. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "peer.h"
#include "serial_tlv.h"

static const uint8_t ask[] = "\x01\x07\x00"
                             "control\x02\x02\x00\x08\x02";
static const uint8_t ask_other[] = "\x01\x07\x00"
                                   "control\x02\x02\x00\x08\x1c";
#define ASK_BYTES (sizeof(ask) - 1)

static size_t longest_message(uint8_t *buf)
{
    const int head = serial_tlv_head("control", SERIAL_TLV_MAX_BYTES - 13, buf, 4096);

    assert_int_equal(head, 13);
    for (size_t i = 13; i < SERIAL_TLV_MAX_BYTES; i++)
        buf[i] = (uint8_t)(i % 251);
    return SERIAL_TLV_MAX_BYTES;
}

/* Both ends up, and what the daemon said of it. */
static void start(struct peer *peer)
{
    peer_listen(peer);
    peer_start_daemon(peer, NULL, NULL);
    peer_accept(peer);
    peer_wait_log(peer, "has booted", 1);
}

static void expect_message(struct peer *peer, const uint8_t *message, size_t len)
{
    const struct frame frame = peer_receive(peer, FRAME_SERIAL);

    assert_int_equal(frame.flags, 0);
    assert_int_equal(frame.length, len);
    assert_memory_equal(frame.payload, message, len);
}

/* Whatever came before it has been dealt with once this has gone there and back. */
static void round_trip(struct peer *peer, int tool)
{
    peer_write(tool, ask, ASK_BYTES);
    expect_message(peer, ask, ASK_BYTES);
    peer_send_serial(peer, "pong", 4);
    peer_expect(tool, "pong", 4);
}

static void a_message_goes_in_fragments(void **state)
{
    struct peer *peer = *state;
    uint8_t message[SERIAL_TLV_MAX_BYTES];
    const size_t len = longest_message(message);

    start(peer);
    const int tool = peer_open_control(peer);
    for (unsigned n = 0; n < 2; n++) {
        static const size_t lengths[] = {1500, 1500, 1096};
        size_t at = 0;

        peer_write(tool, message, len);
        for (unsigned i = 0; i < 3; i++) {
            const struct frame frame = peer_receive(peer, FRAME_SERIAL);

            assert_int_equal(frame.length, lengths[i]);
            assert_int_equal(frame.flags, i < 2 ? FRAME_FLAG_MORE_FRAGMENT : 0);
            assert_int_equal(frame.sequence, n);
            assert_memory_equal(frame.payload, message + at, frame.length);
            at += frame.length;
        }
    }
    close(tool);
    assert_int_equal(peer_stop_daemon(peer, SIGTERM), 0);
}

static void two_messages_in_one_write_are_two(void **state)
{
    struct peer *peer = *state;
    uint8_t both[2 * ASK_BYTES];

    start(peer);
    const int tool = peer_open_control(peer);
    memcpy(both, ask, ASK_BYTES);
    memcpy(both + ASK_BYTES, ask_other, ASK_BYTES);
    peer_write(tool, both, sizeof(both));
    expect_message(peer, ask, ASK_BYTES);
    expect_message(peer, ask_other, ASK_BYTES);
    close(tool);
}

static void a_message_in_two_writes_is_one(void **state)
{
    struct peer *peer = *state;
    uint8_t message[SERIAL_TLV_MAX_BYTES];
    size_t len = longest_message(message);

    start(peer);
    const int tool = peer_open_control(peer);
    peer_write(tool, message, 2000);
    peer_write(tool, message + 2000, len - 2000);
    while (len > 0)
        len -= peer_receive(peer, FRAME_SERIAL).length;
    round_trip(peer, tool);
    close(tool);
}

static void what_is_no_message_arrives_too(void **state)
{
    struct peer *peer = *state;

    start(peer);
    const int tool = peer_open_control(peer);
    peer_write(tool, "noise", 5);
    expect_message(peer, (const uint8_t *)"noise", 5);
    peer_write(tool, ask, ASK_BYTES - 1); /* never completed */
    expect_message(peer, ask, ASK_BYTES - 1);
    round_trip(peer, tool);
    close(tool);
}

/* As a shell does it: printf … > /dev/esps0 */
static void a_tool_may_close_right_behind_its_message(void **state)
{
    struct peer *peer = *state;

    start(peer);
    for (int i = 0; i < 20; i++) {
        const int tool = peer_open_control(peer);

        peer_write(tool, i % 2 ? ask : (const uint8_t *)"raw", i % 2 ? ASK_BYTES : 3);
        close(tool);
        expect_message(peer, i % 2 ? ask : (const uint8_t *)"raw", i % 2 ? ASK_BYTES : 3);
    }
}

static void answers_are_a_byte_stream(void **state)
{
    static uint8_t answer[3000];
    struct peer *peer = *state;

    start(peer);
    const int tool = peer_open_control(peer);
    for (size_t i = 0; i < sizeof(answer); i++)
        answer[i] = (uint8_t)i; /* every byte value: ^C, ^S, newline, 0xff */
    for (uint16_t i = 0; i < 2; i++) {
        const struct frame frame = {
            .interface_type = FRAME_SERIAL,
            .flags = i == 0 ? FRAME_FLAG_MORE_FRAGMENT : 0,
            .sequence = i,
            .length = 1500,
            .payload = answer + i * 1500,
        };

        peer_send(peer, &frame);
    }
    peer_expect(tool, answer, sizeof(answer));
    close(tool);
}

static void two_tools_may_have_it_open(void **state)
{
    struct peer *peer = *state;

    start(peer);
    const int one = peer_open_control(peer);
    const int other = peer_open_control(peer);

    round_trip(peer, one);
    close(one);
    round_trip(peer, other);
    close(other);
}

static void what_comes_while_nobody_listens_is_gone(void **state)
{
    struct peer *peer = *state;

    start(peer);
    for (unsigned i = 1; i <= 3; i++) {
        peer_send_serial(peer, "stale", 5);
        peer_wait_log(peer, "from the ESP32: 5 control bytes", i);

        const int tool = peer_open_control(peer);

        round_trip(peer, tool); /* finds "pong", and no "stale" before it */
        close(tool);
    }
}

static int has_nothing_to_read(void *ctx)
{
    struct peer *peer = ctx;
    uint8_t byte;
    const int tool = peer_open_control(peer);
    const ssize_t n = read(tool, &byte, 1);

    close(tool);
    return n < 0 && errno == EAGAIN;
}

/* A tool that gave up must not leave its answer to the next. */
static void what_a_tool_left_unread_is_gone(void **state)
{
    static const uint8_t answer[1400];
    struct peer *peer = *state;

    start(peer);
    const int tool = peer_open_control(peer);
    for (unsigned i = 0; i < 4; i++)
        peer_send_serial(peer, answer, sizeof(answer));
    peer_wait_log(peer, "1400 control bytes", 4);
    close(tool);
    peer_wait(has_nothing_to_read, peer, "an empty control device");
    const int next = peer_open_control(peer);
    round_trip(peer, next);
    close(next);
}

/* It drops what does not fit, and goes on with everything else. */
static void a_tool_that_does_not_read_stops_nothing(void **state)
{
    static const uint8_t answer[1500];
    struct peer *peer = *state;

    start(peer);
    const int tool = peer_open_control(peer);
    for (unsigned i = 0; i < 100; i++)
        peer_send_serial(peer, answer, sizeof(answer));
    peer_wait_log(peer, "nobody reads it", 1);
    peer_write(tool, ask, ASK_BYTES);
    expect_message(peer, ask, ASK_BYTES);
    close(tool);
    peer_wait(has_nothing_to_read, peer, "an empty control device");
    assert_int_equal(peer_stop_daemon(peer, SIGTERM), 0);
}

static int is_raw(void *ctx)
{
    struct termios mode;
    const int tool = peer_open_control(ctx);

    assert_int_equal(tcgetattr(tool, &mode), 0);
    close(tool);
    return (mode.c_lflag & (ICANON | ECHO | ISIG)) == 0 && (mode.c_iflag & (ICRNL | IXON)) == 0 &&
           (mode.c_oflag & OPOST) == 0;
}

static void it_is_raw_for_everyone(void **state)
{
    struct peer *peer = *state;
    struct termios mode;

    start(peer);
    assert_true(is_raw(peer));

    const int tool = peer_open_control(peer);

    assert_int_equal(tcgetattr(tool, &mode), 0);
    mode.c_lflag |= ICANON | ECHO | ISIG;
    mode.c_iflag |= ICRNL | IXON;
    mode.c_oflag |= OPOST;
    assert_int_equal(tcsetattr(tool, TCSANOW, &mode), 0);
    close(tool);
    peer_wait(is_raw, peer, "a raw control device");
}

static void it_waits_for_an_esp32_and_so_does_a_question(void **state)
{
    struct peer *peer = *state;

    peer_start_daemon(peer, NULL, NULL);
    const int tool = peer_open_control(peer);

    peer_write(tool, ask, ASK_BYTES);
    peer_wait_log(peer, "to the ESP32: 15 control bytes", 1);
    peer_listen(peer);
    peer_accept(peer);
    expect_message(peer, ask, ASK_BYTES);
    close(tool);
}

static void the_question_of_a_tool_that_left_is_dropped(void **state)
{
    struct peer *peer = *state;

    peer_start_daemon(peer, NULL, NULL);
    int tool = peer_open_control(peer);

    peer_write(tool, ask_other, ASK_BYTES);
    peer_wait_log(peer, "to the ESP32: 15 control bytes", 1);
    close(tool);
    peer_wait_log(peer, "nobody waits", 1);
    tool = peer_open_control(peer);
    peer_write(tool, ask, ASK_BYTES);
    peer_wait_log(peer, "to the ESP32: 15 control bytes", 2);
    peer_listen(peer);
    peer_accept(peer);
    expect_message(peer, ask, ASK_BYTES);
    close(tool);
}

static void a_flood_while_the_esp32_is_away_blocks_nobody(void **state)
{
    struct peer *peer = *state;
    uint8_t message[SERIAL_TLV_MAX_BYTES];
    const size_t len = longest_message(message);

    peer_start_daemon(peer, NULL, NULL);
    const int tool = peer_open_control(peer);
    for (unsigned i = 1; i <= 20; i++) {
        peer_write(tool, message, len);
        peer_wait_log(peer, "to the ESP32: 4096 control bytes", i);
    }
    close(tool);
    assert_int_equal(peer_stop_daemon(peer, SIGTERM), 0);
}

/* A busy ESP32 makes tools wait; nothing is lost. */
static void a_flood_to_a_busy_esp32_arrives(void **state)
{
    struct peer *peer = *state;
    uint8_t message[SERIAL_TLV_MAX_BYTES];
    const size_t len = longest_message(message);
    const unsigned count = 300; /* more than the socket's buffers hold */

    start(peer);
    const pid_t tool = fork();

    assert_true(tool >= 0);
    if (tool == 0) {
        const int fd = open(peer->control, O_RDWR | O_NOCTTY);

        for (unsigned i = 0; i < count; i++)
            if (write(fd, message, len) != (ssize_t)len)
                _exit(1);
        _exit(0);
    }
    for (unsigned i = 0; i < 3 * count; i++) {
        const struct frame frame = peer_receive(peer, FRAME_SERIAL);

        assert_int_equal(frame.sequence, i / 3);
        assert_memory_equal(frame.payload, message + i % 3 * 1500, frame.length);
    }
    int status;

    assert_int_equal(waitpid(tool, &status, 0), tool);
    assert_int_equal(status, 0);
}

static void it_connects_again(void **state)
{
    struct peer *peer = *state;
    char before[64] = "";
    char after[64] = "";

    start(peer);
    const int tool = peer_open_control(peer);

    assert_true(readlink(peer->control, before, sizeof(before) - 1) > 0);
    round_trip(peer, tool);
    for (unsigned i = 2; i <= 4; i++) {
        peer_close(peer);
        peer_wait_log(peer, "connection lost", i - 1);
        peer_listen(peer);
        peer_accept(peer);
        peer_wait_log(peer, "has booted", i);
        round_trip(peer, tool); /* the tool has it open all the time */
    }
    assert_true(readlink(peer->control, after, sizeof(after) - 1) > 0);
    assert_string_equal(before, after);
    close(tool);
    assert_int_equal(peer_stop_daemon(peer, SIGTERM), 0);
}

static void a_broken_frame_is_passed_over(void **state)
{
    struct peer *peer = *state;

    start(peer);
    const int tool = peer_open_control(peer);

    assert_int_equal(send(peer->connection, "what?", 5, 0), 5);
    round_trip(peer, tool);
    close(tool);
}

static void the_link_is_replaced_and_removed(void **state)
{
    struct peer *peer = *state;
    struct stat there;

    assert_int_equal(symlink("/nowhere", peer->control), 0);
    start(peer);
    close(peer_open_control(peer));
    assert_int_equal(peer_stop_daemon(peer, SIGINT), 0);
    assert_int_equal(lstat(peer->control, &there), -1);
}

static void ignore_hangup(void)
{
    signal(SIGHUP, SIG_IGN);
}

static void it_ends_at_a_hangup_but_not_under_nohup(void **state)
{
    struct peer *peer = *state;

    start(peer);
    assert_int_equal(peer_stop_daemon(peer, SIGHUP), 0);

    peer_start_daemon(peer, NULL, ignore_hangup);
    close(peer->connection);
    peer_accept(peer);
    const int tool = peer_open_control(peer);

    round_trip(peer, tool);
    assert_int_equal(kill(peer->daemon, SIGHUP), 0);
    round_trip(peer, tool);
    close(tool);
    assert_int_equal(peer_stop_daemon(peer, SIGTERM), 0);
}

static void the_link_of_another_stays(void **state)
{
    struct peer *peer = *state;
    char leads_to[64] = "";

    start(peer);
    assert_int_equal(unlink(peer->control), 0);
    assert_int_equal(symlink("/nowhere", peer->control), 0);
    assert_int_equal(peer_stop_daemon(peer, SIGTERM), 0);
    assert_true(readlink(peer->control, leads_to, sizeof(leads_to) - 1) > 0);
    assert_string_equal(leads_to, "/nowhere");
}

static void a_file_in_the_place_of_the_link_stays(void **state)
{
    struct peer *peer = *state;
    struct stat there;
    const int fd = open(peer->control, O_WRONLY | O_CREAT, 0600);

    close(fd);
    peer_start_daemon(peer, NULL, NULL);
    assert_int_equal(peer_wait_daemon(peer), 1);
    peer_wait_log(peer, "cannot make the control device", 1);
    assert_int_equal(lstat(peer->control, &there), 0);
    assert_true(S_ISREG(there.st_mode));
}

/* Runs the program to its end: its exit status, and what it printed. */
static int run(const char *const *arguments, char *output, size_t size)
{
    char *argv[10] = {(char *)"esp-hostedd"};
    size_t len = 0;
    ssize_t n;
    int ends[2];
    int status;

    for (size_t i = 0; arguments[i] != NULL; i++)
        argv[i + 1] = (char *)arguments[i];
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execv(ESP_HOSTEDD, argv);
        _exit(127);
    }
    close(ends[1]);
    while (len + 1 < size && (n = read(ends[0], output + len, size - 1 - len)) > 0)
        len += (size_t)n;
    output[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const char s_long_bus[] =
    "sim:/a/path/that/is/longer/than/the/hundred-and-eight/bytes/which/"
    "the/address/of/a/Unix/socket/has/for/it/and/its/last/NUL";

static void the_command_line_is_checked(void **state)
{
    static const struct {
        const char *arguments[8];
        int status;
        const char *says;
    } cases[] = {
        {{"--help"}, 0, "Usage: esp-hostedd"},
        {{"--version"}, 0, "esp-hostedd "},
        {{NULL}, 2, "--bus and --control are needed"},
        {{"--bus", "sim:/tmp/x"}, 2, "--bus and --control are needed"},
        {{"--bus", "spi:0", "--control", "/tmp/x"}, 2, "unknown bus"},
        {{"--bus", "sim:x", "--control", "/tmp/x", "more"}, 2, "not understood: more"},
        {{"--bus", "sim:x", "--control", "y", "--tap", "interface-name-16"}, 2, "no name"},
        {{"--bus", "sim:x", "--control", "y", "--tap", ""}, 2, "no name"},
        {{"--no-such-option"}, 2, "--help"},
        {{"--bus", "sim:x", "--control", "/no/such/folder/esps0"}, 1, "No such file"},
        {{"--bus", s_long_bus, "--control", "/tmp/x"}, 2, "too long for a socket"},
    };
    char output[4096];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(run(cases[i].arguments, output, sizeof(output)), cases[i].status);
        assert_non_null(strstr(output, cases[i].says));
    }
}

#define daemon_test(function) cmocka_unit_test_setup_teardown(function, peer_setup, peer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        daemon_test(a_message_goes_in_fragments),
        daemon_test(two_messages_in_one_write_are_two),
        daemon_test(a_message_in_two_writes_is_one),
        daemon_test(what_is_no_message_arrives_too),
        daemon_test(a_tool_may_close_right_behind_its_message),
        daemon_test(answers_are_a_byte_stream),
        daemon_test(two_tools_may_have_it_open),
        daemon_test(what_comes_while_nobody_listens_is_gone),
        daemon_test(what_a_tool_left_unread_is_gone),
        daemon_test(a_tool_that_does_not_read_stops_nothing),
        daemon_test(it_is_raw_for_everyone),
        daemon_test(it_waits_for_an_esp32_and_so_does_a_question),
        daemon_test(the_question_of_a_tool_that_left_is_dropped),
        daemon_test(a_flood_while_the_esp32_is_away_blocks_nobody),
        daemon_test(a_flood_to_a_busy_esp32_arrives),
        daemon_test(it_connects_again),
        daemon_test(a_broken_frame_is_passed_over),
        daemon_test(the_link_is_replaced_and_removed),
        daemon_test(it_ends_at_a_hangup_but_not_under_nohup),
        daemon_test(the_link_of_another_stays),
        daemon_test(a_file_in_the_place_of_the_link_stays),
        cmocka_unit_test(the_command_line_is_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
