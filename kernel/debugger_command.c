/*
 * debugger_command.c - words of a command into numbers, and what it says into text.
 */
#include "debugger_command.h"

#include "debugger_tables.h"
#include "format.h"
#include "string.h"

void debugger_say(const struct debugger_command *command, const char *format, ...)
{
    char text[DEBUGGER_ROW_BYTES];
    va_list arguments;

    va_start(arguments, format);
    format_text_list(text, sizeof(text), format, arguments);
    va_end(arguments);
    command->print(command->to, text);
}

bool debugger_take_words(struct debugger_command *command, const char *text)
{
    for (;; command->count++) {
        size_t len = 0;

        while (*text == ' ')
            text++;
        if (*text == '\0')
            return true;
        while (text[len] != '\0' && text[len] != ' ')
            len++;
        if (command->count == WORDS || len >= WORD_BYTES)
            return false;
        memcpy(command->words[command->count], text, len);
        text += len;
    }
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

bool debugger_take_number(const struct debugger_command *command, unsigned n, uint64_t *value)
{
    const char *word = command->words[n];
    bool hex = word[0] == '0' && (word[1] | 0x20) == 'x';
    unsigned base = hex ? 16 : 10;

    word += hex ? 2 : 0;
    *value = 0;
    if (n >= command->count || *word == '\0')
        return false;
    for (; *word != '\0'; word++) {
        unsigned digit = (unsigned)digit_of(*word);
        if (digit >= base || *value > (UINT64_MAX - digit) / base)
            return false;
        *value = *value * base + digit;
    }
    return true;
}

bool debugger_take_optional(const struct debugger_command *command, unsigned n, uint64_t otherwise,
                            uint64_t *value)
{
    *value = otherwise;
    return n >= command->count || debugger_take_number(command, n, value);
}
