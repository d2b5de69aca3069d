/*
 * print.h - how small programs tell a test what they see: text and numbers on the console.
 */
#ifndef TESTS_QEMU_PRINT_H
#define TESTS_QEMU_PRINT_H

#include "kernel/app.h"

static inline void print(const char *text)
{
    while (*text != '\0')
        kapp_putc(*text++);
}

static inline void print_number(unsigned long n)
{
    if (n >= 10)
        print_number(n / 10);
    kapp_putc('0' + (int)(n % 10));
}

#endif
