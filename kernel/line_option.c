/*
 * line_option.c - which serial line an option of the command line means: a name of the machine's,
 * or off.  Opens none.
 */
#include "line_option.h"

#include <stddef.h>

#include "command_line.h"
#include "log.h"
#include "string.h"

static enum arch_line_answer look_for(const char *name, struct line_choice *choice)
{
    enum arch_line_answer answer = arch_find_line(name, &choice->line);

    choice->name = name;
    choice->found = answer == ARCH_LINE_FOUND;
    return answer;
}

struct line_choice line_choose(const char *option, const char *first, const char *usual)
{
    const char *value = command_line_value(option);
    struct line_choice choice = {.name = NULL};

    if (value != NULL && strcmp(value, "off") == 0)
        return choice;
    if (value != NULL && look_for(value, &choice) != ARCH_LINE_UNKNOWN)
        return choice;
    if (value != NULL)
        log_print(LOG_WARNING, "command line: %s=%s is ignored: say %s=%s[,SPEED]|off", option,
                  value, option, ARCH_LINE_NAMES);
    if (first == NULL || look_for(first, &choice) != ARCH_LINE_FOUND)
        look_for(usual, &choice);
    return choice;
}
