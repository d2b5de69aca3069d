/*
 * log_print.c - messages with values in them.  Apart from log.c, in which no breakpoint may stand:
 * in log_print() people want some.
 */
#include <stdarg.h>

#include "format.h"
#include "log.h"

void log_print(enum log_level level, const char *format, ...)
{
    char text[LOG_TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    size_t len = format_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    log_text(level, text, len);
}
