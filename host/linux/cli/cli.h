/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_H
#define CLI_H
/* What the command-line tools share: commands, options, messages, interruption. */
#include <stdbool.h>

#include "hosted/device.h"
#include "hosted/update.h"

/* As the user gave them. Texts are of argv and live as long as the process. */
struct cli_options {
    struct hosted_options device;
    struct hosted_source_options source;
    struct hosted_update_options update; /* without its callbacks */
    const char *reconnect_hook;          /* NULL: none */
    bool json;
    bool quiet;
    bool verbose;
    bool help;
    const char *ssid;
    const char *bssid;
    const char *password; /* NULL: not on the command line */
    bool wpa3;
    int listen_interval;
    bool dhcp;
};

struct cli_context;

struct cli_option {
    const char *name;     /* without the dashes */
    const char *argument; /* "SECONDS"; NULL: takes none; "[BOOL]": takes one only as --name=BOOL */
    const char *help;     /* NULL: another spelling, not shown */
    /* `value` is NULL where none was given; the text is the caller's to overwrite. False: bad. */
    bool (*take)(struct cli_options *options, char *value);
};

struct cli_command {
    const char *word;     /* compared without regard to case */
    const char *argument; /* "IMAGE_OR_URL": it takes exactly one; NULL: none */
    const char *help;
    int (*run)(struct cli_context *context); /* returns the exit status */
    bool acts;                               /* what it did is done, also if nobody could be told */
};

struct cli_program {
    const char *name;
    const char *purpose;
    const struct cli_command *commands; /* both end with an entry without a name */
    const struct cli_option *own_options;
};

/* For programs whose commands know --json. */
extern const struct cli_option cli_json_option[];

/* What a command works with. */
struct cli_context {
    const struct cli_program *program;
    const struct cli_command *command;
    const char *argument;
    struct cli_options options;
};

/* The whole of a tool's main(): returns its exit status. */
int cli_main(const struct cli_program *program, int argc, char **argv);

/* Says why on stderr, "test.out: ota: ...", and returns the exit status. */
int cli_fail(const struct cli_context *context, const struct hosted_fault *fault);
__attribute__((format(printf, 2, 3))) int cli_usage(const struct cli_context *context,
                                                    const char *format, ...);

/*
 * Reads the options out of argv and leaves the words (the command and its argument) in `words`, at
 * most `max`. Returns their number, or -EINVAL after saying why on stderr.
 */
int cli_parse_options(struct cli_context *context, int argc, char **argv, char **words, int max);
void cli_print_options(const struct cli_program *program);

/* From now on the first SIGINT, SIGTERM or SIGHUP requests the cancel, and the second one ends. */
int cli_catch_signals(struct hosted_cancel **ret, struct hosted_fault *fault);

/* Has the signals of cli_catch_signals() end the waits of the command: for ESP32 and image. */
int cli_interruptible(struct cli_context *context, struct hosted_fault *fault);

/* hosted_open() with the user's options. */
int cli_open(struct cli_context *context, struct hosted_device **ret, struct hosted_fault *fault);
/* hosted_close(), and with --verbose a line about what was dropped. */
void cli_close(const struct cli_context *context, struct hosted_device *device);

/* Whether the program of --reconnect-hook, if one is given, can be run. 0, or -errno with words. */
int cli_check_hook(const struct cli_context *context, struct hosted_fault *fault);

/* For hosted_update_options; `ctx` is the context. Runs the program and waits for its end. */
int cli_run_hook(void *ctx, const char *path, struct hosted_fault *fault);

/* hosted_update() of context->argument, with its progress on stdout. 0 or what failed. */
int cli_run_update(struct cli_context *context, struct hosted_update_result *ret,
                   struct hosted_fault *fault);

/* The same as a command: also prints how it ended; returns the exit status. */
int cli_update(struct cli_context *context);

#endif
