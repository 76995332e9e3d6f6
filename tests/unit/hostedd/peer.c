/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A call that must succeed. cmocka's assertions jump away; abort() says so to static analysis. */
static int must(int rc, const char *what)
{
    if (rc < 0) {
        fail_msg("%s: %s", what, strerror(errno));
        abort();
    }
    return rc;
}

static void wait_readable(int fd, const char *what)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    if (poll(&poll_fd, 1, PEER_PATIENCE_MS) <= 0)
        fail_msg("nothing came: %s", what);
}

void peer_wait(int (*condition)(void *ctx), void *ctx, const char *what)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    const int64_t end = now_ms() + PEER_PATIENCE_MS;

    while (!condition(ctx)) {
        if (now_ms() > end)
            fail_msg("did not come to pass: %s", what);
        nanosleep(&pause, NULL);
    }
}

int peer_setup(void **state)
{
    struct peer *peer = calloc(1, sizeof(*peer));

    if (peer == NULL)
        return -1;
    strcpy(peer->folder, "/tmp/test_hostedd.XXXXXX");
    if (mkdtemp(peer->folder) == NULL) {
        free(peer);
        return -1;
    }
    snprintf(peer->bus, sizeof(peer->bus), "%s/bus", peer->folder);
    snprintf(peer->control, sizeof(peer->control), "%s/esps0", peer->folder);
    snprintf(peer->log, sizeof(peer->log), "%s/log", peer->folder);
    snprintf(peer->kept, sizeof(peer->kept), "%s/esp-hosted-ota", peer->folder);
    peer->listener = -1;
    peer->connection = -1;
    *state = peer;
    return setenv("ESP_HOSTED_RUN", peer->folder, 1);
}

int peer_teardown(void **state)
{
    struct peer *peer = *state;
    int status = 0;

    if (peer->daemon > 0) {
        kill(peer->daemon, SIGTERM);
        waitpid(peer->daemon, &status, 0);
    }
    peer_close(peer);
    unlink(peer->control);
    unlink(peer->log);
    rmdir(peer->kept);
    rmdir(peer->folder);
    free(peer);
    return status; /* a leak that a sanitizer finds at the daemon's end fails the test, too */
}

void peer_start_daemon(struct peer *peer, const char *tap, void (*prepare)(void))
{
    char bus[128];

    snprintf(bus, sizeof(bus), "sim:%s", peer->bus);
    peer->daemon = fork();
    assert_true(peer->daemon >= 0);
    if (peer->daemon > 0)
        return;

    const int log = open(peer->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (log < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(126);
    if (prepare != NULL)
        prepare();
    execl(ESP_HOSTEDD, "esp-hostedd", "--bus", bus, "--control", peer->control, "--verbose",
          tap != NULL ? "--tap" : NULL, tap, NULL);
    _exit(127);
}

static int has_ended(void *ctx)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t) * (pid_t *)ctx, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
}

int peer_wait_daemon(struct peer *peer)
{
    int status;

    peer_wait(has_ended, &peer->daemon, "the end of the daemon");
    assert_int_equal(waitpid(peer->daemon, &status, 0), peer->daemon);
    peer->daemon = 0;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int peer_stop_daemon(struct peer *peer, int signal_number)
{
    assert_int_equal(kill(peer->daemon, signal_number), 0);
    return peer_wait_daemon(peer);
}

void peer_listen(struct peer *peer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", peer->bus);
    peer->listener = must(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), "socket");
    must(bind(peer->listener, (struct sockaddr *)&address, sizeof(address)), peer->bus);
    must(listen(peer->listener, 4), "listen");
}

void peer_accept(struct peer *peer)
{
    wait_readable(peer->listener, "a connection of the daemon");
    peer->connection = must(accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC), "accept");
    peer_send_init(peer);
}

void peer_close(struct peer *peer)
{
    if (peer->connection >= 0)
        close(peer->connection);
    if (peer->listener >= 0)
        close(peer->listener);
    peer->connection = -1;
    peer->listener = -1;
    unlink(peer->bus);
}

void peer_send(struct peer *peer, const struct frame *frame)
{
    uint8_t wire[FRAME_MAX_BYTES];
    const int len = frame_build(frame, wire, sizeof(wire));

    assert_true(len > 0);
    assert_int_equal(send(peer->connection, wire, (size_t)len, MSG_NOSIGNAL), len);
}

void peer_send_init(struct peer *peer)
{
    static const uint8_t event[] = {0x00, 0x03, 0x02, 0x01, 0x00};
    const struct frame frame = {
        .interface_type = FRAME_PRIVATE,
        .length = sizeof(event),
        .payload = event,
    };

    peer_send(peer, &frame);
}

void peer_send_serial(struct peer *peer, const void *data, size_t len)
{
    const struct frame frame = {
        .interface_type = FRAME_SERIAL,
        .length = (uint16_t)len,
        .payload = data,
    };

    peer_send(peer, &frame);
}

struct frame peer_receive(struct peer *peer, enum frame_interface type)
{
    struct frame frame;

    do {
        wait_readable(peer->connection, "a frame from the daemon");
        const ssize_t n = recv(peer->connection, peer->received, sizeof(peer->received), 0);

        assert_true(n > 0 && n <= FRAME_MAX_BYTES);
        assert_int_equal(frame_parse(peer->received, (size_t)n, &frame), 0);
        assert_ptr_equal(frame.payload, peer->received + FRAME_HEADER_BYTES);
    } while (frame.interface_type != type);
    return frame;
}

static int is_there(void *ctx)
{
    return access(ctx, F_OK) == 0;
}

int peer_open_control(struct peer *peer)
{
    peer_wait(is_there, peer->control, "the control device");

    const int fd = open(peer->control, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

void peer_write(int fd, const void *data, size_t len)
{
    assert_int_equal(write(fd, data, len), len);
}

void peer_expect(int fd, const void *data, size_t len)
{
    const uint8_t *expected = data;
    uint8_t buf[4096];

    while (len > 0) {
        wait_readable(fd, "an answer on the control device");
        const ssize_t n = read(fd, buf, len < sizeof(buf) ? len : sizeof(buf));

        assert_true(n > 0);
        assert_memory_equal(buf, expected, n);
        expected += n;
        len -= (size_t)n;
    }
}

unsigned peer_count_log(const struct peer *peer, const char *text)
{
    char line[1024];
    unsigned seen = 0;
    FILE *log = fopen(peer->log, "re");

    if (log == NULL)
        return 0;
    while (fgets(line, sizeof(line), log) != NULL)
        seen += strstr(line, text) != NULL;
    fclose(log);
    return seen;
}

struct log_wait {
    const struct peer *peer;
    const char *text;
    unsigned times;
};

static int has_been_said(void *ctx)
{
    const struct log_wait *wait = ctx;

    return peer_count_log(wait->peer, wait->text) >= wait->times;
}

void peer_wait_log(struct peer *peer, const char *text, unsigned times)
{
    struct log_wait wait = {peer, text, times};

    peer_wait(has_been_said, &wait, text);
}
