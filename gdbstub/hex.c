/*
 * hex.c - hex digits to values and back, and other questions about one character.  Numbers are
 * args.c and format.c.
 */
#include "internal.h"

int stub_hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

char stub_hex_digit(unsigned value)
{
    return "0123456789abcdef"[value];
}

bool stub_is_one_of(char c, const char *characters)
{
    while (*characters != '\0' && *characters != c)
        characters++;
    return *characters != '\0';
}
