/*
 * console.c - which serial line is the console, and its line ends.
 */
#include "console.h"

#include <stdarg.h>

#include "command_line.h"
#include "format.h"

static struct {
    bool on;
    enum arch_line line;
} console;

void console_init(void)
{
    static const struct {
        bool on;
        enum arch_line line;
    } choices[] = {{true, ARCH_LINE_1}, {true, ARCH_LINE_2}, {false, ARCH_LINE_1}};
    unsigned choice = command_line_choice("console", "com1|com2|off", 0);

    console.line = choices[choice].line;
    console.on = choices[choice].on && arch_line_init(console.line);
}

bool console_has(enum arch_line line)
{
    return console.on && console.line == line;
}

bool console_is_on(void)
{
    return console.on;
}

bool console_write_raw(const void *bytes, size_t len)
{
    return console.on && arch_line_write(console.line, bytes, len) == len;
}

bool console_write(const char *text, size_t len)
{
    size_t start = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n')
            continue;
        if (!console_write_raw(text + start, i - start) || !console_write_raw("\r\n", 2))
            return false;
        start = i + 1;
    }
    return console_write_raw(text + start, len - start);
}

void console_print(const char *format, ...)
{
    char text[CONSOLE_LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    size_t len = format_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    console_write(text, len < sizeof text ? len : sizeof text - 1);
}

int console_read(void)
{
    return console.on ? arch_line_read(console.line) : -1;
}

void console_flush(void)
{
    if (console.on)
        arch_line_flush(console.line);
}
