/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two method calls in the D-Bus protocol (dbus.freedesktop.org/doc/dbus-specification.html), said
 * here by hand: libsystemd takes 1.6 MB of memory for them, and is not wherever a logind is.
 */
#include "inhibit.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cancel.h"
#include "link.h"

#define DEFAULT_BUS "/run/dbus/system_bus_socket"
#define TIMEOUT_MS  2000

#define LONGEST_REQUEST 1024
#define LONGEST_MESSAGE 4096 /* from the bus; the two replies have some 100 bytes */

/* Message types, flags and header fields of the specification. */
enum { METHOD_CALL = 1, METHOD_RETURN = 2, ERROR = 3 };
enum { NO_AUTO_START = 2 };
enum { PATH = 1, INTERFACE = 2, MEMBER = 3, DESTINATION = 6, SIGNATURE = 8 };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_ORDER 'l'
#else
#define NATIVE_ORDER 'B'
#endif

/* What is sent: all of it at once. */
struct request {
    uint8_t bytes[LONGEST_REQUEST];
    size_t len;
    size_t start; /* of the message that is being written: alignment counts from there */
    bool too_long;
};

static void put(struct request *request, const void *data, size_t len)
{
    if (len > sizeof(request->bytes) - request->len) {
        request->too_long = true;
        return;
    }
    memcpy(request->bytes + request->len, data, len);
    request->len += len;
}

static void put_byte(struct request *request, uint8_t byte)
{
    put(request, &byte, 1);
}

static void align(struct request *request, size_t unit)
{
    while ((request->len - request->start) % unit != 0 && !request->too_long)
        put_byte(request, 0);
}

static void put_u32(struct request *request, size_t value)
{
    const uint32_t u32 = (uint32_t)value;

    align(request, 4);
    put(request, &u32, sizeof(u32));
}

static void put_string(struct request *request, const char *text)
{
    put_u32(request, strlen(text));
    put(request, text, strlen(text) + 1);
}

/* `type` is that of the value: 's'tring, 'o'bject path or si'g'nature. */
static void put_field(struct request *request, uint8_t field, char type, const char *text)
{
    align(request, 8);
    put_byte(request, field);
    put(request, (const char[]){1, type, 0}, 3);
    if (type != 'g') {
        put_string(request, text);
        return;
    }
    put_byte(request, (uint8_t)strlen(text));
    put(request, text, strlen(text) + 1);
}

struct call {
    const char *destination, *path, *interface, *member;
    const char *signature;
    const char *arguments[4]; /* strings alone; ends with NULL, or is full */
};

static void put_arguments(struct request *request, const struct call *call)
{
    for (size_t i = 0; i < 4 && call->arguments[i] != NULL; i++)
        put_string(request, call->arguments[i]);
}

static size_t body_bytes(const struct call *call)
{
    struct request body = {0};

    put_arguments(&body, call);
    return body.len;
}

static size_t put_fields(struct request *request, const struct call *call)
{
    const size_t start = request->len;

    put_field(request, PATH, 'o', call->path);
    put_field(request, INTERFACE, 's', call->interface);
    put_field(request, MEMBER, 's', call->member);
    put_field(request, DESTINATION, 's', call->destination);
    if (call->signature != NULL)
        put_field(request, SIGNATURE, 'g', call->signature);
    return request->len - start;
}

static void put_call(struct request *request, uint32_t serial, const struct call *call)
{
    request->start = request->len;
    put(request, (const uint8_t[]){NATIVE_ORDER, METHOD_CALL, NO_AUTO_START, 1}, 4);
    put_u32(request, body_bytes(call));
    put_u32(request, serial);

    const size_t at = request->len;

    put_u32(request, 0);
    const uint32_t fields = (uint32_t)put_fields(request, call);

    if (!request->too_long)
        memcpy(request->bytes + at, &fields, sizeof(fields));
    align(request, 8);
    put_arguments(request, call);
}

/* Who we are by our user id, as hexadecimal digits of its decimal ones; and that descriptors are
 * welcome. The bus takes the rest of the request once it has agreed. */
static void put_greeting(struct request *request)
{
    char id[12], text[96];
    int len = snprintf(text, sizeof(text), "%cAUTH EXTERNAL ", '\0');

    snprintf(id, sizeof(id), "%u", (unsigned)geteuid());
    for (const char *digit = id; *digit != '\0'; digit++)
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%02x", (unsigned)*digit);
    len += snprintf(text + len, sizeof(text) - (size_t)len, "\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n");
    put(request, text, (size_t)len);
}

/* The first address of $DBUS_SYSTEM_BUS_ADDRESS, if it is "unix:path=", with its %xx. */
static bool find_bus(char *ret, size_t size)
{
    static const char kind[] = "unix:path=";
    const char *from = getenv("DBUS_SYSTEM_BUS_ADDRESS");
    size_t len = 0;

    if (from == NULL || *from == '\0')
        from = "unix:path=" DEFAULT_BUS;
    if (strncmp(from, kind, strlen(kind)) != 0)
        return false;
    for (from += strlen(kind); *from != '\0' && *from != ',' && *from != ';'; from++) {
        unsigned value = (unsigned char)*from;

        if (*from == '%' && sscanf(from + 1, "%2x", &value) == 1 && from[1] != '\0' &&
            from[2] != '\0')
            from += 2;
        if (len + 1 >= size)
            return false;
        ret[len++] = (char)value;
    }
    ret[len] = '\0';
    return true;
}

/* At once: a bus that has no time for us has none for a lock. */
static int connect_bus(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!find_bus(address.sun_path, sizeof(address.sun_path)))
        return -EAFNOSUPPORT;

    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        const int err = -errno;

        close(fd);
        return err;
    }
    return fd;
}

static int send_request(int fd, const char *who)
{
    static const struct call hello = {
        .destination = "org.freedesktop.DBus",
        .path = "/org/freedesktop/DBus",
        .interface = "org.freedesktop.DBus",
        .member = "Hello",
    };
    const struct call inhibit = {
        .destination = "org.freedesktop.login1",
        .path = "/org/freedesktop/login1",
        .interface = "org.freedesktop.login1.Manager",
        .member = "Inhibit",
        .signature = "ssss",
        .arguments = {"sleep:shutdown", who, "Firmware update of the ESP32", "block"},
    };
    struct request request = {0};

    put_greeting(&request);
    put_call(&request, 1, &hello);
    put_call(&request, 2, &inhibit);
    if (request.too_long)
        return -EMSGSIZE;

    const ssize_t sent = send(fd, request.bytes, request.len, MSG_NOSIGNAL);

    return sent == (ssize_t)request.len ? 0 : sent < 0 ? -errno : -EIO;
}

/* What comes back. */
struct answer {
    int fd;
    int lock; /* the last descriptor that came, -1 before */
    uint8_t bytes[LONGEST_MESSAGE];
    size_t len;
};

static void keep_lock(struct answer *answer, struct msghdr *header)
{
    const struct cmsghdr *control = CMSG_FIRSTHDR(header);

    if (control == NULL || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
        return;
    if (answer->lock >= 0)
        close(answer->lock);
    memcpy(&answer->lock, CMSG_DATA(control), sizeof(answer->lock));
}

static int receive(struct answer *answer, int64_t deadline_ms, const struct hosted_cancel *cancel)
{
    char control[CMSG_SPACE(sizeof(int))]; /* for one: the kernel closes others */
    struct iovec part = {answer->bytes + answer->len, sizeof(answer->bytes) - answer->len};
    struct msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = CMSG_LEN(sizeof(int)),
    };
    const int err = cancel_wait_fd(cancel, answer->fd, POLLIN, deadline_ms);

    if (err < 0)
        return err;
    if (part.iov_len == 0)
        return -EMSGSIZE;

    const ssize_t got = recvmsg(answer->fd, &header, MSG_CMSG_CLOEXEC);

    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (got == 0)
        return -ECONNRESET;
    answer->len += (size_t)got;
    keep_lock(answer, &header);
    return 0;
}

static void drop(struct answer *answer, size_t len)
{
    answer->len -= len;
    memmove(answer->bytes, answer->bytes + len, answer->len);
}

/* A line of the greeting: 0, -EAGAIN while it is not whole, -EACCES if we are not welcome. */
static int take_line(struct answer *answer)
{
    const uint8_t *end = memchr(answer->bytes, '\n', answer->len);
    const size_t len = end != NULL ? (size_t)(end - answer->bytes) + 1 : 0;

    if (end == NULL)
        return -EAGAIN;
    const bool agreed =
        memcmp(answer->bytes, "OK ", 3) == 0 || memcmp(answer->bytes, "AGREE", 5) == 0;

    drop(answer, len);
    return agreed ? 0 : -EACCES;
}

/* A message: its type, or -EAGAIN while it is not whole. */
static int take_message(struct answer *answer)
{
    uint32_t body, fields;

    if (answer->len < 16)
        return -EAGAIN;
    memcpy(&body, answer->bytes + 4, sizeof(body));
    memcpy(&fields, answer->bytes + 12, sizeof(fields));
    if (answer->bytes[0] != NATIVE_ORDER || body > LONGEST_MESSAGE || fields > LONGEST_MESSAGE)
        return -EPROTO;

    const size_t len = 16 + (((size_t)fields + 7) & ~(size_t)7) + body;
    const int type = answer->bytes[1];

    if (answer->len < len)
        return -EAGAIN;
    drop(answer, len);
    return type;
}

/* The next one of the two lines and two replies that come, in this order; signals may come between
 * the replies. 0 once all are there. */
static int take_step(struct answer *answer, unsigned *steps)
{
    const int taken = *steps < 2 ? take_line(answer) : take_message(answer);

    if (taken < 0)
        return taken;
    if (taken == ERROR)
        return -EACCES;
    if (*steps < 2 || taken == METHOD_RETURN)
        ++*steps;
    return *steps == 4 ? 0 : 1;
}

static int await_lock(struct answer *answer, const struct hosted_cancel *cancel)
{
    const int64_t deadline_ms = clock_ms() + TIMEOUT_MS;
    unsigned steps = 0;
    int err;

    while ((err = take_step(answer, &steps)) != 0) {
        if (err == -EAGAIN)
            err = receive(answer, deadline_ms, cancel);
        if (err < 0)
            return err;
    }
    return answer->lock >= 0 ? 0 : -EPROTO;
}

int cli_inhibit(const char *who, const struct hosted_cancel *cancel)
{
    struct answer answer = {.fd = connect_bus(), .lock = -1};
    int err;

    if (answer.fd < 0)
        return answer.fd;
    err = send_request(answer.fd, who);
    if (err == 0)
        err = await_lock(&answer, cancel);
    close(answer.fd);
    if (err < 0 && answer.lock >= 0)
        close(answer.lock);
    return err < 0 ? err : answer.lock;
}
