/* SPDX-License-Identifier: Apache-2.0 */
/* From argv to a command with its argument and its options. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "text.h"

#define SHOWN_BYTES 64

/*
 * What nobody understands may be a password that was written at a wrong place, and stderr ends up
 * in logs. A mistyped command is worth showing all the same.
 */
static const char *shown(const struct cli_context *context, char *buf, const char *word, size_t len)
{
    const bool may_be_secret =
        context->options.password != NULL || strncasecmp(word, "--p", strlen("--p")) == 0;

    return may_be_secret ? "(not shown)" : text_printable(buf, SHOWN_BYTES, word, len);
}

static const struct cli_option *find_option(const struct cli_program *program, const char *name,
                                            size_t len)
{
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++)
        if (strlen(option->name) == len && strncmp(option->name, name, len) == 0 &&
            cli_takes(program, NULL, option))
            return option;
    return NULL;
}

/* One option at argv[*at], which is left at its last word. */
static int take_option(struct cli_context *context, int argc, char **argv, int *at)
{
    char *name = argv[*at] + strlen("--");
    char *value = strchr(name, '=');
    const size_t len = value != NULL ? (size_t)(value - name) : strlen(name);
    const struct cli_option *option = find_option(context->program, name, len);
    char text[SHOWN_BYTES];

    if (option == NULL)
        return cli_usage(context, "unknown option %s",
                         shown(context, text, argv[*at], len + strlen("--")));
    if (value != NULL)
        value++;
    if (option->argument == NULL && value != NULL)
        return cli_usage(context, "--%s takes no value", option->name);
    if (option->argument != NULL && option->argument[0] != '[' && value == NULL) {
        if (*at + 1 >= argc)
            return cli_usage(context, "--%s needs a value: %s", option->name, option->argument);
        value = argv[++*at];
    }

    const char *wanted = option->take(&context->options, value);

    /* The value is not repeated: it may be a password. */
    if (wanted != NULL)
        return cli_usage(context, "--%s: the value must be %s", option->name, wanted);
    context->given |= UINT64_C(1) << (option - cli_option_table);
    return HOSTED_DONE;
}

int cli_parse_options(struct cli_context *context, int argc, char **argv, char **words, int max)
{
    bool only_words = false;
    int count = 0;

    for (int at = 1; at < argc; at++) {
        if (!only_words && strcmp(argv[at], "--") == 0) {
            only_words = true;
        } else if (!only_words && strcmp(argv[at], "-h") == 0) {
            context->options.help = true;
        } else if (!only_words && strncmp(argv[at], "--", 2) == 0) {
            if (take_option(context, argc, argv, &at) != HOSTED_DONE)
                return -EINVAL;
        } else if (!only_words && argv[at][0] == '-' && argv[at][1] != '\0') {
            /* One letter: what follows it may be its value. */
            char text[SHOWN_BYTES];

            cli_usage(context, "unknown option %s", shown(context, text, argv[at], 2));
            return -EINVAL;
        } else if (count < max) {
            words[count++] = argv[at];
        }
    }
    return count;
}

int cli_match_words(const struct cli_command *command, char **words, int count)
{
    const char *second = strchr(command->word, ' ');

    if (second == NULL)
        return count > 0 && strcasecmp(command->word, words[0]) == 0 ? 1 : 0;
    return count > 1 && cli_is_first_part(command, words[0]) &&
                   strcasecmp(second + 1, words[1]) == 0
               ? 2
               : 0;
}

bool cli_is_first_part(const struct cli_command *command, const char *word)
{
    const char *second = strchr(command->word, ' ');
    const size_t len = second != NULL ? (size_t)(second - command->word) : 0;

    return len > 0 && strlen(word) == len && strncasecmp(command->word, word, len) == 0;
}

void cli_list_parts(const struct cli_program *program, const struct cli_command *command,
                    char ret[CLI_PARTS_BYTES])
{
    const size_t len = strcspn(command->word, " ") + 1;

    *ret = '\0';
    for (const struct cli_command *each = program->commands; each->word != NULL; each++) {
        if (strncmp(each->word, command->word, len) != 0)
            continue;
        strncat(ret, *ret != '\0' ? ", " : "", CLI_PARTS_BYTES - strlen(ret) - 1);
        strncat(ret, each->word + len, CLI_PARTS_BYTES - strlen(ret) - 1);
    }
}

/* The words begin no command, or only half of one. */
static int refuse_words(const struct cli_context *context, char **words, int count)
{
    char text[SHOWN_BYTES], parts[CLI_PARTS_BYTES];
    const struct cli_command *command = context->program->commands;

    while (command->word != NULL && !cli_is_first_part(command, words[0]))
        command++;
    if (command->word == NULL)
        return cli_usage(context, "unknown command '%s'",
                         shown(context, text, words[0], strlen(words[0])));
    cli_list_parts(context->program, command, parts);
    if (count == 1)
        return cli_usage(context, "%s: one of its words is missing: %s", words[0], parts);
    return cli_usage(context, "%s: unknown word '%s', not one of %s", words[0],
                     shown(context, text, words[1], strlen(words[1])), parts);
}

static int check_force(const struct cli_context *context)
{
    const struct hosted_update_options *update = &context->options.update;

    if (!update->allow_bluetooth || update->version_policy == HOSTED_VERSION_ANY)
        return HOSTED_DONE;
    return cli_usage(
        context, "%s: --force takes every version: not with %s", context->command->word,
        update->version_policy == HOSTED_VERSION_NEWER ? "--if-newer" : "--allow-downgrade");
}

static int check_options(const struct cli_context *context)
{
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++)
        if ((context->given >> (option - cli_option_table) & 1) != 0 &&
            !cli_takes(context->program, context->command, option))
            return cli_usage(context, "%s takes no --%s", context->command->word, option->name);
    return check_force(context);
}

int cli_choose_command(struct cli_context *context, char **words, int count)
{
    const struct cli_command *command = context->program->commands;

    if (count == 0)
        return cli_usage(context, "no command given");
    while (command->word != NULL && cli_match_words(command, words, count) == 0)
        command++;
    if (command->word == NULL)
        return refuse_words(context, words, count);

    const int own = cli_match_words(command, words, count);
    const bool needs = command->argument != NULL && command->argument[0] != '[';

    context->command = command;
    if (needs && count == own)
        return cli_usage(context, "%s: %s is missing", command->word, command->argument);
    if (count > own + (command->argument != NULL ? 1 : 0))
        /* Not shown: it may be a part of a password. */
        return cli_usage(context, "%s: one word too many", command->word);
    context->argument = count > own ? words[own] : NULL;
    return check_options(context);
}
