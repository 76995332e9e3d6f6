/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_H
#define CLI_H
/* What the command-line tools share: commands, options, messages, interruption. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "hosted/device.h"
#include "hosted/update.h"

/* As the user gave them. Texts are of argv and live as long as the process. */
struct cli_options {
    struct hosted_options device;
    struct hosted_source_options source;
    struct hosted_update_options update; /* without its callbacks */
    const char *reconnect_hook;          /* NULL: none */
    uint8_t sha256[32];                  /* where update.sha256 points to, if it does */
    bool check_sums;
    bool download_first;
    bool dry_run;
    bool json;
    bool quiet;
    bool verbose;
    bool help;
    bool version;
    const char *ssid;
    const char *bssid;
    const char *password; /* NULL: not on the command line */
    bool wpa3;
    int listen_interval;
    bool dhcp;
    unsigned heartbeat_s; /* 0: none asked for */
};

struct cli_context;

/* What commands have in common, and with it options. */
enum cli_group {
    CLI_DEVICE = 1 << 0,   /* asks the ESP32 something */
    CLI_SOURCE = 1 << 1,   /* reads an image: how it is fetched */
    CLI_IMAGE = 1 << 2,    /* what that image must be */
    CLI_UPDATE = 1 << 3,   /* changes the firmware */
    CLI_POLICY = 1 << 8,   /* has a policy about versions; can do as if */
    CLI_RESTART = 1 << 10, /* waits for the restart of the ESP32 */
    CLI_STATION = 1 << 4,  /* joins a network */
    CLI_EVENTS = 1 << 5,   /* shows what the ESP32 says by itself */
    CLI_JSON = 1 << 6,     /* can say its result as JSON */
    CLI_ALL = 1 << 7,      /* every command; not to be named in one */
    CLI_WORK = 1 << 9,     /* every one that is in a group; not to be named in one */
};

struct cli_option {
    const char *name;     /* without the dashes */
    const char *argument; /* "SECONDS"; NULL: takes none; "[BOOL]": takes one only as --name=BOOL */
    unsigned groups;      /* of cli_group: commands that have one of them take it */
    const char *help;     /* NULL: another spelling, not shown */
    /*
     * `value` is NULL where none was given; the text is the caller's to overwrite. Returns NULL, or
     * what the value must be.
     */
    const char *(*take)(struct cli_options *options, char *value);
};

struct cli_command {
    const char *word;     /* compared without regard to case; may be of two parts, "wifi scan" */
    const char *argument; /* "SOURCE": it takes exactly one; "[SSID]": one or none; NULL: none */
    unsigned groups;      /* of cli_group */
    const char *help;
    int (*run)(struct cli_context *context); /* returns the exit status */
    bool acts;                               /* what it did is done, also if nobody could be told */
};

struct cli_program {
    const char *name;
    const char *purpose;
    const struct cli_command *commands; /* ends with an entry without a word */
};

/* What a command works with. */
struct cli_context {
    const struct cli_program *program;
    const struct cli_command *command;
    const char *argument; /* NULL where none was given */
    struct cli_options options;
    uint64_t given; /* which rows of cli_option_table were given */
};

/* The options of every program, in the order of the help; ends with an entry without a name. */
extern const struct cli_option cli_option_table[];

/* Whether a command of the program takes the option; of one command if `command` is not NULL. */
bool cli_takes(const struct cli_program *program, const struct cli_command *command,
               const struct cli_option *option);

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

/*
 * Finds the command and its argument in the words, and whether it takes the options that were
 * given. HOSTED_DONE, or HOSTED_USAGE after saying why on stderr.
 */
int cli_choose_command(struct cli_context *context, char **words, int count);

/* How many of the words are the command's: 0 or all of its parts. */
int cli_match_words(const struct cli_command *command, char **words, int count);

/* Whether the word of the user's is the first part of the command's two. */
bool cli_is_first_part(const struct cli_command *command, const char *word);

#define CLI_PARTS_BYTES 128

/* "connect, scan": the second parts of all commands that share the command's first one. */
void cli_list_parts(const struct cli_program *program, const struct cli_command *command,
                    char ret[CLI_PARTS_BYTES]);

/* The help of the program, or of the commands that the words name. */
void cli_print_help(const struct cli_program *program, char **words, int count);

/* A command: prints the completion for the shell that its argument names. */
int cli_completion(struct cli_context *context);

/* Whether colours belong there: a terminal that has them, and nobody said NO_COLOR. */
bool cli_has_colour(FILE *stream);

/* From now on the first SIGINT, SIGTERM or SIGHUP requests the cancel, and the second one ends. */
int cli_catch_signals(struct hosted_cancel **ret, struct hosted_fault *fault);

/* Has the signals of cli_catch_signals() end the waits of the command, for ESP32 and image, and
 * with
 * --verbose says what becomes of a download. */
int cli_interruptible(struct cli_context *context, struct hosted_fault *fault);

/* For the library's log; `ctx` is the context. A line on stderr. */
void cli_log(void *ctx, const char *line);

/* hosted_open() with the user's options. */
int cli_open(struct cli_context *context, struct hosted_device **ret, struct hosted_fault *fault);
/* hosted_close(), and with --verbose a line about what was dropped. */
void cli_close(const struct cli_context *context, struct hosted_device *device);

/*
 * Opens the image that is the command's argument: with --check-sums its digest is looked for first,
 * and with --download-first it is all there.
 */
int cli_open_source(struct cli_context *context, struct hosted_source **ret,
                    struct hosted_fault *fault);

/* Whether the program of --reconnect-hook, if one is given, can be run. 0, or -errno with words. */
int cli_check_hook(const struct cli_context *context, struct hosted_fault *fault);

/* For hosted_update_options; `ctx` is the context. Runs the program and waits for its end. */
int cli_run_hook(void *ctx, const char *path, struct hosted_fault *fault);

/* Names the option of this command, if it has one, that would let a refused update go on. */
void cli_add_hint(const struct cli_context *context, struct hosted_fault *fault);

/* As in hosted_update_options. */
typedef int cli_progress(void *ctx, enum hosted_stage stage, const struct hosted_image *image,
                         uint64_t done, uint64_t total);

/*
 * hosted_update() of context->argument. Its progress goes to `progress`; NULL: to stdout, as text.
 * 0 or what failed.
 */
int cli_run_update(struct cli_context *context, cli_progress *progress, void *progress_ctx,
                   struct hosted_update_result *ret, struct hosted_fault *fault);

/* On stderr, if there was no trial where one was due, or if a new firmware that does not start at
 * all would not have been rolled back. */
void cli_warn_of_trial(const struct cli_context *context,
                       const struct hosted_update_result *result);

/* The same as a command: also prints how it ended; returns the exit status. */
int cli_update(struct cli_context *context);

#endif
