/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device-lives: the real device code, life after life, each a fork of a process in which nothing of
 * it has run yet. So a reset costs 0.1 ms, and a copy of a running device can lose its power at the
 * next flash operation while the device itself waits there for its next turn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "life.h"

static void live(const struct kind *kind, const struct command *start)
{
    const pid_t child = fork();
    int status = -1;

    if (child == 0)
        life_run(kind, start);
    if (child > 0 && waitpid(child, &status, 0) == child && status == 0)
        return;

    const struct answer crashed = {.kind = ANSWER_CRASHED, .reason = (uint32_t)status};

    channel_answer(&crashed);
}

int main(int argc, char **argv)
{
    struct command command;

    if (argc != 6) {
        fprintf(stderr, "usage: device-lives MEMFD FLASH_BYTES stock|extended classic|ctrl "
                        "plain|rollback\n");
        return 2;
    }

    const struct kind kind = {
        .flash_bytes = (uint32_t)strtoul(argv[2], NULL, 0),
        .stock = strcmp(argv[3], "stock") == 0,
        .dialect = strcmp(argv[4], "ctrl") == 0 ? DIALECT_CTRL : DIALECT_CLASSIC,
        .rollback = strcmp(argv[5], "rollback") == 0,
    };

    if (channel_open((int)strtol(argv[1], NULL, 10), kind.flash_bytes) < 0)
        return 1;
    while (channel_next(&command)) {
        if (command.verb != VERB_START)
            return 1;
        live(&kind, &command);
    }
    return 0;
}
