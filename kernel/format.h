/*
 * format.h - printf's directives into a buffer of known size.
 *
 * %s %c %d %i %u %x %X %p %%, with the flags - and 0, a width, a precision for %s, and the lengths
 * l, ll and z; and bytes as hexadecimal digits.  Nothing else: no floating point, no allocation, no
 * state; may be called anywhere.
 */
#ifndef KERNEL_FORMAT_H
#define KERNEL_FORMAT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Write at most `size` bytes with the closing NUL.  Returns the length that the whole text has, as
 * snprintf() does: it was cut if that is not below `size`. */
size_t format_text(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t format_text_list(char *to, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* Write the 2 * `len` digits of `bytes` with a closing NUL. */
void format_hex(char *to, const uint8_t *bytes, size_t len);

#endif
