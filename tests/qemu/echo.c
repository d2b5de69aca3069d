/*
 * echo.c - a program that answers each byte typed, so that a test decides when what happens.
 */
#include "kernel/app.h"

__attribute__((noinline)) void echo(int c)
{
    kapp_putc('<');
    kapp_putc(c);
    kapp_putc('>');
}

int main(void)
{
    echo('!');
    for (int c; (c = kapp_getc()) != '.';)
        echo(c);
    return 0;
}
