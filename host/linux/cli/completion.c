/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion for shells, made from the tables of commands and options. All three scripts do the
 * same: find the words of the command that stand in front of the cursor, and offer what may follow.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "fw_image.h"

#define CHIP_IDS 64 /* more than there are */

static void print_shells(void)
{
    printf("bash zsh fish");
}

static void print_dialects(void)
{
    for (int id = HOSTED_DIALECT_AUTO; id <= HOSTED_DIALECT_MCU; id++)
        printf("%s%s", id > 0 ? " " : "", hosted_dialect_name((enum hosted_dialect)id));
}

/* "esp32 esp32c3", as in the sources of ESP-IDF. */
static void print_chips(void)
{
    bool begun = false;

    for (uint16_t id = 0; id < CHIP_IDS; id++) {
        const char *name = fw_chip_name(id);

        if (name == NULL)
            continue;
        printf("%s", begun ? " " : "");
        begun = true;
        for (; *name != '\0'; name++)
            if (*name != '-')
                putchar(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);
    }
}

enum kind {
    NOTHING, /* nobody can guess it: a number, a name */
    FILES,
    INTERFACES,
    WORDS,
};

/* What an argument may be, by its word in the tables. */
struct argument {
    const char *word;
    enum kind kind;
    void (*print)(void); /* WORDS: separated by spaces */
};

static const struct argument *find_argument(const char *word)
{
    static const struct argument arguments[] = {
        {"PATH", FILES, NULL},          {"FILE", FILES, NULL},
        {"PEM", FILES, NULL},           {"PROGRAM", FILES, NULL},
        {"SOURCE", FILES, NULL},        {"INTERFACE", INTERFACES, NULL},
        {"CHIP", WORDS, print_chips},   {"DIALECT", WORDS, print_dialects},
        {"SHELL", WORDS, print_shells},
    };
    static const struct argument nothing = {NULL, NOTHING, NULL};

    for (size_t i = 0; word != NULL && i < sizeof(arguments) / sizeof(arguments[0]); i++)
        if (strcmp(arguments[i].word, word) == 0)
            return &arguments[i];
    return &nothing;
}

static bool needs_value(const struct cli_option *option)
{
    return option->argument != NULL && option->argument[0] != '[';
}

/* The next row after `option` that the command (NULL: any) takes; the first one after NULL. */
static const struct cli_option *next_option(const struct cli_program *program,
                                            const struct cli_command *command,
                                            const struct cli_option *option)
{
    option = option == NULL ? cli_option_table : option + 1;
    while (option->name != NULL && !cli_takes(program, command, option))
        option++;
    return option->name != NULL ? option : NULL;
}

/* The options that have a value, shown or not, with something between two. */
static void print_valued(const struct cli_program *program, const char *between)
{
    const char *before = "";

    for (const struct cli_option *option = next_option(program, NULL, NULL); option != NULL;
         option = next_option(program, NULL, option)) {
        if (!needs_value(option))
            continue;
        printf("%s--%s", before, option->name);
        before = between;
    }
}

/* In single quotes, for all three shells; with ':' escaped where it separates. */
static void print_quoted(const char *text, const char *quote, bool colons)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            printf("%s", quote);
        else if (*text == ':' && colons)
            printf("\\:");
        else
            putchar(*text);
    }
}

/* Whether no command before this one begins with the same word. */
static bool is_first_of_word(const struct cli_program *program, const struct cli_command *command)
{
    const size_t len = strcspn(command->word, " ");

    for (const struct cli_command *other = program->commands; other != command; other++)
        if (strcspn(other->word, " ") == len && strncmp(other->word, command->word, len) == 0)
            return false;
    return true;
}

/* What a first word stands for: the command's help, or which second words there are. */
static void print_first_help(const struct cli_program *program, const struct cli_command *command,
                             const char *quote, bool colons)
{
    char parts[CLI_PARTS_BYTES];

    if (strchr(command->word, ' ') == NULL) {
        print_quoted(command->help, quote, colons);
        return;
    }
    cli_list_parts(program, command, parts);
    print_quoted(parts, quote, colons);
}

/* bash */

static void bash_value(const struct argument *argument, const char *indent)
{
    switch (argument->kind) {
    case NOTHING:
        return;
    case FILES:
        printf("%scompopt -o filenames 2>/dev/null\n"
               "%smapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n",
               indent, indent);
        return;
    case INTERFACES:
        printf("%smapfile -t COMPREPLY < <(compgen -W \"$(ls /sys/class/net)\" -- \"$word\")\n",
               indent);
        return;
    case WORDS:
        printf("%smapfile -t COMPREPLY < <(compgen -W '", indent);
        argument->print();
        printf("' -- \"$word\")\n");
        return;
    }
}

static void bash_values(const struct cli_program *program)
{
    printf("    case $before in\n");
    for (const struct cli_option *option = next_option(program, NULL, NULL); option != NULL;
         option = next_option(program, NULL, option)) {
        if (!needs_value(option))
            continue;
        printf("    --%s)\n", option->name);
        bash_value(find_argument(option->argument), "        ");
        printf("        return\n        ;;\n");
    }
    printf("    esac\n");
}

static void bash_options(const struct cli_program *program, const struct cli_command *command)
{
    const char *before = "";

    printf("options='");
    for (const struct cli_option *option = next_option(program, command, NULL); option != NULL;
         option = next_option(program, command, option)) {
        if (option->help == NULL)
            continue;
        printf("%s--%s", before, option->name);
        before = " ";
    }
    printf("' ;;\n");
}

static void bash_all_options(const struct cli_program *program)
{
    printf("    case $command in\n");
    for (const struct cli_command *command = program->commands; command->word != NULL; command++) {
        printf("    ' %s' | ' %s '*) ", command->word, command->word);
        bash_options(program, command);
    }
    printf("    *) ");
    bash_options(program, NULL);
    printf("    esac\n");
}

static void bash_words(const struct cli_program *program)
{
    printf("    case $command in\n    '') words='");
    for (const struct cli_command *command = program->commands; command->word != NULL; command++)
        if (is_first_of_word(program, command))
            printf("%.*s ", (int)strcspn(command->word, " "), command->word);
    printf("' ;;\n");
    for (const struct cli_command *command = program->commands; command->word != NULL; command++) {
        const char *second = strchr(command->word, ' ');

        if (second == NULL || !is_first_of_word(program, command))
            continue;
        printf("    ' %.*s') words='", (int)(second - command->word), command->word);
        for (const struct cli_command *other = command; other->word != NULL; other++)
            if (strncmp(other->word, command->word, (size_t)(second - command->word) + 1) == 0)
                printf("%s ", strchr(other->word, ' ') + 1);
        printf("' ;;\n");
    }
    for (const struct cli_command *command = program->commands; command->word != NULL; command++) {
        const struct argument *argument = find_argument(command->argument);

        if (argument->kind == NOTHING)
            continue;
        printf("    ' %s')\n", command->word);
        bash_value(argument, "        ");
        printf("        return\n        ;;\n");
    }
    printf("    esac\n");
}

static void print_bash(const struct cli_program *program, const char *function)
{
    printf("%s()\n{\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    local at command='' words='' options=''\n\n"
           "    COMPREPLY=()\n"
           "    # bash cuts --name=value at the sign.\n"
           "    if [[ $word == '=' ]]; then\n"
           "        word=''\n"
           "    elif [[ $before == '=' ]]; then\n"
           "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
           "    fi\n",
           function);
    bash_values(program);
    printf("    for ((at = 1; at < COMP_CWORD; at++)); do\n"
           "        case ${COMP_WORDS[at]} in\n        ");
    print_valued(program, " | ");
    printf(")\n"
           "            [[ ${COMP_WORDS[at + 1]} == '=' ]] && ((at++))\n"
           "            ((at++))\n"
           "            ;;\n"
           "        -*) ;;\n"
           "        *) command+=\" ${COMP_WORDS[at]}\" ;;\n"
           "        esac\n"
           "    done\n"
           "    if [[ $word == -* ]]; then\n");
    bash_all_options(program);
    printf("        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
           "        return\n"
           "    fi\n");
    bash_words(program);
    printf("    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
           "}\n"
           "complete -F %s %s\n",
           function, program->name);
}

/* zsh */

#define ZSH_QUOTE "'\\''"

static void zsh_value(const struct argument *argument, const char *word)
{
    switch (argument->kind) {
    case NOTHING:
        printf("_message '%s'", word);
        return;
    case FILES:
        printf("_files");
        return;
    case INTERFACES:
        printf("_values interface /sys/class/net/*(:t)");
        return;
    case WORDS:
        printf("compadd -- ");
        argument->print();
        return;
    }
}

static void zsh_options(const struct cli_program *program, const struct cli_command *command)
{
    printf("list=(");
    for (const struct cli_option *option = next_option(program, command, NULL); option != NULL;
         option = next_option(program, command, option)) {
        if (option->help == NULL)
            continue;
        printf("\n            '--%s:", option->name);
        print_quoted(option->help, ZSH_QUOTE, true);
        printf("'");
    }
    printf(") ;;\n");
}

static void zsh_all_options(const struct cli_program *program)
{
    printf("        case $command in\n");
    for (const struct cli_command *command = program->commands; command->word != NULL; command++) {
        printf("        (' %s'|' %s '*) ", command->word, command->word);
        zsh_options(program, command);
    }
    printf("        (*) ");
    zsh_options(program, NULL);
    printf("        esac\n");
}

/* One list of words: of first ones, or of the second ones of the command's first. */
static void zsh_list(const struct cli_program *program, const struct cli_command *command)
{
    const size_t len = command != NULL ? strcspn(command->word, " ") + 1 : 0;

    printf("list=(");
    for (const struct cli_command *each = program->commands; each->word != NULL; each++) {
        if (command == NULL && is_first_of_word(program, each)) {
            printf("\n        '%.*s:", (int)strcspn(each->word, " "), each->word);
            print_first_help(program, each, ZSH_QUOTE, true);
            printf("'");
        } else if (command != NULL && strncmp(each->word, command->word, len) == 0) {
            printf("\n        '%s:", each->word + len);
            print_quoted(each->help, ZSH_QUOTE, true);
            printf("'");
        }
    }
    printf(")\n        _describe command list ;;\n");
}

static void zsh_words(const struct cli_program *program)
{
    printf("    case $command in\n    ('') ");
    zsh_list(program, NULL);
    for (const struct cli_command *command = program->commands; command->word != NULL; command++) {
        if (strchr(command->word, ' ') != NULL && is_first_of_word(program, command)) {
            printf("    (' %.*s') ", (int)strcspn(command->word, " "), command->word);
            zsh_list(program, command);
        }
        if (command->argument == NULL)
            continue;
        printf("    (' %s') ", command->word);
        zsh_value(find_argument(command->argument), command->argument);
        printf(" ;;\n");
    }
    printf("    esac\n");
}

static void print_zsh(const struct cli_program *program, const char *function)
{
    (void)function; /* zsh looks for a file and a function of this name */
    printf("_%s()\n{\n"
           "    local at command='' before=${words[CURRENT - 1]}\n"
           "    local -a list\n\n"
           "    if compset -P '--*='; then\n"
           "        before=${IPREFIX%%=}\n"
           "    fi\n"
           "    case $before in\n",
           program->name);
    for (const struct cli_option *option = next_option(program, NULL, NULL); option != NULL;
         option = next_option(program, NULL, option)) {
        if (!needs_value(option))
            continue;
        printf("    (--%s) ", option->name);
        zsh_value(find_argument(option->argument), option->argument);
        printf("; return ;;\n");
    }
    printf("    esac\n"
           "    for ((at = 2; at < CURRENT; at++)); do\n"
           "        case ${words[at]} in\n"
           "        (");
    print_valued(program, "|");
    printf(") ((at++)) ;;\n"
           "        (-*) ;;\n"
           "        (*) command+=\" ${words[at]}\" ;;\n"
           "        esac\n"
           "    done\n"
           "    if [[ $PREFIX == -* ]]; then\n");
    zsh_all_options(program);
    printf("        _describe -o option list\n"
           "        return\n"
           "    fi\n");
    zsh_words(program);
    printf("}\n"
           "if [[ $funcstack[1] == _%s ]]; then\n"
           "    _%s \"$@\"\n"
           "else\n"
           "    compdef _%s %s\n"
           "fi\n",
           program->name, program->name, program->name, program->name);
}

/* fish */

#define FISH_QUOTE "\\'"

static void fish_value(const struct argument *argument, const char *option)
{
    switch (argument->kind) {
    case NOTHING:
        printf("%s", option);
        return;
    case FILES:
        printf("%s -F", option);
        return;
    case INTERFACES:
        printf("%s -a '(ls /sys/class/net)'", option);
        return;
    case WORDS:
        printf("%s -a '", option);
        argument->print();
        printf("'");
        return;
    }
}

static void fish_option(const struct cli_program *program, const char *function,
                        const struct cli_option *option)
{
    printf("complete -c %s -n \"%s_among ''", program->name, function);
    for (const struct cli_command *command = program->commands; command->word != NULL; command++)
        if (cli_takes(program, command, option))
            printf(" '%s'", command->word);
    printf("\" -l %s", option->name);
    if (needs_value(option)) {
        const struct argument *argument = find_argument(option->argument);

        fish_value(argument, argument->kind == FILES ? " -r" : " -x");
    }
    printf(" -d '");
    print_quoted(option->help, FISH_QUOTE, false);
    printf("'\n");
}

static void fish_command(const struct cli_program *program, const char *function,
                         const struct cli_command *command)
{
    const char *second = strchr(command->word, ' ');
    const int first_len = (int)strcspn(command->word, " ");

    if (is_first_of_word(program, command)) {
        printf("complete -c %s -n \"%s_is ''\" -a %.*s -d '", program->name, function, first_len,
               command->word);
        print_first_help(program, command, FISH_QUOTE, false);
        printf("'\n");
    }
    if (second != NULL) {
        printf("complete -c %s -n \"%s_is '%.*s'\" -a %s -d '", program->name, function, first_len,
               command->word, second + 1);
        print_quoted(command->help, FISH_QUOTE, false);
        printf("'\n");
    }
    if (find_argument(command->argument)->kind != NOTHING) {
        printf("complete -c %s -n \"%s_is '%s'\"", program->name, function, command->word);
        fish_value(find_argument(command->argument), "");
        printf("\n");
    }
}

static void print_fish(const struct cli_program *program, const char *function)
{
    printf("# The words so far that are no options and none of their values.\n"
           "function %s_words\n"
           "    set -l skip 0\n"
           "    set -l found\n"
           "    for word in (commandline -opc)[2..-1]\n"
           "        if test $skip = 1\n"
           "            set skip 0\n"
           "        else if contains -- $word ",
           function);
    print_valued(program, " ");
    printf("\n"
           "            set skip 1\n"
           "        else if not string match -q -- '-*' $word\n"
           "            set -a found $word\n"
           "        end\n"
           "    end\n"
           "    echo \"$found\"\n"
           "end\n\n"
           "function %s_is\n"
           "    test (%s_words) = \"$argv[1]\"\n"
           "end\n\n"
           "function %s_among\n"
           "    set -l words (%s_words)\n"
           "    for command in $argv\n"
           "        if test \"$words\" = \"$command\"\n"
           "            return 0\n"
           "        else if test -n \"$command\"; and string match -q -- \"$command *\" $words\n"
           "            return 0\n"
           "        end\n"
           "    end\n"
           "    return 1\n"
           "end\n\n"
           "complete -c %s -f\n",
           function, function, function, function, program->name);
    for (const struct cli_command *command = program->commands; command->word != NULL; command++)
        fish_command(program, function, command);
    for (const struct cli_option *option = next_option(program, NULL, NULL); option != NULL;
         option = next_option(program, NULL, option))
        if (option->help != NULL)
            fish_option(program, function, option);
}

int cli_completion(struct cli_context *context)
{
    static const struct {
        const char *shell;
        const char *prefix; /* of the functions' names */
        void (*print)(const struct cli_program *program, const char *function);
    } shells[] = {
        {"bash", "_", print_bash},
        {"zsh", "_", print_zsh},
        {"fish", "__", print_fish},
    };
    const struct cli_program *program = context->program;
    char function[64];

    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcasecmp(context->argument, shells[i].shell) != 0)
            continue;
        snprintf(function, sizeof(function), "%s%s", shells[i].prefix, program->name);
        for (char *c = function; *c != '\0'; c++)
            *c = *c == '-' || *c == '.' ? '_' : *c;
        printf("%s%s\n# Made by '%s completion %s'.\n",
               shells[i].print == print_zsh ? "#compdef " : "# Completion of ", program->name,
               program->name, shells[i].shell);
        shells[i].print(program, function);
        return HOSTED_DONE;
    }
    return cli_usage(context, "completion: there is one for bash, zsh and fish");
}
