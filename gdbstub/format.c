/*
 * format.c - the few formats that replies are made of.  Where they go it is told.
 */
#include "internal.h"

const char *stub_digits(uint64_t value, unsigned base, char *end)
{
    for (; value > 0; value /= base)
        *--end = stub_hex_digit((unsigned)(value % base));
    return end;
}

static void put_number(stub_put_function *put, void *to, uint64_t value, unsigned base)
{
    char digits[STUB_MOST_DIGITS];
    char *end = digits + sizeof(digits);
    const char *at = stub_digits(value, base, end);

    if (at == end)
        put(to, '0');
    while (at < end)
        put(to, *at++);
}

/* 's': as it is; 'q', 'm': of unknown origin. */
static void put_text(stub_put_function *put, void *to, const char *text, char how)
{
    const char *special = how == 'q' ? "<&\"\\" : "#$}*";

    for (; *text != '\0'; text++) {
        bool plain = *text >= ' ' && *text <= '~' && !stub_is_one_of(*text, special);
        put(to, how == 's' || plain ? *text : '_');
    }
}

void stub_format(stub_put_function *put, void *to, const char *format, va_list values)
{
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            put(to, *format);
            continue;
        }
        format++;
        if (*format == 'x' || *format == 'u')
            put_number(put, to, va_arg(values, uint64_t), *format == 'x' ? 16 : 10);
        else
            put_text(put, to, va_arg(values, const char *), *format);
    }
}
