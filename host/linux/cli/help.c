/* SPDX-License-Identifier: Apache-2.0 */
/* --help: written from the tables. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* The headings above the options, in the order of the table. */
static const struct {
    unsigned group;
    const char *heading;
} headings[] = {
    {CLI_SOURCE, "Where the image comes from"},
    {CLI_IMAGE, "What the image must be"},
    {CLI_UPDATE | CLI_POLICY, "The update"},
    {CLI_STATION, "The network"},
    {CLI_EVENTS, "Events"},
    {CLI_DEVICE, "The ESP32"},
    {CLI_JSON | CLI_WORK | CLI_ALL, "In general"},
};

#define COLUMNS     80
#define LEFT        26
#define LEFT_INDENT (LEFT + 4)

/* What is on the left, and the help beside it in lines of its own. */
static void print_row(const char *left, const char *help)
{
    int column = printf("  %-*s  ", LEFT, left);
    const char *before = "";

    while (*help != '\0') {
        const int len = (int)strcspn(help, " ");

        if (*before != '\0' && column + 1 + len >= COLUMNS) {
            printf("\n%*s", LEFT_INDENT, "");
            column = LEFT_INDENT;
            before = "";
        }
        column += printf("%s%.*s", before, len, help);
        help += len;
        help += strspn(help, " ");
        before = " ";
    }
    putchar('\n');
}

static void print_command(const struct cli_command *command)
{
    char left[64];

    snprintf(left, sizeof(left), "%s%s%s", command->word, command->argument != NULL ? " " : "",
             command->argument != NULL ? command->argument : "");
    print_row(left, command->help);
}

static void print_option(const struct cli_option *option)
{
    char left[64];

    snprintf(left, sizeof(left), "--%s%s%s", option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
    print_row(left, option->help);
}

/* Of one command; of all for NULL. */
static void print_options(const struct cli_program *program, const struct cli_command *command)
{
    for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++) {
        bool begun = false;

        for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
            if ((option->groups & headings[i].group) == 0 || option->help == NULL ||
                !cli_takes(program, command, option))
                continue;
            if (!begun)
                printf("\n%s:\n", headings[i].heading);
            begun = true;
            print_option(option);
        }
    }
}

/* Those that commands of these groups can end with. */
static void print_statuses(unsigned groups)
{
    printf("\nExit status: 0 done, 1 trouble on this host, 2 usage");
    if (groups & CLI_IMAGE)
        printf(", 3 image refused");
    if (groups & CLI_DEVICE)
        printf(",\n4 no answer, 5 the ESP32 refused");
    if (groups & CLI_UPDATE)
        printf(", 6 the new firmware did not come up");
    else if (groups & CLI_RESTART)
        printf(", 6 it did not go back");
    if (groups & CLI_DEVICE)
        printf(",\n7 another process holds the device");
    if (groups & CLI_UPDATE)
        printf(", 8 nothing to do");
    putchar('\n');
}

static void print_program_help(const struct cli_program *program, const char *first_part)
{
    printf("Usage: %s %s%sCOMMAND [OPTIONS]\n%s\n\nCommands:\n", program->name,
           first_part != NULL ? first_part : "", first_part != NULL ? " " : "", program->purpose);
    for (const struct cli_command *command = program->commands; command->word != NULL; command++)
        if (first_part == NULL || cli_is_first_part(command, first_part))
            print_command(command);
    if (first_part == NULL)
        print_options(program, NULL);
    else
        printf("\n%s %s COMMAND --help shows the options of one.\n", program->name, first_part);
}

static void print_command_help(const struct cli_program *program, const struct cli_command *command)
{
    printf("Usage: %s %s [OPTIONS]%s%s\n%c%s.\n", program->name, command->word,
           command->argument != NULL ? " " : "", command->argument != NULL ? command->argument : "",
           command->help[0] >= 'a' && command->help[0] <= 'z' ? command->help[0] - 'a' + 'A'
                                                              : command->help[0],
           command->help + 1);
    print_options(program, command);
}

void cli_print_help(const struct cli_program *program, char **words, int count)
{
    const struct cli_command *command = program->commands;
    const char *first_part = NULL;
    unsigned groups = 0; /* of all commands, or of those of the first part */

    for (; command->word != NULL && cli_match_words(command, words, count) == 0; command++) {
        if (first_part == NULL && count > 0 && cli_is_first_part(command, words[0])) {
            first_part = words[0];
            groups = 0;
        }
        if (first_part == NULL || cli_is_first_part(command, first_part))
            groups |= command->groups;
    }
    if (command->word != NULL)
        print_command_help(program, command);
    else
        print_program_help(program, first_part);
    print_statuses(command->word != NULL ? command->groups : groups);
}
