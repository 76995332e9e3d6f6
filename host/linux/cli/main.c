/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli.h"

int cli_fail(const struct cli_context *context, const struct hosted_fault *fault)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s: %s\n", context->program->name, context->command->word, fault->text);
    return fault->status;
}

int cli_usage(const struct cli_context *context, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", context->program->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; see %s --help\n", context->program->name);
    return HOSTED_USAGE;
}

static void print_help(const struct cli_program *program)
{
    printf("Usage: %s COMMAND [OPTIONS]\n%s\n\nCommands:\n", program->name, program->purpose);
    for (const struct cli_command *command = program->commands; command->word != NULL; command++) {
        char left[40];

        snprintf(left, sizeof(left), "%s %s", command->word,
                 command->argument != NULL ? command->argument : "");
        printf("  %-22s  %s\n", left, command->help);
    }
    cli_print_options(program);
    printf("\nExit status: 0 done, 1 trouble on this host, 2 usage, 3 image refused, 4 no answer,\n"
           "5 the ESP32 refused, 6 the new firmware did not come up, 7 another process holds the\n"
           "device\n");
}

static const struct cli_command *find_command(const struct cli_program *program, const char *word)
{
    const struct cli_command *command = program->commands;

    while (command->word != NULL && strcasecmp(command->word, word) != 0)
        command++;
    return command->word != NULL ? command : NULL;
}

static int choose_command(struct cli_context *context, char **words, int count)
{
    if (count == 0)
        return cli_usage(context, "no command given");

    const struct cli_command *command = find_command(context->program, words[0]);

    if (command == NULL)
        return cli_usage(context, "unknown command '%s'", words[0]);
    if (command->argument != NULL && count < 2)
        return cli_usage(context, "%s: %s is missing", command->word, command->argument);

    const int expected = command->argument != NULL ? 2 : 1;

    if (count > expected)
        /* Not shown: it may be a part of a password. */
        return cli_usage(context, "%s: one word too many", command->word);
    context->command = command;
    context->argument = command->argument != NULL ? words[1] : NULL;
    return HOSTED_DONE;
}

/* A command that asks is not done unless its answer was written. An update is. */
static int run_command(struct cli_context *context)
{
    const int status = context->command->run(context);
    const bool written = fflush(stdout) == 0 && !ferror(stdout);

    if (status != HOSTED_DONE || written || context->command->acts)
        return status;
    fprintf(stderr, "%s: %s: standard output cannot be written\n", context->program->name,
            context->command->word);
    return HOSTED_LOCAL;
}

int cli_main(const struct cli_program *program, int argc, char **argv)
{
    struct cli_context context = {
        .program = program,
        .options = {.update = hosted_update_defaults},
    };
    char *words[3];
    const int count = cli_parse_options(&context, argc, argv, words, 3);

    if (count < 0)
        return HOSTED_USAGE;
    if (context.options.help) {
        print_help(program);
        return HOSTED_DONE;
    }

    const int status = choose_command(&context, words, count);

    return status != HOSTED_DONE ? status : run_command(&context);
}
