/*
 * agent_print.c - the printf of agent expressions, with the formats that GDB lets through, and its
 * way to the kernel's log and to GDB's console.  Floating point and wide characters are refused.
 */
#include "agent.h"

void stub_text_end(struct agent_text *text)
{
    const struct gdbstub_port *port = text->stub->port;

    if (text->len == 0)
        return;
    if (port->print != NULL)
        port->print(port->ctx, text->text, text->len);
    gdbstub_print(text->stub, text->text, text->len);
    text->len = 0;
}

void stub_text_char(struct agent_text *text, char c)
{
    if (text->len == sizeof(text->text))
        stub_text_end(text);
    text->text[text->len++] = c;
}

void stub_text_string(struct agent_text *text, const char *string)
{
    while (*string != '\0')
        stub_text_char(text, *string++);
}

/* ---- Formats ---- */

enum flags {
    FLAG_ZERO = 1 << 0,
    FLAG_LEFT = 1 << 1,
    FLAG_PLUS = 1 << 2,
    FLAG_SPACE = 1 << 3,
    FLAG_PREFIX = 1 << 4, /* # */
    FLAG_PRECISION = 1 << 5,
};

/* What stands between a '%' and the end of its conversion. */
struct conversion {
    unsigned flags, width, precision;
    unsigned bits; /* of a number */
    char letter;
};

static const struct {
    char letter;
    uint8_t flag;
} flag_letters[] = {
    {'0', FLAG_ZERO}, {'-', FLAG_LEFT}, {'+', FLAG_PLUS}, {' ', FLAG_SPACE}, {'#', FLAG_PREFIX},
};

static unsigned flag_of(char c)
{
    for (size_t i = 0; i < sizeof(flag_letters) / sizeof(flag_letters[0]); i++) {
        if (flag_letters[i].letter == c)
            return flag_letters[i].flag;
    }
    return 0;
}

/* A decimal number, of which no more than a few digits count. */
static const char *take_decimal(const char *at, unsigned *value)
{
    for (*value = 0; *at >= '0' && *at <= '9'; at++) {
        if (*value < 1000)
            *value = *value * 10 + (unsigned)(*at - '0');
    }
    return at;
}

static bool is_one_of(char c, const char *letters)
{
    while (*letters != '\0' && *letters != c)
        letters++;
    return *letters != '\0';
}

/* Take what follows a '%'.  NULL if there is no such conversion here. */
static const char *take_conversion(const char *at, struct conversion *conversion)
{
    unsigned flag, longs = 0, shorts = 0;

    for (conversion->flags = 0; (flag = flag_of(*at)) != 0; at++)
        conversion->flags |= flag;
    at = take_decimal(at, &conversion->width);
    conversion->precision = 0;
    if (*at == '.') {
        conversion->flags |= FLAG_PRECISION;
        at = take_decimal(at + 1, &conversion->precision);
    }
    for (; *at == 'l' || *at == 'z'; at++)
        longs++;
    for (; *at == 'h'; at++)
        shorts++;
    conversion->letter = *at;
    conversion->bits = longs > 0 || *at == 'p' ? 64 : 32 >> shorts;
    if (longs > 2 || shorts > 2 || (longs > 0 && shorts > 0))
        return NULL;
    if (is_one_of(*at, "diuoxX"))
        return at + 1;
    return longs + shorts == 0 && is_one_of(*at, "csp%") ? at + 1 : NULL;
}

/* The character that a backslash and `c` stand for, or NUL. */
static char unescape(char c)
{
    static const char pairs[] = "\\\\a\ab\be\033f\fn\nr\rt\tv\v\"\"";

    for (size_t i = 0; pairs[i] != '\0'; i += 2) {
        if (pairs[i] == c)
            return pairs[i + 1];
    }
    return '\0';
}

const char *stub_verify_format(const uint8_t *format, size_t len, size_t arguments)
{
    const char *at = (const char *)format;
    struct conversion conversion;

    if (len == 0 || format[len - 1] != '\0')
        return "a format has no end";
    while (*at != '\0') {
        char c = *at++;
        if (c == '\\' && unescape(*at++) == '\0')
            return "a format has an unknown escape";
        if (c != '%')
            continue;
        at = take_conversion(at, &conversion);
        if (at == NULL)
            return "a format has a conversion that is not done here";
        if (conversion.letter != '%' && arguments-- == 0)
            return "a format has more conversions than arguments";
    }
    return arguments == 0 ? NULL : "a format has fewer conversions than arguments";
}

/* ---- Printing ---- */

static void put_padding(struct agent_text *text, char c, unsigned width, size_t used)
{
    for (size_t i = used; i < width; i++)
        stub_text_char(text, c);
}

/* The digits of a number behind what stands in front of it. */
static void put_digits(struct agent_text *text, const struct conversion *conversion,
                       const char *prefix, uint64_t value, unsigned base)
{
    char digits[24]; /* octal needs 22 */
    size_t first = sizeof(digits), front = 0, zeros = 0;
    const char *letters = conversion->letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";

    for (; value != 0; value /= base)
        digits[--first] = letters[value % base];
    while (prefix[front] != '\0')
        front++;
    size_t count = sizeof(digits) - first;
    size_t wanted = (conversion->flags & FLAG_PRECISION) != 0 ? conversion->precision : 1;
    if ((conversion->flags & (FLAG_ZERO | FLAG_LEFT | FLAG_PRECISION)) == FLAG_ZERO &&
        conversion->width > front + wanted)
        wanted = conversion->width - front;
    if (wanted > count)
        zeros = wanted - count;
    size_t used = front + zeros + count;
    bool left = (conversion->flags & FLAG_LEFT) != 0;
    put_padding(text, ' ', left ? 0 : conversion->width, used);
    stub_text_string(text, prefix);
    put_padding(text, '0', (unsigned)zeros, 0);
    while (first < sizeof(digits))
        stub_text_char(text, digits[first++]);
    put_padding(text, ' ', left ? conversion->width : 0, used);
}

static void put_signed(struct agent_text *text, const struct conversion *conversion, uint64_t value)
{
    uint64_t sign = (uint64_t)1 << (conversion->bits - 1);
    const char *prefix = "";

    value = (value & (sign | (sign - 1)));
    if ((value & sign) != 0) {
        value = (0 - value) & (sign | (sign - 1));
        prefix = "-";
    } else if ((conversion->flags & FLAG_PLUS) != 0) {
        prefix = "+";
    } else if ((conversion->flags & FLAG_SPACE) != 0) {
        prefix = " ";
    }
    put_digits(text, conversion, prefix, value, 10);
}

static void put_unsigned(struct agent_text *text, const struct conversion *conversion,
                         uint64_t value)
{
    bool marked = (conversion->flags & FLAG_PREFIX) != 0;
    const char *prefix = "";
    unsigned base = 16;

    if (conversion->bits < 64)
        value &= ((uint64_t)1 << conversion->bits) - 1;
    if (conversion->letter == 'u')
        base = 10;
    else if (conversion->letter == 'o')
        base = 8;
    if (conversion->letter == 'p' || (marked && base == 16 && value != 0))
        prefix = conversion->letter == 'X' ? "0X" : "0x";
    else if (marked && base == 8)
        prefix = "0";
    put_digits(text, conversion, prefix, value, base);
}

void stub_text_hex(struct agent_text *text, uint64_t value)
{
    static const struct conversion pointer = {.letter = 'p', .bits = 64};

    put_unsigned(text, &pointer, value);
}

static void put_string(struct agent_text *text, const struct conversion *conversion,
                       const char *string, size_t len)
{
    bool left = (conversion->flags & FLAG_LEFT) != 0;

    put_padding(text, ' ', left ? 0 : conversion->width, len);
    for (size_t i = 0; i < len; i++)
        stub_text_char(text, string[i]);
    put_padding(text, ' ', left ? conversion->width : 0, len);
}

/* A string of the program's: as far as its end, its precision, or the limit. */
static void put_memory(struct agent_text *text, gdbstub_thread thread,
                       const struct conversion *conversion, uint64_t addr,
                       struct agent_fault *fault)
{
    char string[AGENT_STRING_BYTES];
    size_t limit = sizeof(string), len = 0;

    if ((conversion->flags & FLAG_PRECISION) != 0 && conversion->precision < limit)
        limit = conversion->precision;
    for (; len < limit; len++) {
        if (!stub_agent_memory(text->stub, thread, addr + len, &string[len], 1)) {
            *fault = (struct agent_fault){"there is no memory to print at", true, addr + len};
            return;
        }
        if (string[len] == '\0')
            break;
    }
    put_string(text, conversion, string, len);
}

static void put_value(struct agent_text *text, gdbstub_thread thread,
                      const struct conversion *conversion, uint64_t value,
                      struct agent_fault *fault)
{
    char c = (char)value;

    switch (conversion->letter) {
    case 'd':
    case 'i':
        put_signed(text, conversion, value);
        break;
    case 'c':
        put_string(text, conversion, &c, sizeof(c));
        break;
    case 's':
        if (value != 0)
            put_memory(text, thread, conversion, value, fault);
        else
            put_string(text, conversion, "(null)", 6);
        break;
    default:
        put_unsigned(text, conversion, value);
        break;
    }
}

void stub_agent_printf(struct gdbstub *stub, gdbstub_thread thread, const char *format,
                       const uint64_t *end, struct agent_fault *fault)
{
    struct agent_text text;
    struct conversion conversion;

    text.stub = stub;
    text.len = 0;
    while (*format != '\0' && fault->reason == NULL) {
        char c = *format++;
        if (c != '%') {
            stub_text_char(&text, c == '\\' ? unescape(*format++) : c);
            continue;
        }
        format = take_conversion(format, &conversion);
        if (conversion.letter == '%')
            stub_text_char(&text, '%');
        else
            put_value(&text, thread, &conversion, *--end, fault);
    }
    stub_text_end(&text);
}
