/* SPDX-License-Identifier: Apache-2.0 */
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cancel.h"
#include "fault.h"
#include "text.h"

#define VARIABLE "ESP_HOSTED_PASSWORD"

char *password_keep(char *text)
{
    static char *kept; /* as long as the process; of several the last one counts */

    password_free(kept);
    kept = strdup(text);
    explicit_bzero(text, strlen(text));
    return kept;
}

void password_free(char *password)
{
    if (password != NULL)
        explicit_bzero(password, strlen(password));
    free(password);
}

/* One line without its newline. The terminal is in line mode: a read gives a line. */
static int read_line(int tty, const struct hosted_cancel *cancel, char *line, size_t size)
{
    const int err = cancel_wait_fd(cancel, tty, POLLIN, INT64_MAX);

    if (err < 0)
        return err;

    const ssize_t got = read(tty, line, size - 1);

    if (got < 0)
        return errno == EINTR ? -ECANCELED : -errno;
    if (got == 0)
        return -ECANCELED; /* Ctrl-D */
    line[got] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return 0;
}

static int ask(int tty, const struct cli_options *options, char *line, size_t size)
{
    char ssid[4 * HOSTED_SSID_BYTES + 1];
    struct termios before;

    if (tcgetattr(tty, &before) < 0)
        return -errno;

    struct termios silent = before;

    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ICANON;
    dprintf(tty, "Password for '%s': ",
            text_printable(ssid, sizeof(ssid), options->ssid, strlen(options->ssid)));
    if (tcsetattr(tty, TCSAFLUSH, &silent) < 0)
        return -errno;

    const int err = read_line(tty, options->device.cancel, line, size);

    tcsetattr(tty, TCSAFLUSH, &before);
    dprintf(tty, "\n");
    return err;
}

static int ask_terminal(const struct cli_context *context, char **ret, struct hosted_fault *fault)
{
    char line[256];
    const int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (tty < 0)
        return fault_set(fault, HOSTED_USAGE, -EINVAL,
                         "no password given, and no terminal to ask on: use --password (empty for "
                         "an open network) or $" VARIABLE);

    int err = ask(tty, &context->options, line, sizeof(line));

    close(tty);
    if (err == 0) {
        *ret = strdup(line);
        err = *ret != NULL ? 0 : -ENOMEM;
    }
    explicit_bzero(line, sizeof(line));
    if (err == -ECANCELED)
        return fault_set(fault, HOSTED_LOCAL, err, "interrupted at the password");
    return err < 0 ? fault_errno(fault, HOSTED_LOCAL, err, "/dev/tty") : 0;
}

int password_get(const struct cli_context *context, char **ret, struct hosted_fault *fault)
{
    const char *given = context->options.password;

    if (given == NULL)
        given = getenv(VARIABLE);
    if (given == NULL)
        return ask_terminal(context, ret, fault);
    *ret = strdup(given);
    return *ret != NULL ? 0 : fault_errno(fault, HOSTED_LOCAL, ENOMEM, "password");
}
