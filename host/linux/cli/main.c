/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define WORDS_MAX 4 /* a command of two parts, its argument, and one too many */

bool cli_has_colour(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return isatty(fileno(stream)) && (no_colour == NULL || *no_colour == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

int cli_fail(const struct cli_context *context, const struct hosted_fault *fault)
{
    const bool colour = cli_has_colour(stderr);

    fflush(stdout);
    fprintf(stderr, "%s%s: %s:%s %s\n", colour ? "\x1b[31m" : "", context->program->name,
            context->command->word, colour ? "\x1b[0m" : "", fault->text);
    return fault->status;
}

int cli_usage(const struct cli_context *context, const char *format, ...)
{
    const char *word = context->command != NULL ? context->command->word : NULL;
    va_list args;

    fprintf(stderr, "%s: ", context->program->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; see %s %s%s--help\n", context->program->name, word != NULL ? word : "",
            word != NULL ? " " : "");
    return HOSTED_USAGE;
}

/* A command that asks is not done unless its answer was written: a dry run asks, an update acts. */
static int finish(const struct cli_context *context, int status)
{
    const struct cli_command *command = context->command;
    const bool acted = command != NULL && command->acts && !context->options.dry_run;
    const bool written = fflush(stdout) == 0 && !ferror(stdout);

    if (status != HOSTED_DONE || written || acted)
        return status;
    fprintf(stderr, "%s: standard output cannot be written\n", context->program->name);
    return HOSTED_LOCAL;
}

/*
 * Standard streams that whoever started this has closed: what is opened next would get their
 * numbers, and what is said would go there. Each is opened the wrong way round, so that using it
 * fails as it should: what cannot be read or written is an error.
 */
static void fill_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
}

int cli_main(const struct cli_program *program, int argc, char **argv)
{
    fill_standard_streams();

    struct cli_context context = {
        .program = program,
        .options = {.update = hosted_update_defaults},
    };
    char *words[WORDS_MAX];
    const int count = cli_parse_options(&context, argc, argv, words, WORDS_MAX);

    if (count < 0)
        return HOSTED_USAGE;
    if (context.options.help) {
        cli_print_help(program, words, count);
        return finish(&context, HOSTED_DONE);
    }
    if (context.options.version) {
        printf("%s %s\n", program->name, CLI_VERSION);
        return finish(&context, HOSTED_DONE);
    }

    const int status = cli_choose_command(&context, words, count);

    return status != HOSTED_DONE ? status : finish(&context, context.command->run(&context));
}
