/*
 * second_agent.h - a second interpreter of agent expressions, to compare with: plain, slow,
 * trusting nothing, made from the manual's table.  After `machine` and fail() of its program.
 */
#ifndef TESTS_FUZZ_SECOND_AGENT_H
#define TESTS_FUZZ_SECOND_AGENT_H

struct second {
    const uint8_t *code;
    size_t len, at, depth;
    uint64_t stack[1000];
    char text[TEXT];
    bool failed;
};

static uint8_t byte(struct second *second)
{
    if (second->at >= second->len)
        fail("ran off the end");
    return second->code[second->at++];
}

static uint64_t bytes(struct second *second, int count)
{
    uint64_t value = 0;

    while (count-- > 0)
        value = value * 256 + byte(second);
    return value;
}

static uint64_t pop(struct second *second)
{
    if (second->depth == 0)
        fail("the stack is empty");
    return second->stack[--second->depth];
}

static void push(struct second *second, uint64_t value)
{
    if (second->depth == AGENT_STACK)
        fail("the stack is full");
    second->stack[second->depth++] = value;
}

static void append(struct second *second, const char *text)
{
    size_t used = strlen(second->text);

    snprintf(second->text + used, TEXT - used, "%s", text);
}

static bool load(uint64_t addr, unsigned count, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *from = addr + i < addr ? NULL : fake_byte(&machine, addr + i);
        if (from == NULL)
            return false;
        *value |= (uint64_t)*from << (8 * i);
    }
    return true;
}

/* One conversion of a format, by the C library; `spec` begins with '%'. */
static void convert(struct second *second, const char *spec, uint64_t value)
{
    char text[2100], string[AGENT_STRING_BYTES + 1] = "(null)";
    char letter = spec[strlen(spec) - 1];
    const char *point = strchr(spec, '.');
    size_t limit = point ? strtoul(point + 1, NULL, 10) : AGENT_STRING_BYTES, i = 0;
    uint64_t c = 1;

    if (letter == 's') {
        if (limit > AGENT_STRING_BYTES)
            limit = AGENT_STRING_BYTES;
        for (; value != 0 && i < limit && c != 0; i++) {
            if (!load(value + i, 1, &c)) {
                second->failed = true;
                return;
            }
            string[i] = (char)c;
        }
        if (value != 0)
            string[i] = '\0';
        char plain[64]; /* GDB's (null) is never cut */
        snprintf(plain, sizeof(plain), "%.*ss", (int)strcspn(spec, ".s"), spec);
        snprintf(text, sizeof(text), plain, string);
    } else if (letter == 'p') {
        char hex[32], plain[64];
        snprintf(hex, sizeof(hex), "0x%" PRIx64, value);
        snprintf(plain, sizeof(plain), "%.*ss", (int)strlen(spec) - 1, spec);
        snprintf(text, sizeof(text), plain, hex);
    } else if (strchr(spec, 'l') || strchr(spec, 'z')) {
        snprintf(text, sizeof(text), spec, value);
    } else {
        snprintf(text, sizeof(text), spec, (int)value);
    }
    append(second, text);
}

/* Flags or a width that C leaves undefined, or that are compared by hand elsewhere. */
static bool is_odd(const char *spec)
{
    char letter = spec[strlen(spec) - 1];

    return (strchr("csp", letter) && strpbrk(spec, "0+ #")) || strlen(spec) > 12 ||
           (letter == 'p' && strchr(spec, '.')) || (letter == 'c' && strchr(spec, '.')) ||
           (letter == 'u' && strchr(spec, '#')) || (letter == 'o' && strchr(spec, '#')) ||
           (strchr("uoxX", letter) && strpbrk(spec, "+ ")) || strchr(spec, 'z') != NULL;
}

/* False if the C library is no judge of the format. */
static bool print(struct second *second)
{
    unsigned arguments = byte(second);
    size_t len = bytes(second, 2);
    const char *format = (const char *)second->code + second->at;

    second->at += len;
    pop(second);
    pop(second);
    for (; *format != '\0'; format++) {
        char text[2] = {*format, '\0'};
        if (*format == '\\') {
            static const char from[] = "\\abefnrtv\"", to[] = "\\\a\b\033\f\n\r\t\v\"";
            text[0] = to[strchr(from, *++format) - from];
        }
        if (*format != '%' || text[0] != '%') {
            append(second, text);
            continue;
        }
        size_t spec_length = 1 + strcspn(format + 1, "diuoxXcsp%") + 1;
        char spec[64];
        snprintf(spec, sizeof(spec), "%.*s", (int)spec_length, format);
        format += spec_length - 1;
        if (*format == '%') {
            append(second, "%");
            continue;
        }
        if (spec_length >= sizeof(spec) || is_odd(spec))
            return false;
        uint64_t value = pop(second);
        if (*format == 'c' && (char)value == '\0')
            return false;
        arguments--;
        if (!second->failed)
            convert(second, spec, value);
    }
    if (arguments != 0)
        fail("arguments are left over");
    return true;
}

static bool divide(uint8_t code, uint64_t a, uint64_t b, uint64_t *value)
{
    bool is_signed = code == 0x05 || code == 0x07, rest = code == 0x07 || code == 0x08;
    __int128 x = is_signed ? (__int128)(int64_t)a : (__int128)a;
    __int128 y = is_signed ? (__int128)(int64_t)b : (__int128)b;

    if (y == 0)
        return false;
    *value = (uint64_t)(rest ? x % y : x / y);
    return true;
}

static uint64_t shifted(uint8_t code, uint64_t a, uint64_t b)
{
    __int128 x = code == 0x0a ? (__int128)(int64_t)a : (__int128)a;

    if (b > 64)
        b = 64;
    return (uint64_t)(code == 0x09 ? (b == 64 ? 0 : a << b) : x >> b);
}

/* 1: go on; 0: the end; -1: an error; -2: it cannot be compared. */
static int step(struct second *second)
{
    uint8_t code = byte(second);
    uint64_t a, b, c, value;

    if (code >= 0x02 && code <= 0x0b) {
        b = pop(second);
        a = pop(second);
        if (code >= 0x05 && code <= 0x08) {
            if (!divide(code, a, b, &value))
                return -1;
        } else {
            value = code == 0x02   ? a + b
                    : code == 0x03 ? a - b
                    : code == 0x04 ? a * b
                                   : shifted(code, a, b);
        }
        push(second, value);
        return 1;
    }
    switch (code) {
    case 0x0e:
        push(second, !pop(second));
        return 1;
    case 0x0f:
        a = pop(second);
        push(second, a & pop(second));
        return 1;
    case 0x10:
        a = pop(second);
        push(second, a | pop(second));
        return 1;
    case 0x11:
        a = pop(second);
        push(second, a ^ pop(second));
        return 1;
    case 0x12:
        push(second, ~pop(second));
        return 1;
    case 0x13:
        a = pop(second);
        push(second, a == pop(second));
        return 1;
    case 0x14:
        b = pop(second);
        push(second, (int64_t)pop(second) < (int64_t)b);
        return 1;
    case 0x15:
        b = pop(second);
        push(second, pop(second) < b);
        return 1;
    case 0x16:
        b = 64 - byte(second);
        push(second, (uint64_t)((int64_t)(pop(second) << b) >> b));
        return 1;
    case 0x2a:
        b = 64 - byte(second);
        push(second, pop(second) << b >> b);
        return 1;
    case 0x17:
    case 0x18:
    case 0x19:
    case 0x1a:
        if (!load(pop(second), 1u << (code - 0x17), &value))
            return -1;
        push(second, value);
        return 1;
    case 0x20:
        a = bytes(second, 2);
        if (pop(second))
            second->at = a;
        return 1;
    case 0x21:
        second->at = bytes(second, 2);
        return 1;
    case 0x22:
        push(second, bytes(second, 1));
        return 1;
    case 0x23:
        push(second, bytes(second, 2));
        return 1;
    case 0x24:
        push(second, bytes(second, 4));
        return 1;
    case 0x25:
        push(second, bytes(second, 8));
        return 1;
    case 0x26:
        a = bytes(second, 2);
        if (a == FAKE_ABSENT)
            return -1;
        push(second, fake_get(&machine, 1, a));
        return 1;
    case 0x27:
        return 0;
    case 0x28:
        a = pop(second);
        push(second, a);
        push(second, a);
        return 1;
    case 0x29:
        pop(second);
        return 1;
    case 0x2b:
        b = pop(second);
        a = pop(second);
        push(second, b);
        push(second, a);
        return 1;
    case 0x32:
        a = byte(second);
        if (a >= second->depth)
            fail("picks from below the stack");
        push(second, second->stack[second->depth - 1 - a]);
        return 1;
    case 0x33:
        c = pop(second);
        b = pop(second);
        a = pop(second);
        push(second, c);
        push(second, a);
        push(second, b);
        return 1;
    case 0x34:
        if (!print(second))
            return -2;
        return second->failed ? -1 : 1;
    default:
        fail("an operation that must have been refused");
        return -1;
    }
}

#endif
