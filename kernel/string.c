/*
 * string.c - the C library's string functions.
 */
#include "string.h"

#include <stdint.h>

/* A loop that stays one: compilers make a call of strlen() of it, of itself. */
#define KEEP_LOOP() __asm__ volatile("" : : : "memory")

size_t strlen(const char *text)
{
    size_t len = 0;

    while (text[len] != '\0') {
        len++;
        KEEP_LOOP();
    }
    return len;
}

int strncmp(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (a[i] != b[i] || a[i] == '\0')
            return (unsigned char)a[i] - (unsigned char)b[i];
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}
