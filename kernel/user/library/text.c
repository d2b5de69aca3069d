/*
 * text.c - printing, and small things that programs have in common.
 */
#include "user.h"

#include <stdarg.h>

#include "kernel/format.h"

enum {
    LINE_BYTES = 256, /* the kernel writes that much without a break */
};

void print(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    size_t len;

    va_start(arguments, format);
    len = format_text_list(line, sizeof line, format, arguments);
    va_end(arguments);
    (void)write(OUTPUT, line, len < sizeof line ? len : sizeof line - 1);
}

uint64_t number_of(const char *text)
{
    uint64_t number = 0;

    while (*text >= '0' && *text <= '9')
        number = 10 * number + (uint64_t)(*text++ - '0');
    return number;
}

/* Xorshift (Marsaglia, 2003). */
uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

_Noreturn void check_failed(const char *condition, const char *file, int line)
{
    print("%s:%d: %s does not hold\n", file, line, condition);
    __builtin_trap(); /* exit() would end one thread only */
}
