/*
 * format.c - printf's directives, the dozen that a kernel needs.
 */
#include "format.h"

#include <stdbool.h>

/* Where the text goes; `length` counts on past the end of the buffer. */
struct output {
    char *to;
    size_t size, length;
};

enum length_modifier {
    LENGTH_INT,
    LENGTH_LONG,
    LENGTH_LONG_LONG,
    LENGTH_SIZE,
};

struct directive {
    bool left, zero;
    size_t width;
    size_t precision; /* SIZE_MAX: none given */
    enum length_modifier length;
};

/* A va_list that functions can take their share of. */
struct arguments {
    va_list list;
};

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size)
        out->to[out->length] = c;
    out->length++;
}

static void put_many(struct output *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put(out, text[i]);
}

static void put_padding(struct output *out, char c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(out, c);
}

/* `sign` and `text`, padded to the directive's width. */
static void put_field(struct output *out, const struct directive *directive, const char *sign,
                      const char *text, size_t len)
{
    size_t sign_length = 0, padding = 0;

    while (sign[sign_length] != '\0')
        sign_length++;
    if (directive->width > sign_length + len)
        padding = directive->width - sign_length - len;
    if (!directive->left && !directive->zero)
        put_padding(out, ' ', padding);
    put_many(out, sign, sign_length);
    if (!directive->left && directive->zero)
        put_padding(out, '0', padding);
    put_many(out, text, len);
    if (directive->left)
        put_padding(out, ' ', padding);
}

static void put_number(struct output *out, const struct directive *directive, const char *sign,
                       uint64_t value, unsigned base, const char *digits)
{
    char text[20]; /* UINT64_MAX in decimal */
    size_t start = sizeof text;

    do {
        text[--start] = digits[value % base];
        value /= base;
    } while (value != 0);
    put_field(out, directive, sign, text + start, sizeof text - start);
}

static void put_string(struct output *out, const struct directive *directive, const char *text)
{
    struct directive padded = *directive;
    size_t len = 0;

    if (text == NULL)
        text = "(null)";
    while (len < directive->precision && text[len] != '\0')
        len++;
    padded.zero = false;
    put_field(out, &padded, "", text, len);
}

static int64_t take_signed(struct arguments *arguments, enum length_modifier length)
{
    switch (length) {
    case LENGTH_LONG:
        return va_arg(arguments->list, long);
    case LENGTH_LONG_LONG:
        return va_arg(arguments->list, long long);
    case LENGTH_SIZE:
        return (int64_t)va_arg(arguments->list, size_t);
    default:
        return va_arg(arguments->list, int);
    }
}

static uint64_t take_unsigned(struct arguments *arguments, enum length_modifier length)
{
    int64_t value = take_signed(arguments, length);

    return length == LENGTH_INT ? (unsigned)value : (uint64_t)value;
}

static void put_signed(struct output *out, const struct directive *directive, int64_t value)
{
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    put_number(out, directive, value < 0 ? "-" : "", magnitude, 10, "0123456789");
}

/* A decimal number or `*`; moves `format` behind it. */
static size_t parse_number(const char **format, struct arguments *arguments)
{
    size_t number = 0;

    if (**format == '*') {
        (*format)++;
        int given = va_arg(arguments->list, int);
        return given < 0 ? 0 : (size_t)given;
    }
    for (; **format >= '0' && **format <= '9'; (*format)++)
        number = number * 10 + (size_t)(**format - '0');
    return number;
}

/* What stands between `%` and the conversion; moves `format` to the latter. */
static struct directive parse_directive(const char **format, struct arguments *arguments)
{
    struct directive directive = {.precision = SIZE_MAX, .length = LENGTH_INT};

    for (; **format == '-' || **format == '0'; (*format)++) {
        directive.left |= **format == '-';
        directive.zero |= **format == '0';
    }
    directive.width = parse_number(format, arguments);
    if (**format == '.') {
        (*format)++;
        directive.precision = parse_number(format, arguments);
    }
    if (**format == 'z') {
        (*format)++;
        directive.length = LENGTH_SIZE;
    }
    for (; **format == 'l'; (*format)++)
        directive.length = directive.length == LENGTH_LONG ? LENGTH_LONG_LONG : LENGTH_LONG;
    return directive;
}

/* One directive; `format` is behind its `%`.  Returns what follows it. */
static const char *put_directive(struct output *out, const char *format,
                                 struct arguments *arguments)
{
    struct directive directive = parse_directive(&format, arguments);
    char c;

    switch (*format) {
    case 's':
        put_string(out, &directive, va_arg(arguments->list, const char *));
        break;
    case 'c':
        c = (char)va_arg(arguments->list, int);
        put_field(out, &directive, "", &c, 1);
        break;
    case 'd':
    case 'i':
        put_signed(out, &directive, take_signed(arguments, directive.length));
        break;
    case 'u':
        put_number(out, &directive, "", take_unsigned(arguments, directive.length), 10,
                   "0123456789");
        break;
    case 'x':
        put_number(out, &directive, "", take_unsigned(arguments, directive.length), 16,
                   "0123456789abcdef");
        break;
    case 'X':
        put_number(out, &directive, "", take_unsigned(arguments, directive.length), 16,
                   "0123456789ABCDEF");
        break;
    case 'p':
        put_number(out, &directive, "0x", (uintptr_t)va_arg(arguments->list, void *), 16,
                   "0123456789abcdef");
        break;
    case '\0':
        return format;
    default: /* `%%`, and what is unknown shows as its letter */
        put(out, *format);
        break;
    }
    return format + 1;
}

size_t format_text_list(char *to, size_t size, const char *format, va_list list)
{
    struct output out = {.to = to, .size = size};
    struct arguments arguments;

    va_copy(arguments.list, list);
    while (*format != '\0') {
        if (*format == '%')
            format = put_directive(&out, format + 1, &arguments);
        else
            put(&out, *format++);
    }
    va_end(arguments.list);
    if (size > 0)
        to[out.length < size ? out.length : size - 1] = '\0';
    return out.length;
}

size_t format_text(char *to, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    size_t length = format_text_list(to, size, format, arguments);
    va_end(arguments);
    return length;
}

void format_hex(char *to, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        *to++ = "0123456789abcdef"[bytes[i] >> 4];
        *to++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *to = '\0';
}
