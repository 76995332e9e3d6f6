/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCRIPTED_SERVER_H
#define SCRIPTED_SERVER_H
/* A web server that says exactly what a case has it say, and keeps what it was asked. */
#include <pthread.h>
#include <stddef.h>

#include "hosted/source.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One connection each, in order; then none is taken any more. */
struct said {
    const char *bytes;
    size_t len; /* 0: strlen(bytes) */
};

struct server {
    int listener;
    int port;
    pthread_t thread;
    const struct said *says;
    size_t count;
    char asked[16384]; /* all requests */
    const char *flood; /* NULL, or comes over and over behind the last answer */
    int hold[2];       /* a pipe: while its writing end is open, the last connection stays open */
};

void server_start(struct server *server, const struct said *says, size_t count);
void server_stop(struct server *server);

/* To its end or its failure; returns what ended it. */
ssize_t source_read_all(struct hosted_source *source, char got[64], struct hosted_fault *fault);

/* In memory that the next call uses again. */
const char *url_of(const struct server *server, const char *credentials, const char *path);

#endif
