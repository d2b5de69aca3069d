/*
 * agent_print.c - the printf of agent expressions, with the formats that GDB lets through.
 * Floating point and wide characters are refused.
 */
#include "agent.h"

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

/* The flag that a letter stands for, or 0. */
static unsigned flag_of(char c)
{
    static const char letters[] = "0-+ #"; /* in the order of enum flags */

    for (unsigned i = 0; letters[i] != '\0'; i++) {
        if (letters[i] == c)
            return 1u << i;
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
    if (stub_is_one_of(*at, "diuoxX"))
        return at + 1;
    return longs + shorts == 0 && stub_is_one_of(*at, "csp%") ? at + 1 : NULL;
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

static void put_repeated(struct agent_text *text, char c, size_t count)
{
    while (count-- > 0)
        stub_text_char(text, c);
}

/* Prefix, zeros and the characters, as wide as is wanted. */
static void put_field(struct agent_text *text, const struct conversion *conversion,
                      const char *prefix, size_t zeros, const char *characters, size_t count)
{
    size_t used = zeros + count, padding = 0;

    for (const char *c = prefix; *c != '\0'; c++)
        used++;
    if (conversion->width > used)
        padding = conversion->width - used;
    if ((conversion->flags & (FLAG_ZERO | FLAG_LEFT | FLAG_PRECISION)) == FLAG_ZERO) {
        zeros += padding;
        padding = 0;
    }
    bool left = (conversion->flags & FLAG_LEFT) != 0;
    put_repeated(text, ' ', left ? 0 : padding);
    stub_text_put(text, prefix);
    put_repeated(text, '0', zeros);
    while (count-- > 0)
        stub_text_char(text, *characters++);
    put_repeated(text, ' ', left ? padding : 0);
}

/* Cut the value to its bits, and take off its sign.  What stands in front of the digits. */
static const char *take_prefix(const struct conversion *conversion, uint64_t *value)
{
    uint64_t sign = (uint64_t)1 << (conversion->bits - 1), mask = sign | (sign - 1);
    unsigned flags = conversion->flags;

    *value &= mask;
    switch (conversion->letter) {
    case 'd':
    case 'i':
        if ((*value & sign) == 0)
            return (flags & FLAG_PLUS) != 0 ? "+" : (flags & FLAG_SPACE) != 0 ? " " : "";
        *value = (0 - *value) & mask;
        return "-";
    case 'p':
        return "0x";
    case 'x':
        return (flags & FLAG_PREFIX) != 0 && *value != 0 ? "0x" : "";
    case 'X':
        return (flags & FLAG_PREFIX) != 0 && *value != 0 ? "0X" : "";
    case 'o':
        return (flags & FLAG_PREFIX) != 0 ? "0" : "";
    default:
        return "";
    }
}

static unsigned base_of(char letter)
{
    if (letter == 'o')
        return 8;
    return stub_is_one_of(letter, "diu") ? 10 : 16;
}

static void put_number(struct agent_text *text, const struct conversion *conversion, uint64_t value)
{
    const char *prefix = take_prefix(conversion, &value);
    unsigned base = base_of(conversion->letter);
    size_t wanted = (conversion->flags & FLAG_PRECISION) != 0 ? conversion->precision : 1;
    char digits[STUB_MOST_DIGITS];
    char *end = digits + sizeof(digits);
    const char *first = stub_digits(value, base, end);
    size_t count = (size_t)(end - first);

    for (char *c = end - count; conversion->letter == 'X' && c < end; c++)
        *c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
    put_field(text, conversion, prefix, wanted > count ? wanted - count : 0, first, count);
}

/* A string of the program's: as far as its end, its precision, or the limit. */
static void put_memory(struct agent_text *text, const struct agent_view *view,
                       const struct conversion *conversion, uint64_t addr,
                       struct agent_fault *fault)
{
    char string[AGENT_STRING_BYTES];
    size_t limit = sizeof(string), len = 0;

    if ((conversion->flags & FLAG_PRECISION) != 0 && conversion->precision < limit)
        limit = conversion->precision;
    for (; len < limit; len++) {
        if (!stub_agent_memory(view, addr + len, &string[len], 1)) {
            *fault = (struct agent_fault){"there is no memory to print at", true, addr + len};
            return;
        }
        if (string[len] == '\0')
            break;
    }
    put_field(text, conversion, "", 0, string, len);
}

static void put_value(struct agent_text *text, const struct agent_view *view,
                      const struct conversion *conversion, uint64_t value,
                      struct agent_fault *fault)
{
    char c = (char)value;

    if (conversion->letter == 'c')
        put_field(text, conversion, "", 0, &c, sizeof(c));
    else if (conversion->letter != 's')
        put_number(text, conversion, value);
    else if (value != 0)
        put_memory(text, view, conversion, value, fault);
    else
        put_field(text, conversion, "(null)", 0, "", 0);
}

void stub_agent_printf(const struct agent_view *view, const char *format, const uint64_t *end,
                       struct agent_fault *fault)
{
    struct agent_text text;
    struct conversion conversion;

    text.stub = view->printer;
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
            put_value(&text, view, &conversion, *--end, fault);
    }
    stub_text_end(&text);
}
