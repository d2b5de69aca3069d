/*
 * command_line.c - the kernel's options.  The table below names them all.
 */
#include "command_line.h"

#include <stddef.h>

#include "arch/arch.h"
#include "format.h"
#include "log.h"
#include "string.h"

struct option {
    const char *name;
    bool has_value;
};

static const struct option options[] = {
    {"console", true},    /* where text goes: console.c */
    {"crashdump", true},  /* where a crash record goes: crash_sinks.c */
    {"crashscope", true}, /* how much memory is in one on disk: crash_sinks.c */
    {"gdb", true},        /* where GDB is: debugger.c */
    {"gdbwait", false},   /* wait for it before going on: main.c */
    {"inject", true},     /* what fails inside the crash path: crash_inject.c */
    {"loglevel", true},   /* what is printed: log.c */
    {"oncrash", true},    /* what follows a crash record: crash.c */
    {"run", true},        /* what the kernel does: main.c */
    {"smp", true},        /* how many CPUs to use: cpus.c */
    {"watchdog", true},   /* when a CPU counts as stuck: watchdog.c */
};

enum {
    OPTION_COUNT = sizeof options / sizeof options[0],
    NUMBER_DIGITS = 9, /* of a number: more are refused */
};

static struct {
    char text[ARCH_COMMAND_LINE_BYTES];
    const char *values[OPTION_COUNT]; /* "" for a NAME without one; NULL: not given */
} command_line;

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The index of the option with the name [name, name + len), or OPTION_COUNT. */
static size_t find_option(const char *name, size_t len)
{
    size_t i = 0;

    while (i < OPTION_COUNT &&
           !(strlen(options[i].name) == len && strncmp(options[i].name, name, len) == 0))
        i++;
    return i;
}

static void log_unknown(const char *word)
{
    char known[160];
    size_t used = 0;

    for (size_t i = 0; i < OPTION_COUNT && used < sizeof known; i++)
        used += format_text(known + used, sizeof known - used, " %s%s", options[i].name,
                            options[i].has_value ? "=" : "");
    log_print(LOG_WARNING, "command line: \"%s\" is ignored, it is none of%s", word, known);
}

static void take_word(const char *word)
{
    size_t len = 0;

    while (word[len] != '\0' && word[len] != '=')
        len++;

    size_t found = find_option(word, len);
    bool has_value = word[len] == '=';

    if (found == OPTION_COUNT)
        log_unknown(word);
    else if (has_value && !options[found].has_value)
        log_print(LOG_WARNING, "command line: \"%s\" is ignored: say just %s", word,
                  options[found].name);
    else if (!has_value && options[found].has_value)
        log_print(LOG_WARNING, "command line: \"%s\" is ignored: say %s=VALUE", word, word);
    else
        command_line.values[found] = has_value ? word + len + 1 : "";
}

void command_line_init(const char *text)
{
    char *cursor = command_line.text;

    memset(&command_line, 0, sizeof command_line);
    format_text(command_line.text, sizeof command_line.text, "%s", text);
    while (*cursor != '\0') {
        char *word = cursor;

        while (*cursor != '\0' && !is_space(*cursor))
            cursor++;
        bool last = *cursor == '\0';
        *cursor = '\0';
        if (*word != '\0')
            take_word(word);
        if (!last)
            cursor++;
    }
}

const char *command_line_value(const char *name)
{
    size_t found = find_option(name, strlen(name));

    return found < OPTION_COUNT ? command_line.values[found] : NULL;
}

bool command_line_flag(const char *name)
{
    return command_line_value(name) != NULL;
}

unsigned command_line_choice(const char *name, const char *choices, unsigned otherwise)
{
    const char *value = command_line_value(name);
    const char *choice = choices;

    if (value == NULL)
        return otherwise;
    for (unsigned place = 0;; place++) {
        size_t len = 0;

        while (choice[len] != '\0' && choice[len] != '|')
            len++;
        if (strlen(value) == len && strncmp(value, choice, len) == 0)
            return place;
        if (choice[len] == '\0')
            break;
        choice += len + 1;
    }
    log_print(LOG_WARNING, "command line: %s=%s is ignored: say %s=%s", name, value, name, choices);
    return otherwise;
}

unsigned command_line_number(const char *name, unsigned otherwise)
{
    const char *value = command_line_value(name);
    unsigned number = 0;
    size_t i = 0;

    if (value == NULL)
        return otherwise;
    while (i < NUMBER_DIGITS && value[i] >= '0' && value[i] <= '9')
        number = number * 10 + (unsigned)(value[i++] - '0');
    if (i > 0 && value[i] == '\0')
        return number;
    log_print(LOG_WARNING, "command line: %s=%s is ignored: say %s=NUMBER", name, value, name);
    return otherwise;
}
